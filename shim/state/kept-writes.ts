/**
 * @module The session of systems that keep writes until commit: own writes are read back from what is kept,
 * a context carries it to the next function, and the ending happens once.
 *
 * Whatever a system does beyond that (versions, a snapshot's number) is its `KeptWritesPart`.
 */
import type { Bytes } from "#kit/bytes.ts";
import { type Carried, checkCarried, WriteBuffer } from "./carried.ts";
import type { CommitOutcome, StateContext, StateSession } from "./port.ts";

/** What differs between such systems. One for each session. */
export interface KeptWritesPart {
  /** Values of keys that this transaction has not written; keys are distinct. Rejects with `StateError`. */
  fetch(keys: readonly string[]): Promise<(Bytes | undefined)[]>;
  /** Refuses what could never be written. @throws StateError */
  checkValue(key: string, value: Bytes): void;
  /** Beside the writes; no name may begin with `w/`. */
  carried(): Carried;
  /** Called once, and not after `abort`. Never rejects. */
  commit(writes: WriteBuffer): Promise<CommitOutcome>;
}

export interface KeptWritesIdentity {
  readonly system: string;
  readonly requestId: string;
  readonly transactionId: string;
  readonly maxContextBytes: number;
  /** From the function before. */
  readonly carried?: Carried;
}

export class KeptWritesSession implements StateSession {
  readonly transactionId: string;
  readonly #identity: KeptWritesIdentity;
  readonly #part: KeptWritesPart;
  readonly #writes: WriteBuffer;
  #ending: Promise<CommitOutcome> | undefined;

  constructor(identity: KeptWritesIdentity, part: KeptWritesPart) {
    this.transactionId = identity.transactionId;
    this.#identity = identity;
    this.#part = part;
    this.#writes = WriteBuffer.fromCarried(identity.carried ?? {});
  }

  async get(key: string): Promise<Bytes | undefined> {
    const [value] = await this.getMany([key]);
    return value;
  }

  async getMany(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    // Looked up first: what is written while the others are fetched is not read by this call.
    const values = new Map(keys.map((key) => [key, this.#writes.get(key)]));
    const others = [...values.keys()].filter((key) => values.get(key) === undefined);
    const fetched = others.length === 0 ? [] : await this.#part.fetch(others);
    for (const [index, key] of others.entries()) values.set(key, fetched[index]);
    return keys.map((key) => values.get(key));
  }

  put(key: string, value: Bytes): Promise<void> {
    return this.putMany([[key, value]]);
  }

  putMany(entries: readonly (readonly [key: string, value: Bytes])[]): Promise<void> {
    return settle(() => {
      for (const [key, value] of entries) this.#part.checkValue(key, value);
      for (const [key, value] of entries) this.#writes.set(key, value);
    });
  }

  suspend(): Promise<StateContext> {
    const { system, requestId, transactionId, maxContextBytes } = this.#identity;
    return settle(() => {
      const carried = { ...this.#part.carried(), ...this.#writes.toCarried() };
      return {
        system,
        requestId,
        transactionId,
        carried: checkCarried(carried, maxContextBytes),
      };
    });
  }

  commit(): Promise<CommitOutcome> {
    this.#ending ??= this.#part.commit(this.#writes);
    return this.#ending;
  }

  abort(): Promise<void> {
    this.#ending ??= Promise.resolve({ kind: "aborted", reason: "given up by the function" });
    return Promise.resolve();
  }
}

/** What is thrown rejects: nothing here throws at the call. */
function settle<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work());
  });
}
