/**
 * @module One function's part of an AFT transaction.
 *
 * Trips: begin rides on the first operation; writes are kept until the next read, suspend or
 * commit and leave with it; so a function of 2 reads and 1 write costs two trips, and the last one
 * one more for the commit. Every operation says how many writes came before it, and the replica
 * waits for them, so that a write may still be under way on another connection.
 */
import type { Bytes } from "#kit/bytes.ts";
import type { Clock } from "#kit/clock.ts";
import { delay } from "#kit/clock.ts";
import { describeError } from "#kit/errors.ts";
import {
  type CommitOutcome,
  type StateError,
  type StateContext,
  type StateSession,
} from "#shim/state/port.ts";
import { type AftConnection, type Argument, isAnswer, toStateError } from "./connection.ts";
import type { AftPool } from "./pool.ts";

/** How often and how long a lost commit answer is asked for. */
const askAgainAttempts = 8;
const askAgainPauseUs = 50_000;

interface KeptWrite {
  readonly key: string;
  readonly value: Bytes;
  readonly sequence: number;
}

export interface SessionState {
  readonly requestId: string;
  readonly transactionId: string;
  /** Writes issued by this and all earlier functions. */
  readonly writes: number;
  readonly begun: boolean;
}

export class AftSession implements StateSession {
  readonly transactionId: string;
  readonly #pool: AftPool;
  readonly #connection: AftConnection;
  readonly #clock: Clock;
  readonly #requestId: string;
  #writes: number;
  #begun: boolean;
  /** BEGIN was answered: no later operation, on any connection, can come before it. */
  #beginAnswered: boolean;
  #kept: KeptWrite[] = [];
  /** Answers nobody waits for. */
  #unanswered: Promise<unknown>[] = [];
  #failure: StateError | undefined;

  constructor(pool: AftPool, clock: Clock, state: SessionState) {
    this.#pool = pool;
    this.#connection = pool.take();
    this.#clock = clock;
    this.#requestId = state.requestId;
    this.transactionId = state.transactionId;
    this.#writes = state.writes;
    this.#begun = state.begun;
    this.#beginAnswered = state.begun;
  }

