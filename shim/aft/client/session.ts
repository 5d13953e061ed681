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
import { isAnswer, toStateError } from "./connection.ts";
import type { Argument, CommandConnection, Connections } from "./port.ts";

/** How often and how long a lost commit answer is asked for. */
const askAgainAttempts = 8;
const askAgainPauseUs = 50_000;
/** Of values that leave in the command of the commit behind them. */
const maxRidingBytes = 262_144;
/** Default of `maxRidingWrites`. */
const defaultRidingWrites = 64;

interface KeptWrite {
  readonly key: string;
  readonly value: Bytes;
  readonly sequence: number;
}

export interface SessionSettings {
  /**
   * So many kept writes, and no more, leave in the command of the commit behind them; more are sent ahead of
   * it, each in its own (D102). 0: all are. Default: 64.
   */
  readonly maxRidingWrites?: number | undefined;
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
  readonly #connection: CommandConnection;
  readonly #clock: Clock;
  readonly #maxRidingWrites: number;
  readonly #requestId: string;
  #writes: number;
  #begun: boolean;
  /** BEGIN was answered: no later operation, on any connection, can come before it. */
  #beginAnswered: boolean;
  #kept: KeptWrite[] = [];
  /** Answers nobody waits for. */
  #unanswered: Promise<unknown>[] = [];
  #failure: StateError | undefined;

  constructor(
    {
      connections,
      clock,
      maxRidingWrites,
    }: SessionSettings & { connections: Connections; clock: Clock },
    state: SessionState,
  ) {
    this.#connection = connections.forSession();
    this.#clock = clock;
    this.#maxRidingWrites = maxRidingWrites ?? defaultRidingWrites;
    this.#requestId = state.requestId;
    this.transactionId = state.transactionId;
    this.#writes = state.writes;
    this.#begun = state.begun;
    this.#beginAnswered = state.begun;
  }

  get(key: string): Promise<Bytes | undefined> {
    const args: Argument[] =
      this.#writes === 0
        ? [this.transactionId, key]
        : [this.transactionId, key, "AFTER", String(this.#writes)];
    // Nothing was sent yet: begin rides on this read, in the same command. Kept writes do not (D102).
    if (!this.#begun && this.#kept.length === 0) {
      args.push("BEGIN", this.#requestId);
      this.#begun = true;
    }
    return this.#ask("aft.get", args, toValue);
  }

  getMany(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    if (keys.length === 0) return Promise.resolve([]);
    const args = [this.transactionId, String(this.#writes), ...keys];
    return this.#ask("aft.mget", args, toValues);
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
    // The commit is not even sent.
    if (this.#failure !== undefined) return refused(this.#failure);
    const args: Argument[] = [this.transactionId, "BRIEF"];
    if (this.#writes > 0) args.push("AFTER", String(this.#writes));
    if (fitsInOne(this.#kept, this.#maxRidingWrites)) {
      // Begin and the last writes ride on the commit, in the same command.
      if (!this.#begun) args.push("BEGIN", this.#requestId);
      this.#begun = true;
      if (this.#kept.length > 0) args.push("WRITES");
      for (const { key, value } of this.#kept) args.push(key, toBuffer(value));
      this.#kept = [];
    }
    try {
      const answer = await this.#ask("aft.commit", args, asItIs);
      return typeof answer === "number"
        ? committed(answer, this.transactionId)
        : toOutcome(answer, this.transactionId);
    } catch (error) {
      const failure = toStateError(error);
      // A refusal, of the commit or of what was sent ahead of it, is final. Without any answer it may
      // have happened, whatever else was lost with it.
      return isAnswer(failure.cause) ? refused(failure) : this.#askAgain(failure);
    }
  }

  async abort(): Promise<void> {
    this.#kept = [];
    if (!this.#begun) return;
    try {
      await this.#connection.send("aft.abort", [this.transactionId]);
    } catch {
      // The replica aborts by time-out what it was not told.
    }
  }

  /**
   * Sends begin and kept writes ahead of a command, in one write, and waits for its answer only.
   * One promise and two closures for each call: this is what a read costs.
   */
  #ask<T>(command: string, args: Argument[], toResult: (answer: unknown) => T): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (!this.#begun || this.#kept.length > 0) this.#sendKept();
    return this.#connection.send(command, args).then(
      (answer) => {
        // Commands of one connection are taken in order.
        this.#beginAnswered = this.#begun;
        if (this.#failure !== undefined) throw this.#failure;
        return toResult(answer);
      },
      (error: unknown) => {
        // An earlier failure explains this one: a refused write, a begin that was not accepted.
        throw this.#failure ?? toStateError(error);
      },
    );
  }

  #sendKept(): void {
    if (!this.#begun) this.#begin();
    for (const { key, value, sequence } of this.#kept) {
      const bytes = toBuffer(value);
      this.#watch(
        this.#connection.send("aft.set", [this.transactionId, key, bytes, "SEQ", String(sequence)]),
      );
    }
    this.#kept = [];
  }

  #begin(): void {
    this.#begun = true;
    this.#watch(this.#connection.send("aft.begin", [this.#requestId, "TXID", this.transactionId]));
  }

  /** Nobody waits for this answer; its failure surfaces at the next call. */
  #watch(answer: Promise<unknown>): void {
    this.#unanswered.push(
      answer.catch((error: unknown) => {
        this.#failure ??= toStateError(error);
      }),
    );
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
  connection: CommandConnection,
  transactionId: string,
): Promise<CommitOutcome> {
  return toOutcome(await connection.send("aft.status", [transactionId]), transactionId);
}

/** Much would hold up everybody behind it on the connection. */
function fitsInOne(kept: readonly KeptWrite[], most: number): boolean {
  if (kept.length > most) return false;
  let bytes = 0;
  for (const { value } of kept) bytes += value.length;
  return bytes <= maxRidingBytes;
}

function refused({ code, message }: StateError): CommitOutcome {
  return { kind: "aborted", reason: `${code}: ${message}` };
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
      const by = fields.get("transactionId") ?? transactionId;
      const outcome = committed(Number(fields.get("timestampUs") ?? 0), by);
      return by === transactionId ? outcome : { ...outcome, committedBy: by };
    }
    case "aborted":
      return { kind: "aborted", reason };
    case "open":
      return { kind: "unknown", reason: "the transaction is still open" };
    default:
      return { kind: "unknown", reason };
  }
}

/** Timestamp 0: nothing was written, so it has no place in the order. */
function committed(
  timestampUs: number,
  transactionId: string,
): Extract<CommitOutcome, { kind: "committed" }> {
  if (timestampUs === 0) return { kind: "committed" };
  // Padded, so that text order is the order of AFT's transaction ids.
  const commitOrder = `${String(timestampUs).padStart(17, "0")}-${transactionId}`;
  return { kind: "committed", commitOrder };
}

function asItIs(answer: unknown): unknown {
  return answer;
}

function toValue(answer: unknown): Bytes | undefined {
  return (answer as Buffer | null) ?? undefined;
}

function toValues(answers: unknown): (Bytes | undefined)[] {
  return (answers as (Buffer | null)[]).map(toValue);
}

function toBuffer(value: Bytes): Buffer {
  return Buffer.isBuffer(value)
    ? value
    : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
