/**
 * @module The session of systems that remember what a function returned, and return it again instead of running
 * the function once more: an attempt of a request passes over the functions that an earlier one has done.
 *
 * Such products remember a function's result and nothing of what happened inside it. The functions here return
 * what they read and how they ended, so that is what is remembered: a function that is done is gone through again
 * with its reads answered from the result and its writes left out ("replayed").
 *
 * Functions are told apart by the request and their number in its chain. They have to be deterministic: reads of
 * other keys, or another end, than those remembered are errors. What a product does besides is its `RememberedFunction`.
 */
import { hash } from "node:crypto";
import type { Bytes } from "#kit/bytes.ts";
import { describeError } from "#kit/errors.ts";
import { type CommitOutcome, type StateContext, StateError, type StateSession } from "./port.ts";

/** What a function returned, as far as an attempt after it needs it; survives JSON. */
export interface FunctionResult {
  /** The attempt that has done it. */
  readonly by: string;
  readonly end: "suspended" | "committed";
  /** Call by call; absent where it was too much to remember: then values are read as they are by now. */
  readonly reads?: readonly RememberedRead[];
}

interface RememberedRead {
  /** Which keys were read. */
  readonly of: string;
  /** In base64, in the order of the keys; `null`: there was none. */
  readonly values: readonly (string | null)[];
}

/** One function of a request, as the product runs it. Rejects with `StateError`. */
export interface RememberedFunction {
  /** Called once, and first of all: what it returned if it has been done, otherwise its turn has begun. */
  begin(): Promise<FunctionResult | undefined>;
  /** Values as they are, in the function's turn. */
  read(keys: readonly string[]): Promise<(Bytes | undefined)[]>;
  /** Values as they are, of a function that has been done. */
  look(keys: readonly string[]): Promise<(Bytes | undefined)[]>;
  write(entries: readonly (readonly [key: string, value: Bytes])[]): Promise<void>;
  /**
   * Ends the function's turn and has its result remembered; another attempt's, where that was faster. Rejects
   * with the code `outcome_unknown` where nobody knows whether it is remembered.
   */
  finish(result: FunctionResult): Promise<FunctionResult>;
  /** Ends the function's turn without a result, if it has begun and has not ended. Never rejects. */
  giveUp(): Promise<void>;
}

export const outcomeUnknown = "outcome_unknown";

const [functionField, doneField] = ["function", "doneBy"];

/** A function's number in its chain, from 1. */
export function numberOf({ carried }: Pick<StateContext, "carried">): number {
  return Number(carried[functionField] ?? 1);
}

/** What a function's result says to an attempt of its request; `undefined`: the request went on after it. */
export function outcomeOfResult(
  { by, end }: FunctionResult,
  transactionId: string,
): CommitOutcome | undefined {
  if (end === "suspended") return undefined;
  return { kind: "committed", ...(by !== transactionId && { committedBy: by }) };
}

/** What became of the attempt with this context; `find` looks for the result of its function. Never rejects. */
export async function rememberedOutcome(
  context: StateContext,
  find: () => Promise<FunctionResult | undefined>,
): Promise<CommitOutcome> {
  const doneBy = context.carried[doneField];
  if (doneBy !== undefined) return { kind: "committed", committedBy: String(doneBy) };
  const reason = "its last function is not known to be done; it may be under way";
  try {
    const result = await find();
    const outcome = result && outcomeOfResult(result, context.transactionId);
    return outcome ?? { kind: "unknown", reason };
  } catch (error) {
    return { kind: "unknown", reason: describeError(error) };
  }
}

export class RememberingSession implements StateSession {
  readonly transactionId: string;
  readonly #context: StateContext;
  readonly #function: RememberedFunction;
  readonly #maxRememberedBytes: number;
  #begun: Promise<FunctionResult | undefined> | undefined;
  /** Calls of this function that read, so far. */
  #readCalls = 0;
  readonly #reads: RememberedRead[] = [];
  #readBytes = 0;
  #ending: Promise<CommitOutcome> | undefined;

  /** `maxRememberedBytes`: of values read by one function. */
  constructor(
    context: StateContext,
    options: {
      readonly function: RememberedFunction;
      readonly maxRememberedBytes: number;
    },
  ) {
    this.transactionId = context.transactionId;
    this.#context = context;
    this.#function = options.function;
    this.#maxRememberedBytes = options.maxRememberedBytes;
  }

