/**
 * @module One function of a request as a DBOS workflow of one transaction; which it is stands in the workflow's id,
 * so attempts of a request meet there.
 *
 * A workflow that has ended with an error stays so. A function that was given up, or had to give in to another
 * transaction, leaves such a workflow, and the next attempt takes the next number (`<request>/<function>/<number>`);
 * all pass them in the same order, so one of them is done. One that has not ended is waited for, and then taken over.
 */
import type { Bytes } from "#kit/bytes.ts";
import { type Clock, type Timer } from "#kit/clock.ts";
import type { Isolation } from "#shim/postgres/levels.ts";
import { toStateError } from "#shim/postgres/errors.ts";
import type { Transaction } from "#shim/postgres/transaction.ts";
import { StateError } from "#shim/state/port.ts";
import {
  type FunctionResult,
  outcomeUnknown,
  type RememberedFunction,
} from "#shim/state/remembered.ts";
import type { Runtime } from "./runtime.ts";
import { GivenUpError, Turn } from "./turn.ts";

export interface FunctionPorts {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly isolation: Isolation;
  /** Somebody who has not ended by then is taken for dead. */
  readonly takeOverMs: number;
  /** Longest wait for anything else. */
  readonly timeoutMs: number;
}

/** Ends of one function without a result, in all attempts of its request. */
const mostFailures = 100;

export class DbosFunction implements RememberedFunction {
  readonly #ports: FunctionPorts;
  readonly #name: string;
  #tail: Promise<unknown> = Promise.resolve();
  #turn: { readonly id: string; readonly turn: Turn; readonly result: Promise<string> } | undefined;
  #transaction: Transaction | undefined;
  #isClosed: () => boolean;

  /** `name`: the request and the number of the function. */
  constructor(ports: FunctionPorts & { readonly isClosed: () => boolean }, name: string) {
    this.#ports = ports;
    this.#name = name;
    this.#isClosed = ports.isClosed;
  }

  async begin(): Promise<FunctionResult | undefined> {
    if (this.#isClosed()) throw closedError();
    for (let number = 0; number < mostFailures; number += 1) {
      const entered = await this.#enter(`${this.#name}/${number}`).catch((error: unknown) => {
        throw toStateError(error);
      });
      if (entered !== "failed") return entered;
    }
    const message = `${mostFailures} attempts of ${this.#name} have ended without a result`;
    throw new StateError({ code: "too_many_attempts", disposition: "abort", message });
  }

  read(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    return this.#inTurn((transaction) => transaction.read(keys));
  }

  async look(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    try {
      const transaction = await this.#ports.runtime.database.begin(this.#ports.isolation);
      const values = await transaction.read(keys);
      await transaction.commit();
      return values;
    } catch (error) {
      throw toStateError(error);
    }
  }

  write(entries: readonly (readonly [key: string, value: Bytes])[]): Promise<void> {
    return this.#inTurn((transaction) => transaction.write(entries));
  }

  async finish(result: FunctionResult): Promise<FunctionResult> {
    const mine = this.#turn;
    if (mine === undefined) throw new RangeError("a function that has not begun cannot end");
    await this.#tail;
    this.#turn = undefined;
    const { id, turn } = mine;
    turn.end.resolve(JSON.stringify(result));
    try {
      return parseResult(await this.#within(mine.result, unknownError));
    } catch (error) {
      throw toStateError(error);
    } finally {
      this.#ports.runtime.forget(id, turn);
    }
  }

  async giveUp(): Promise<void> {
    const mine = this.#turn;
    this.#turn = undefined;
    if (mine === undefined) return;
    await this.#tail;
    mine.turn.end.reject(new GivenUpError("given up by the function"));
    const ended = mine.result.then(
      () => undefined,
      () => undefined,
    );
    await this.#within(ended, unknownError).catch(() => undefined);
    this.#ports.runtime.forget(mine.id, mine.turn);
  }

  /** Begins the workflow, or says what became of it. */
  async #enter(id: string): Promise<FunctionResult | undefined | "failed"> {
    const { runtime, takeOverMs, isolation } = this.#ports;
    const turn = new Turn(isolation);
    try {
      const handle = await this.#within(runtime.start(id, turn), unavailableError);
      if (handle !== undefined) return await this.#await({ id, turn, result: handle.getResult() });
      const found = await this.#within(runtime.look(id, takeOverMs), unavailableError);
      if (found.kind === "done") return parseResult(found.text);
      if (found.kind === "failed") return "failed";
      await this.#within(runtime.takeOver(id, turn), unavailableError);
      return await this.#await({ id, turn, result: this.#resultOf(id) });
    } catch (error) {
      // Should it begin later all the same, it ends at once.
      turn.end.reject(new GivenUpError("not waited for any longer"));
      runtime.forget(id, turn);
      throw error;
    }
  }

  /** Until the transaction is ours, or somebody has a result. */
  async #await(mine: {
    readonly id: string;
    readonly turn: Turn;
    readonly result: Promise<string>;
  }): Promise<FunctionResult | undefined> {
    const { turn, result } = mine;
    result.catch(() => {});
    const begun = turn.begun.promise.then((transaction) => ({ transaction }));
    const first = await this.#within(Promise.race([begun, result]), busyError);
    if (typeof first === "string") {
      this.#ports.runtime.forget(mine.id, turn);
      return parseResult(first);
    }
    this.#transaction = first.transaction;
    this.#turn = mine;
    return undefined;
  }

  /** Of a workflow that was taken over: nobody hands its result out. */
  async #resultOf(id: string): Promise<string> {
    const { runtime, timeoutMs } = this.#ports;
    const found = await runtime.look(id, 3 * timeoutMs);
    if (found.kind === "done") return found.text;
    throw found.kind === "failed" ? new GivenUpError(`${id} has failed`) : busyError();
  }

  /** Calls may overlap, statements of a transaction do not. */
  #inTurn<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const result = this.#tail.then(async () => {
      const transaction = this.#transaction;
      if (transaction === undefined) throw new RangeError("the function has not begun");
      try {
        return await work(transaction);
      } catch (error) {
        throw toStateError(error);
      }
    });
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** DBOS goes on trying for ever when its database is away; functions do not wait for that. */
  async #within<T>(work: Promise<T>, late: () => StateError): Promise<T> {
    const { clock, timeoutMs } = this.#ports;
    let timer: Timer | undefined;
    const limit = new Promise<never>((_resolve, reject) => {
      timer = clock.schedule(timeoutMs * 1_000, () => {
        reject(late());
      });
    });
    try {
      return await Promise.race([work, limit]);
    } finally {
      timer?.cancel();
    }
  }
}

/** Written by `finish`. */
export function parseResult(text: string): FunctionResult {
  return JSON.parse(text) as FunctionResult;
}

function closedError(): StateError {
  const message = "dbos: the system is closed";
  return new StateError({ code: "storage_closed", disposition: "abort", message });
}

function busyError(): StateError {
  const message = "dbos: another attempt is at this function, and does not end";
  return new StateError({ code: "already_in_progress", disposition: "retry", message });
}

function unavailableError(): StateError {
  const message = "dbos: no answer";
  return new StateError({ code: "storage_unavailable", disposition: "retry", message });
}

function unknownError(): StateError {
  const message = "dbos: nobody has said whether the function is done";
  return new StateError({ code: outcomeUnknown, disposition: "retry", message });
}
