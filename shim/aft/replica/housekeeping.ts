/** @module What a replica does from time to time: time-outs of transactions, orphaned data. */
import type { Clock, Timer } from "#kit/clock.ts";
import type { StorageEngine } from "#shim/storage/port.ts";
import type { Names } from "../protocol/names.ts";
import type { Collector } from "./collector.ts";
import type { Committer } from "./committer.ts";
import type { ReplicaIncident, ReplicaSettings } from "./options.ts";
import type { Refusal } from "./port.ts";
import { deleteOrphans } from "./recovery.ts";
import { refuse } from "./refuse.ts";
import type { OpenTransactions } from "./open-transactions.ts";
import type { Transaction } from "./transaction.ts";

/** How often open transactions are looked at for their time-out. */
const timeoutSweepUs = 250_000;

export class Housekeeping {
  readonly #settings: ReplicaSettings;
  readonly #clock: Clock;
  readonly #engine: StorageEngine;
  readonly #names: Names;
  readonly #committer: Committer;
  readonly #collector: Collector;
  /** In the order they began. */
  readonly #open: OpenTransactions;
  readonly #isCommitted: (uuid: string) => boolean;
  readonly #end: (transaction: Transaction, refusal: Refusal) => void;
  readonly #onIncident: (incident: ReplicaIncident) => void;
  #timeoutTimer: Timer | undefined;
  #orphanTimer: Timer | undefined;
  #closed = false;
  timedOutTotal = 0;

  constructor(options: {
    settings: ReplicaSettings;
    clock: Clock;
    engine: StorageEngine;
    names: Names;
    committer: Committer;
    collector: Collector;
    open: OpenTransactions;
    isCommitted: (uuid: string) => boolean;
    end: (transaction: Transaction, refusal: Refusal) => void;
    onIncident: (incident: ReplicaIncident) => void;
  }) {
    this.#settings = options.settings;
    this.#clock = options.clock;
    this.#engine = options.engine;
    this.#names = options.names;
    this.#committer = options.committer;
    this.#collector = options.collector;
    this.#open = options.open;
    this.#isCommitted = options.isCommitted;
    this.#end = options.end;
    this.#onIncident = options.onIncident;
  }

  close(): void {
    this.#closed = true;
    this.#timeoutTimer?.cancel();
    this.#orphanTimer?.cancel();
  }

  /** One timer for all, and none while nothing is open. */
  watchTimeouts(): void {
    if (this.#timeoutTimer !== undefined) return;
    this.#timeoutTimer = this.#clock.schedule(timeoutSweepUs, () => {
      this.#timeoutTimer = undefined;
      this.#abortTimedOut();
      if (this.#open.size > 0 && !this.#closed) this.watchTimeouts();
    });
  }

  #abortTimedOut(): void {
    const { transactionTimeoutMs } = this.#settings;
    const latestUs = this.#clock.monotonicUs() - transactionTimeoutMs * 1_000;
    for (const transaction of this.#open.inOrder()) {
      if (transaction.beganAtUs > latestUs) return;
      if (transaction.committing !== undefined) continue;
      this.timedOutTotal += 1;
      const message = `open for more than ${transactionTimeoutMs} ms, and aborted`;
      this.#end(transaction, refuse("transaction_timeout", message));
    }
  }

  /** Searches for data that no commit record claims, now and then again. */
  sweepOrphans(): void {
    const { orphanSweepMs, transactionTimeoutMs } = this.#settings;
    void deleteOrphans({
      engine: this.#engine,
      names: this.#names,
      committer: this.#committer,
      clock: this.#clock,
      // Twice the time-out: a transaction may begin late and commit slowly.
      beforeMs: this.#clock.nowMs() - 2 * transactionTimeoutMs,
      isKnown: (uuid) => this.#open.has(uuid) || this.#isCommitted(uuid),
      onFenced: (fence) => {
        this.#collector.retainFence(fence);
      },
    }).then(
      () => {
        this.#scheduleOrphanSweep(orphanSweepMs);
      },
      (cause: unknown) => {
        const message = "the search for orphaned data will be tried again";
        this.#onIncident({ kind: "collection_failed", message, cause });
        this.#scheduleOrphanSweep(orphanSweepMs);
      },
    );
  }

  #scheduleOrphanSweep(afterMs: number): void {
    if (this.#closed || afterMs === 0) return;
    this.#orphanTimer = this.#clock.schedule(afterMs * 1_000, () => {
      this.sweepOrphans();
    });
  }
}
