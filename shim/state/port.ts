/**
 * @module The state seam: how functions touch state.
 *
 * A request is a chain of functions, each a separate invocation that may run in another process.
 * What passes between them is a `StateContext`: a small JSON value, never a connection.
 *
 *   function 1: session = system.begin({ requestId });    …ops…; context = await session.suspend()
 *   function n: session = system.resume(context);         …ops…; outcome = await session.commit()
 *
 * Layer     port. Implementations: shim/direct (plain storage), shim/aft/client, and
 *           those of `registry.ts`. What each must do is a suite: `state.contract.ts`.
 * Later     `merge(contexts)` where branches of a DAG join, a read set declared in `begin`, and
 *           systems whose state is a log fit beside these methods; none needs another shape.
 */
import type { Bytes } from "#kit/bytes.ts";
import type { Disposition } from "#kit/errors.ts";
import { ProjectError } from "#kit/errors.ts";

/** Travels by value between functions; every field survives JSON. */
export interface StateContext {
  readonly system: string;
  readonly requestId: string;
  /** The system's transaction, if it has such a thing; unique over all attempts. */
  readonly transactionId: string;
  /** Whatever else the system needs to continue elsewhere; opaque to everyone else. */
  readonly carried: Readonly<Record<string, string | number>>;
}

/** How a transaction ended, as far as the caller can know. */
export type CommitOutcome =
  | {
      readonly kind: "committed";
      /**
       * Position in the system's own version order, comparable as text (equal length or padded);
       * absent where the system has no such order (`direct`).
       */
      readonly commitOrder?: string;
      /**
       * The transaction of an earlier or concurrent attempt of the same request that was committed
       * instead of this one, which left no effect; absent when this one was.
       */
      readonly committedBy?: string;
    }
  /** Surely not committed, nothing visible: start the request again. */
  | { readonly kind: "aborted"; readonly reason: string }
  /** May or may not have been committed (an answer was lost). */
  | { readonly kind: "unknown"; readonly reason: string };

/** What an opened system has asked of its storage so far; only ever grows. */
export interface StateCounters {
  /** Requests sent, each one round trip: a batch, a script or a transaction sent as a whole is one. */
  readonly calls: number;
  /** Of values; keys, versions and the protocol's own bytes are not counted. */
  readonly bytesRead: number;
  /** Of values, each time one is sent. */
  readonly bytesWritten: number;
}

/** Reads and writes of one transaction inside one function. Calls may overlap; none is thread-bound. */
export interface StateSession {
  readonly transactionId: string;
  /** `undefined`: the key has no value. Rejects with `StateError`. */
  get(key: string): Promise<Bytes | undefined>;
  /** One answer per key, in order. */
  getMany(keys: readonly string[]): Promise<(Bytes | undefined)[]>;
  /**
   * Writes `value`. May settle before the write reached anyone, where the system lets nobody see it
   * before commit; a failure then surfaces at the next read, `suspend` or `commit`. "replayed": an
   * earlier attempt of the request has done this write; its value stays, and this one was not written.
   */
  put(key: string, value: Bytes): Promise<void | "replayed">;
  /** Independent writes, in one request where the system can. Keys are distinct. */
  putMany(entries: readonly (readonly [key: string, value: Bytes])[]): Promise<void | "replayed">;
  /** Ends this function's part; another function continues with `system.resume`. */
  suspend(): Promise<StateContext>;
  /** Ends the transaction. Never rejects; a failure is an outcome. May be repeated. */
  commit(): Promise<CommitOutcome>;
  /** Gives up; never rejects. Idempotent. */
  abort(): Promise<void>;
}

export interface StateSystem {
  /** Registered name: `direct`, `aft`, … */
  readonly name: string;
  /** Starts a transaction for the request; costs no round trip of its own where avoidable. */
  begin(options: { readonly requestId: string }): StateSession;
  /** Continues a transaction begun elsewhere. */
  resume(context: StateContext): StateSession;
  /** What became of a transaction whose commit answer was lost; `unknown` if it cannot be told. */
  outcomeOf(context: StateContext): Promise<CommitOutcome>;
  /**
   * What this opened instance has asked of its storage since it was opened. Absent where it cannot be
   * seen from here, as with `aft`, whose replica counts.
   */
  counters?(): StateCounters;
  /**
   * What a function writes becomes visible when that function ends (`suspend`, `commit`), and not when it is
   * acknowledged. Absent: at once, or with the transaction, which then has a `commitOrder`.
   */
  readonly visibleAtEnd?: true;
  /** Releases connections. Idempotent. */
  close(): Promise<void>;
}

/** A read or write of a session failed. `disposition` tells the function what to do. */
export class StateError extends ProjectError {
  /** From the system: `no_valid_version`, `transaction_timeout`, `storage_unavailable`, … */
  readonly code: string;
  readonly disposition: Disposition;

  constructor(options: {
    code: string;
    disposition: Disposition;
    message: string;
    cause?: unknown;
  }) {
    super(options.message, { cause: options.cause });
    this.code = options.code;
    this.disposition = options.disposition;
  }
}
