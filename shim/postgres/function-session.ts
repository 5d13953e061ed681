/**
 * @module One function's part of a request, as a transaction of its own.
 *
 * Visible to others when the function ends. So a request of several functions is torn between them, and what
 * an earlier function wrote stays when a later one fails, and is written again by the next attempt. The last
 * function's transaction also marks the request as done: an attempt that comes later, because an answer was
 * lost, finds the mark, leaves nothing of its last function, and is told who committed.
 *
 * A conflict (40001, 40P01) of the first statement is the session's own matter: it is sent again. Otherwise
 * something was answered that is no longer true, and the request has to be tried again.
 */
import { type Clock, delay } from "#kit/clock.ts";
import type { Bytes } from "#kit/bytes.ts";
import type { Prng } from "#kit/prng.ts";
import { tagOf } from "#shim/state/ids.ts";
import type { CommitOutcome, StateContext, StateError, StateSession } from "#shim/state/port.ts";
import type { Database } from "./database.ts";
import { isConflict, refused, toStateError } from "./errors.ts";
import type { Isolation } from "./levels.ts";
import type { Entry, Transaction } from "./transaction.ts";

/** How often a first statement is sent, before the conflict is the caller's. */
const maxAttempts = 5;
const longestPauseUs = 4_000;

export interface FunctionPorts {
  readonly database: Database;
  readonly system: string;
  readonly isolation: Isolation;
  readonly clock: Clock;
  readonly prng: Prng;
}

export class FunctionSession implements StateSession {
  readonly transactionId: string;
  readonly #ports: FunctionPorts;
  readonly #requestId: string;
  /** Calls may overlap, statements of a transaction do not. */
  #tail: Promise<unknown> = Promise.resolve();
  #transaction: Transaction | undefined;
  /** A statement was answered: what it said, or the lock it took, is known outside. */
  #isAnswered = false;
  /** This function or an earlier one. */
  #hasWritten: boolean;
  #failure: StateError | undefined;
  #ending: Promise<CommitOutcome> | undefined;

  constructor(
    ports: FunctionPorts,
    of: Pick<StateContext, "requestId" | "transactionId"> & { readonly hasWritten: boolean },
  ) {
    this.#ports = ports;
    this.#requestId = of.requestId;
    this.transactionId = of.transactionId;
    this.#hasWritten = of.hasWritten;
  }

  async get(key: string): Promise<Bytes | undefined> {
    const [value] = await this.getMany([key]);
    return value;
  }

  getMany(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    return this.#inTurn(async () => {
      if (keys.length === 0) return [];
      return this.#perform((transaction) => transaction.read(keys));
    });
  }

  put(key: string, value: Bytes): Promise<void> {
    return this.putMany([[key, value]]);
  }

  putMany(entries: readonly Entry[]): Promise<void> {
    return this.#inTurn(async () => {
      if (entries.length === 0) return;
      await this.#perform((transaction) => transaction.write(entries));
      this.#hasWritten = true;
    });
  }

  suspend(): Promise<StateContext> {
    return this.#inTurn(async () => {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#transaction !== undefined)
        await this.#perform((transaction) => transaction.commit());
      this.#transaction = undefined;
      return {
        system: this.#ports.system,
        requestId: this.#requestId,
        transactionId: this.transactionId,
        carried: { wrote: this.#hasWritten ? 1 : 0 },
      };
    });
  }

  commit(): Promise<CommitOutcome> {
    this.#ending ??= this.#inTurn(() => this.#commit());
    return this.#ending;
  }

  abort(): Promise<void> {
    this.#ending ??= this.#inTurn(async () => {
      await this.#giveUp();
      return { kind: "aborted", reason: "given up by the function" };
    });
    return this.#ending.then(() => undefined);
  }

  async #commit(): Promise<CommitOutcome> {
    if (this.#failure !== undefined) return refused(this.#failure);
    let marked: Transaction | undefined;
    try {
      if (this.#hasWritten)
        await this.#perform((transaction) => {
          marked = transaction;
          return transaction.commitAs(tagOf(this.transactionId), this.transactionId);
        });
      else if (this.#transaction !== undefined)
        await this.#perform((transaction) => transaction.commit());
      this.#transaction = undefined;
      return { kind: "committed" };
    } catch (error) {
      const failure = toStateError(error);
      return marked === undefined ? refused(failure) : this.#afterFailure(failure, marked);
    }
  }

  /** The mark may be there: another attempt's, or our own and the answer was lost. */
  async #afterFailure(failure: StateError, { backend }: Transaction): Promise<CommitOutcome> {
    const { database } = this.#ports;
    return withoutOrder(await database.afterFailedCommit(this.transactionId, failure, backend));
  }

  /** One step of the transaction, begun if it has to be, and begun again if nobody can tell. */
  async #perform<T>(step: (transaction: Transaction) => Promise<T>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { database, isolation } = this.#ports;
        this.#transaction ??= await database.begin(isolation);
        const result = await step(this.#transaction);
        this.#isAnswered = true;
        return result;
      } catch (error) {
        await this.#giveUp();
        const failure = toStateError(error);
        if (attempt < maxAttempts && !this.#isAnswered && isConflict(failure)) {
          await this.#pause(attempt);
          continue;
        }
        this.#failure = failure;
        throw failure;
      }
    }
  }

  async #giveUp(): Promise<void> {
    const transaction = this.#transaction;
    this.#transaction = undefined;
    await transaction?.rollback();
  }

  #pause(attempt: number): Promise<void> {
    const { clock, prng } = this.#ports;
    return delay(clock, prng.next() * longestPauseUs * attempt);
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

/** The position is that of the last function; what earlier ones wrote has none. */
export function withoutOrder(outcome: CommitOutcome): CommitOutcome {
  if (outcome.kind !== "committed") return outcome;
  const { committedBy } = outcome;
  return { kind: "committed", ...(committedBy !== undefined && { committedBy }) };
}
