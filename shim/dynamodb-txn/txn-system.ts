/**
 * @module DynamoDB's own transactions, as its guide recommends them: what a function reads at once is read by
 * TransactGetItems, writes are kept in the context and written by one TransactWriteItems at the end.
 *
 * Gives     all writes of a transaction at once or none, to TransactGetItems; own writes; each read as of now.
 *           A request once: the same transaction writes a record of the request and is cancelled if there is
 *           one, so attempts that follow or overlap learn who did it. The client request token cannot do that:
 *           it makes repetitions of one call one, and attempts differ in what they write.
 * Gives not reads that fit together beyond one TransactGetItems, so between functions and between single reads
 *           torn reads happen; updates under two transactions that read and write the same key are lost.
 * Order     a transaction's number is its client's clock, above the numbers of all values it replaces (a
 *           condition of each write): versions of a key are in the order of their commits.
 * Limits    `limits.ts`. A record is kept for a day where the table's time to live is the attribute `x`.
 */
import type { Bytes } from "#kit/bytes.ts";
import { type Clock, delay } from "#kit/clock.ts";
import { describeError } from "#kit/errors.ts";
import type { Prng } from "#kit/prng.ts";
import { carriedSizes, type WriteBuffer } from "#shim/state/carried.ts";
import { type KeptWritesPart, KeptWritesSession } from "#shim/state/kept-writes.ts";
import {
  type CommitOutcome,
  StateError,
  type StateContext,
  type StateCounters,
  type StateSession,
  type StateSystem,
} from "#shim/state/port.ts";
import { createAttemptId, nextOrder, orderText, tagOf } from "./attempt-id.ts";
import { checkReads, KeptSizes } from "./limits.ts";
import type { RequestRecord, TransactionTable } from "./table.ts";

export const systemName = "dynamodb-txn";

interface Ports {
  readonly table: TransactionTable;
  readonly clock: Clock;
  readonly prng: Prng;
  readonly maxContextBytes: number;
}

/** Tries of one call that meets others on its items; pauses double up to the longest, and are drawn below. */
const mostTries = 10;
const firstPauseUs = 5_000;
const longestPauseUs = 200_000;

/** Closing the system closes the table's client. */
export function createTxnSystem(ports: Ports): StateSystem {
  return new TxnSystem(ports);
}

class TxnSystem implements StateSystem {
  readonly name = systemName;
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  begin({ requestId }: { readonly requestId: string }): StateSession {
    const transactionId = createAttemptId(requestId, this.#ports);
    return this.resume({ system: systemName, requestId, transactionId, carried: {} });
  }

  resume(context: StateContext): StateSession {
    const { maxContextBytes } = this.#ports;
    const part = new TxnPart(this.#ports, context);
    return new KeptWritesSession({ ...context, maxContextBytes }, part);
  }

  /** Without a record a transaction that is under way may still commit. */
  async outcomeOf({ transactionId }: StateContext): Promise<CommitOutcome> {
    try {
      const record = await this.#ports.table.recordOf(tagOf(transactionId));
      if (record !== undefined) return toOutcome(record, transactionId);
      return { kind: "unknown", reason: "nothing of the request is committed so far" };
    } catch (error) {
      return { kind: "unknown", reason: describeError(error) };
    }
  }

  counters(): StateCounters {
    return this.#ports.table.counters();
  }

  close(): Promise<void> {
    this.#ports.table.close();
    return Promise.resolve();
  }
}

class TxnPart implements KeptWritesPart {
  readonly #ports: Ports;
  readonly #transactionId: string;
  readonly #sizes = new KeptSizes();

  constructor(ports: Ports, { transactionId, carried }: StateContext) {
    this.#ports = ports;
    this.#transactionId = transactionId;
    for (const [key, bytes] of carriedSizes(carried)) this.#sizes.add(key, bytes);
  }

  checkValue(key: string, value: Bytes): void {
    this.#sizes.add(key, value.length);
  }

  async fetch(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    const { table } = this.#ports;
    const [only] = keys;
    if (only !== undefined && keys.length === 1) return [await table.get(only)];
    checkReads(keys);
    for (let tries = 1; tries <= mostTries; tries += 1) {
      const values = await table.getTogether(keys);
      if (values !== "busy") return values;
      await this.#pause(tries);
    }
    throw new StateError({
      code: "conflict",
      disposition: "retry",
      message: `others were writing what was to be read, ${mostTries} times`,
    });
  }

  carried(): Readonly<Record<string, never>> {
    return {};
  }

  async commit(writes: WriteBuffer): Promise<CommitOutcome> {
    if (writes.size === 0) return { kind: "committed" };
    const { table, clock } = this.#ports;
    const transactionId = this.#transactionId;
    const entries = [...writes.entries()];
    const tag = tagOf(transactionId);
    let after = 0n;
    for (let tries = 1; tries <= mostTries; tries += 1) {
      const order = nextOrder(this.#ports, after);
      const nowMs = clock.nowMs();
      const written = await table.write({ entries, tag, transactionId, order, nowMs });
      switch (written.kind) {
        case "written":
          return { kind: "committed", commitOrder: orderText(order) };
        case "done":
          return toOutcome(written.record, transactionId);
        case "overtaken":
          after = written.by;
          break;
        case "busy":
          await this.#pause(tries);
          break;
        case "refused":
          return { kind: "aborted", reason: written.reason };
        case "unknown":
          return { kind: "unknown", reason: written.reason };
      }
    }
    // By its code, so that reasons of retries add up.
    return { kind: "aborted", reason: "conflict" };
  }

  #pause(tries: number): Promise<void> {
    const { clock, prng } = this.#ports;
    const longestUs = Math.min(firstPauseUs * 2 ** (tries - 1), longestPauseUs);
    return delay(clock, Math.ceil(longestUs * prng.next()));
  }
}

function toOutcome(
  { transactionId: by, order }: RequestRecord,
  transactionId: string,
): CommitOutcome {
  const commitOrder = orderText(order);
  if (by === transactionId) return { kind: "committed", commitOrder };
  return { kind: "committed", commitOrder, committedBy: by };
}