  async get(key: string): Promise<Bytes | undefined> {
    const [value] = await this.getMany([key]);
    return value;
  }

  async getMany(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    if (keys.length === 0) return [];
    // Numbered at the call, so that calls which overlap have the same numbers in every attempt.
    const call = this.#readCalls;
    this.#readCalls += 1;
    const done = await this.#begin();
    if (done !== undefined) return this.#again(done, call, keys);
    const values = await this.#function.read(keys);
    this.#remember(call, keys, values);
    return values;
  }

  put(key: string, value: Bytes): Promise<void | "replayed"> {
    return this.putMany([[key, value]]);
  }

  async putMany(
    entries: readonly (readonly [key: string, value: Bytes])[],
  ): Promise<void | "replayed"> {
    if (entries.length === 0) return undefined;
    if ((await this.#begin()) !== undefined) return "replayed";
    return this.#function.write(entries);
  }

  async suspend(): Promise<StateContext> {
    const { by, end } = await this.#finish("suspended");
    const next = { [functionField]: numberOf(this.#context) + 1 };
    const carried = end === "committed" ? { ...next, [doneField]: by } : next;
    return { ...this.#context, carried };
  }

  commit(): Promise<CommitOutcome> {
    this.#ending ??= this.#commit();
    return this.#ending;
  }

  abort(): Promise<void> {
    this.#ending ??= this.#function
      .giveUp()
      .then(() => ({ kind: "aborted", reason: "given up by the function" }));
    return this.#ending.then(() => undefined);
  }

  async #commit(): Promise<CommitOutcome> {
    try {
      const result = await this.#finish("committed");
      const outcome = outcomeOfResult(result, this.transactionId);
      return outcome ?? { kind: "aborted", reason: this.#otherThanBefore().message };
    } catch (error) {
      const isUnknown = error instanceof StateError && error.code === outcomeUnknown;
      return { kind: isUnknown ? "unknown" : "aborted", reason: describeError(error) };
    }
  }

  #begin(): Promise<FunctionResult | undefined> {
    const doneBy = this.#context.carried[doneField];
    this.#begun ??=
      doneBy === undefined
        ? this.#function.begin()
        : Promise.resolve({ by: String(doneBy), end: "committed" });
    return this.#begun;
  }

  async #finish(end: FunctionResult["end"]): Promise<FunctionResult> {
    const done = await this.#begin();
    if (done !== undefined) return done;
    const isTooMuch = this.#readBytes > this.#maxRememberedBytes;
    const result = { by: this.transactionId, end, ...(!isTooMuch && { reads: this.#reads }) };
    const kept = await this.#function.finish(result);
    // This attempt has read and written what does not count; the next one goes through what does.
    if (kept.by !== this.transactionId && kept.end === "suspended") throw doneByAnother();
    return kept;
  }

  /** What the call answered when the function was done. */
  async #again(
    { reads }: FunctionResult,
    call: number,
    keys: readonly string[],
  ): Promise<(Bytes | undefined)[]> {
    if (reads === undefined) return this.#function.look(keys);
    const read = reads[call];
    if (read?.of !== digestOf(keys)) throw this.#otherThanBefore();
    return read.values.map((text) => (text === null ? undefined : Buffer.from(text, "base64")));
  }

  #remember(call: number, keys: readonly string[], values: readonly (Bytes | undefined)[]): void {
    for (const value of values) this.#readBytes += value?.length ?? 0;
    if (this.#readBytes > this.#maxRememberedBytes) return;
    const texts = values.map((value) => (value === undefined ? null : toBase64(value)));
    this.#reads[call] = { of: digestOf(keys), values: texts };
  }

  #otherThanBefore(): StateError {
    return new StateError({
      code: "not_deterministic",
      disposition: "bug",
      message:
        `function ${numberOf(this.#context)} of request ${JSON.stringify(this.#context.requestId)} is not what it ` +
        "was in an earlier attempt: functions must read the same keys in the same order and end the same way",
    });
  }
}

function doneByAnother(): StateError {
  return new StateError({
    code: "done_by_another",
    disposition: "retry",
    message: "another attempt of the request has done this function in the meantime",
  });
}

function digestOf(keys: readonly string[]): string {
  return hash("sha256", JSON.stringify(keys), { outputEncoding: "base64url" }).slice(0, 22);
}

function toBase64(value: Bytes): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
}
