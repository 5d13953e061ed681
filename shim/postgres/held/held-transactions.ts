/**
 * @module Transactions that are open while their request goes from function to function: each a connection, held
 * under the transaction's name.
 *
 * One that nobody goes on with is rolled back after a while, and what is asked of it then is refused: it must
 * not be begun again half-way.
 */
import type { Clock, Timer } from "#kit/clock.ts";
import { orderText, tagOf } from "#shim/state/ids.ts";
import { type CommitOutcome, StateError } from "#shim/state/port.ts";
import type { Database } from "../database.ts";
import { refused, toStateError } from "../errors.ts";
import type { Transaction } from "../transaction.ts";
import type { HeldAnswer, HeldRequest, HeldStep } from "./messages.ts";

interface Held {
  /** Steps of one transaction do not overlap. */
  tail: Promise<unknown>;
  transaction: Transaction | undefined;
  idle: Timer | undefined;
}

export class HeldTransactions {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #held = new Map<string, Held>();

  constructor(options: {
    readonly database: Database;
    readonly clock: Clock;
    /** Without a step for so long, a transaction is rolled back. */
    readonly idleMs: number;
  }) {
    this.#database = options.database;
    this.#clock = options.clock;
    this.#idleMs = options.idleMs;
  }

  /** Never rejects. */
  async answer(request: HeldRequest): Promise<HeldAnswer> {
    try {
      return await this.#answer(request);
    } catch (error) {
      const { code, disposition, message } = toStateError(error);
      return { error: { code, disposition, message } };
    }
  }

  #answer({ transactionId, begun, step }: HeldRequest): Promise<HeldAnswer> {
    const known = this.#held.get(transactionId);
    if (known === undefined && (begun || step.kind === "outcome" || step.kind === "abort"))
      return this.#withoutTransaction(transactionId, step);
    const held = known ?? { tail: Promise.resolve(), transaction: undefined, idle: undefined };
    this.#held.set(transactionId, held);
    held.idle?.cancel();
    const result = held.tail.then(() => this.#perform(transactionId, held, step));
    held.tail = result
      .catch(() => undefined)
      .then(() => {
        this.#watch(transactionId, held);
      });
    return result;
  }

  /** It has ended, one way or the other. */
  async #withoutTransaction(transactionId: string, step: HeldStep): Promise<HeldAnswer> {
    if (step.kind === "abort")
      return { outcome: { kind: "aborted", reason: "given up by the function" } };
    if (step.kind === "commit" || step.kind === "outcome") {
      const outcome = await this.#database.outcomeOf(transactionId);
      if (outcome.kind === "committed" || step.kind === "outcome") return { outcome };
      return { outcome: { kind: "aborted", reason: gone().message } };
    }
    return this.#again(transactionId, step);
  }

  /** The last function of a request that has committed is run again: it has no effect, and learns so at its end. */
  async #again(
    transactionId: string,
    step: Extract<HeldStep, { kind: "read" | "write" }>,
  ): Promise<HeldAnswer> {
    const outcome = await this.#database.outcomeOf(transactionId);
    if (outcome.kind !== "committed" || outcome.committedBy !== undefined) throw gone();
    if (step.kind === "write") return { values: [] };
    const reader = await this.#database.begin("READ COMMITTED");
    try {
      const values = await reader.read(step.keys);
      await reader.commit();
      return { values: values.map(toText) };
    } catch (error) {
      await reader.rollback();
      throw error;
    }
  }

  async #perform(transactionId: string, held: Held, step: HeldStep): Promise<HeldAnswer> {
    // An earlier step has ended it.
    if (this.#held.get(transactionId) !== held)
      return this.#withoutTransaction(transactionId, step);
    try {
      switch (step.kind) {
        case "read":
          return { values: (await (await this.#open(held)).read(step.keys)).map(toText) };
        case "write":
          await (await this.#open(held)).write(step.entries.map(toEntry));
          return { values: [] };
        case "commit":
          return { outcome: await this.#commit(transactionId, held, step.hasWritten) };
        case "abort":
          await this.#end(transactionId, held);
          return { outcome: { kind: "aborted", reason: "given up by the function" } };
        case "outcome":
          return { outcome: { kind: "unknown", reason: "the transaction is still open" } };
      }
    } catch (error) {
      await this.#end(transactionId, held);
      throw error;
    }
  }

  async #commit(transactionId: string, held: Held, hasWritten: boolean): Promise<CommitOutcome> {
    const transaction = await this.#open(held);
    try {
      if (!hasWritten) {
        await transaction.commit();
        return { kind: "committed" };
      }
      const position = await transaction.commitAs(tagOf(transactionId), transactionId);
      return { kind: "committed", commitOrder: orderText(Number(position)) };
    } catch (error) {
      await transaction.rollback();
      const failure = toStateError(error);
      if (!hasWritten) return refused(failure);
      return await this.#database.afterFailedCommit(transactionId, failure, transaction.backend);
    } finally {
      this.#held.delete(transactionId);
    }
  }

  async #open(held: Held): Promise<Transaction> {
    held.transaction ??= await this.#database.begin("SERIALIZABLE");
    return held.transaction;
  }

  async #end(transactionId: string, held: Held): Promise<void> {
    this.#held.delete(transactionId);
    await held.transaction?.rollback();
  }

  #watch(transactionId: string, held: Held): void {
    if (this.#held.get(transactionId) !== held) return;
    held.idle?.cancel();
    held.idle = this.#clock.schedule(this.#idleMs * 1_000, () => {
      void this.#end(transactionId, held);
    });
  }
}

function gone(): StateError {
  return new StateError({
    code: "transaction_timeout",
    disposition: "retry",
    message: "the transaction is not open any more",
  });
}

function toText(value: Uint8Array | undefined): string | null {
  if (value === undefined) return null;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
}

function toEntry([key, value]: readonly [string, string]): [string, Buffer] {
  return [key, Buffer.from(value, "base64")];
}