  async get(key: string): Promise<Bytes | undefined> {
    const args = [this.transactionId, key, ...this.#after()];
    // Nothing was sent yet: begin rides on this read, in the same command.
    if (!this.#begun && this.#kept.length === 0) {
      args.push("BEGIN", this.#requestId);
      this.#begun = true;
    }
    const answer = await this.#ask("AFT.GET", args);
    return (answer as Buffer | null) ?? undefined;
  }

  async getMany(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    if (keys.length === 0) return [];
    const args = [this.transactionId, String(this.#writes), ...keys];
    const answers = (await this.#ask("AFT.MGET", args)) as (Buffer | null)[];
    return answers.map((answer) => answer ?? undefined);
  }

  put(key: string, value: Bytes): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#writes += 1;
    this.#kept.push({ key, value, sequence: this.#writes });
    return Promise.resolve();
  }

  async putMany(entries: readonly (readonly [key: string, value: Bytes])[]): Promise<void> {
    for (const [key, value] of entries) await this.put(key, value);
  }

  async suspend(): Promise<StateContext> {
    if (this.#kept.length > 0) this.#sendKept();
    // Without any answer yet, the next function's call could come before BEGIN.
    if (this.#begun && !this.#beginAnswered) await Promise.all(this.#unanswered);
    if (this.#failure !== undefined) throw this.#failure;
    return {
      system: "aft",
      requestId: this.#requestId,
      transactionId: this.transactionId,
      carried: { writes: this.#writes, begun: this.#begun ? 1 : 0 },
    };
  }

  async commit(): Promise<CommitOutcome> {
    if (!this.#begun && this.#kept.length === 0) return { kind: "committed" };
    const args: Argument[] = [this.transactionId, ...this.#after()];
    if (this.#begun && this.#kept.length > 0) {
      // The last writes ride on the commit, in the same command.
      args.push("WRITES");
      for (const { key, value } of this.#kept) args.push(key, toBuffer(value));
      this.#kept = [];
    }
    const startUs = this.#clock.monotonicUs();
    try {
      const answer = await this.#ask("AFT.COMMIT", args);
      this.#pool.noteCommit(this.#clock.monotonicUs() - startUs);
      return toOutcome(answer, this.transactionId);
    } catch (error) {
      const failure = toStateError(error);
      // A refusal before the commit was tried (a failed write) is final: nothing was committed.
      if (failure === this.#failure || isAnswer(failure.cause))
        return { kind: "aborted", reason: `${failure.code}: ${failure.message}` };
      return this.#askAgain(failure);
    }
  }

  async abort(): Promise<void> {
    this.#kept = [];
    if (!this.#begun) return;
    try {
      await this.#connection.send("AFT.ABORT", [this.transactionId]);
    } catch {
      // The replica aborts by time-out what it was not told.
    }
  }

  /** Sends begin and kept writes ahead of a command, in one write, and waits for its answer only. */
  async #ask(command: string, args: Argument[]): Promise<unknown> {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#begun || this.#kept.length > 0) this.#sendKept();
    try {
      const settled = await this.#connection.send(command, args);
      // Commands of one connection are answered in order.
      this.#beginAnswered = this.#begun;
      if (this.#failure !== undefined) throw this.#failure;
      return settled;
    } catch (error) {
      // An earlier failure explains this one: a refused write, a begin that was not accepted.
      throw this.#failure ?? toStateError(error);
    }
  }

  #sendKept(): void {
    if (!this.#begun) this.#begin();
    for (const { key, value, sequence } of this.#kept) {
      const bytes = toBuffer(value);
      this.#watch(
        this.#connection.send("AFT.SET", [this.transactionId, key, bytes, "SEQ", String(sequence)]),
      );
    }
    this.#kept = [];
  }

  #begin(): void {
    this.#begun = true;
    this.#watch(this.#connection.send("AFT.BEGIN", [this.#requestId, "TXID", this.transactionId]));
  }

  /** Nobody waits for this answer; its failure surfaces at the next call. */
  #watch(answer: Promise<unknown>): void {
    this.#unanswered.push(
      answer.catch((error: unknown) => {
        this.#failure ??= toStateError(error);
      }),
    );
  }

  #after(): string[] {
    return this.#writes === 0 ? [] : ["AFTER", String(this.#writes)];
  }

  async #askAgain(failure: StateError): Promise<CommitOutcome> {
    for (let attempt = 1; attempt <= askAgainAttempts; attempt += 1) {
      try {
        return await askOutcome(this.#connection, this.transactionId);
      } catch {
        await delay(this.#clock, askAgainPauseUs * attempt);
      }
    }
    return { kind: "unknown", reason: describeError(failure) };
  }
}

/** What became of a transaction. Rejects when the replica does not answer. */
export async function askOutcome(
  connection: AftConnection,
  transactionId: string,
): Promise<CommitOutcome> {
  return toOutcome(await connection.send("AFT.STATUS", [transactionId]), transactionId);
}

/** From the flat map of AFT.COMMIT and AFT.STATUS. */
function toOutcome(answer: unknown, transactionId: string): CommitOutcome {
  const fields = new Map<string, string>();
  const flat = answer as (Buffer | number)[];
  for (let index = 0; index + 1 < flat.length; index += 2)
    fields.set(String(flat[index]), String(flat[index + 1]));
  const reason = `${fields.get("error")}: ${fields.get("message")}`;
  switch (fields.get("state") ?? "") {
    case "committed": {
      const timestamp = fields.get("timestampUs") ?? "0";
      if (timestamp === "0") return { kind: "committed" };
      const by = fields.get("transactionId") ?? transactionId;
      // Padded, so that text order is the order of AFT's transaction ids.
      const commitOrder = `${timestamp.padStart(17, "0")}-${by}`;
      return { kind: "committed", commitOrder, ...(by !== transactionId && { committedBy: by }) };
    }
    case "aborted":
      return { kind: "aborted", reason };
    case "open":
      return { kind: "unknown", reason: "the transaction is still open" };
    default:
      return { kind: "unknown", reason };
  }
}

function toBuffer(value: Bytes): Buffer {
  return Buffer.isBuffer(value)
    ? value
    : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
