/**
 * @module Garbage collection on one replica (AFT §5): metadata, then data, never under a reader.
 *
 * A superseded transaction may go once every open transaction began after it was superseded. That
 * is enough, without pins: at the instant a reader begins, the newest versions of all keys form an
 * atomic read set, and Algorithm 1 never has to choose anything older than those. (The paper pins
 * what was read and lets long readers starve, §5.2.1; see ARCHITECTURE, Deviation 4.)
 *
 * In storage, for a sole replica: the data goes, and the record itself once nobody can still be
 * asking for the outcome. A crash between any two steps leaves nothing that could be read wrongly:
 * whatever is superseded has a newer version of each of its keys, of which the newest is never
 * removed, so after a restart the record is superseded again before anybody can begin.
 */
import type { Clock, Timer } from "#kit/clock.ts";
import type { StorageEngine, StorageKey } from "#shim/storage/port.ts";
import { isRequestPlace, type Names } from "../protocol/names.ts";
import { compareTransactionIds, type CommitRecord } from "../protocol/types.ts";
import type { VersionIndex } from "../protocol/version-index.ts";
import { fenceRetentions } from "./committer.ts";
import type { DataCache } from "./data-cache.ts";
import type { ReplicaIncident, ReplicaSettings } from "./options.ts";
import { RetainedNames } from "./retained-names.ts";

/** Transactions collected in one round only because they are many. */
const soonAtMost = 512;

interface Superseded {
  readonly record: CommitRecord;
  /** Begins up to this one may still need it. */
  readonly beforeBegin: number;
}

export class Collector {
  readonly #index: VersionIndex;
  readonly #cache: DataCache;
  readonly #engine: StorageEngine;
  readonly #names: Names;
  readonly #clock: Clock;
  readonly #settings: ReplicaSettings;
  readonly #oldestOpenBegin: () => number;
  readonly #onIncident: (incident: ReplicaIncident) => void;
  #superseded: Superseded[] = [];
  #toDelete: CommitRecord[] = [];
  /** In the order in which they are due: collected records, and markers that stay longer. */
  readonly #retained = new RetainedNames();
  readonly #fences = new RetainedNames();
  #timer: Timer | undefined;
  #timerDueMs = Infinity;
  #running = false;
  #closed = false;
  collectedTotal = 0;

  constructor(options: {
    index: VersionIndex;
    cache: DataCache;
    engine: StorageEngine;
    names: Names;
    clock: Clock;
    settings: ReplicaSettings;
    /** Begin sequence of the oldest open transaction; infinite when none is open. */
    oldestOpenBegin: () => number;
    onIncident: (incident: ReplicaIncident) => void;
  }) {
    this.#index = options.index;
    this.#cache = options.cache;
    this.#engine = options.engine;
    this.#names = options.names;
    this.#clock = options.clock;
    this.#settings = options.settings;
    this.#oldestOpenBegin = options.oldestOpenBegin;
    this.#onIncident = options.onIncident;
  }

  /** Takes over transactions superseded just now; `lastBegin` is the newest begin so far. */
  supersede(records: readonly CommitRecord[], lastBegin: number): void {
    for (const record of records) this.#superseded.push({ record, beforeBegin: lastBegin });
    if (records.length > 0) this.#schedule(this.#settings.gcIntervalMs);
  }

  /** Takes over a record that needs no more than to disappear once nobody can be asking. */
  retain(name: StorageKey, untilMs: number): void {
    if (this.#settings.storageGc === "off") return;
    this.#retained.push(name, untilMs);
    this.#schedule(Math.max(this.#settings.gcIntervalMs, untilMs - this.#clock.nowMs()));
  }

  /** Takes over a marker that was put against a transaction (`committer.ts`, C4). */
  retainFence(name: StorageKey): void {
    if (this.#settings.storageGc === "off") return;
    const { outcomeRetentionMs, transactionTimeoutMs } = this.#settings;
    const ofRequest = isRequestPlace(this.#names.parseCommit(name) ?? "");
    const keepMs = ofRequest
      ? fenceRetentions * outcomeRetentionMs
      : outcomeRetentionMs + transactionTimeoutMs;
    this.#fences.push(name, this.#clock.nowMs() + keepMs);
    this.#schedule(Math.max(this.#settings.gcIntervalMs, keepMs));
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** One round: bounded work, then a pause. Exposed so that tests need not wait for it. */
  async collectOnce(): Promise<void> {
    if (this.#running || this.#closed) return;
    this.#running = true;
    try {
      this.#dropMetadata();
      if (this.#settings.storageGc === "sole-replica") {
        await this.#deleteData();
        await this.#deleteRetained();
      }
    } catch (error) {
      this.#onIncident({
        kind: "collection_failed",
        message: "garbage collection will be tried again",
        cause: error,
      });
    } finally {
      this.#running = false;
    }
  }

  #schedule(afterMs: number): void {
    if (this.#closed) return;
    const dueMs = this.#clock.nowMs() + afterMs;
    // A timer for what is retained for minutes must not keep what is superseded now waiting.
    if (this.#timer !== undefined && this.#timerDueMs <= dueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = this.#clock.schedule(afterMs * 1_000, () => {
      this.#timer = undefined;
      void this.collectOnce().then(() => {
        this.#scheduleNext();
      });
    });
  }

  #scheduleNext(): void {
    if (this.#superseded.length > 0 || this.#toDelete.length > 0) {
      this.#schedule(this.#settings.gcIntervalMs);
      return;
    }
    const nextMs = Math.min(this.#retained.nextDueMs, this.#fences.nextDueMs);
    if (nextMs === Infinity) return;
    this.#schedule(Math.max(this.#settings.gcIntervalMs, nextMs - this.#clock.nowMs()));
  }

  #dropMetadata(): void {
    const oldestOpen = this.#oldestOpenBegin();
    const { storageGc } = this.#settings;
    const atMost = this.#batchFor(this.#superseded.length);
    let count = 0;
    while (count < atMost && count < this.#superseded.length) {
      const candidate = this.#superseded[count];
      if (candidate === undefined || candidate.beforeBegin >= oldestOpen) break;
      count += 1;
    }
    if (count === 0) return;
    const batch = this.#superseded.slice(0, count).map(({ record }) => record);
    this.#superseded = this.#superseded.slice(count);
    // Oldest first, the order in which readers miss versions least (AFT §5.2.1).
    batch.sort((a, b) => compareTransactionIds(a.id, b.id));
    for (const record of batch) {
      this.#index.remove(record);
      for (const key of record.writeSet) this.#cache.delete(key, record.id.uuid);
    }
    this.collectedTotal += batch.length;
    if (storageGc === "sole-replica") this.#toDelete.push(...batch);
  }

  async #deleteData(): Promise<void> {
    if (this.#toDelete.length > 0) {
      const batch = this.#toDelete.slice(0, this.#batchFor(this.#toDelete.length));
      await this.#engine.multiDelete(
        batch.flatMap(({ id, writeSet }) =>
          [...writeSet].map((key) => this.#names.version(key, id.uuid)),
        ),
      );
      this.#toDelete = this.#toDelete.slice(batch.length);
      const untilMs = this.#clock.nowMs() + this.#settings.outcomeRetentionMs;
      for (const { id, slot } of batch)
        this.#retained.push(this.#names.commit(id.uuid, slot), untilMs);
    }
  }

  /**
   * Small as long as it keeps up; half of a backlog when it does not, while that takes milliseconds,
   * else a sixteenth. What waits here holds its values.
   */
  #batchFor(backlog: number): number {
    const soon = Math.min(backlog >> 1, soonAtMost);
    return Math.max(this.#settings.gcBatch, soon, Math.ceil(backlog / 16));
  }

  async #deleteRetained(): Promise<void> {
    const nowMs = this.#clock.nowMs();
    for (const kept of [this.#retained, this.#fences]) {
      const due = kept.due(nowMs);
      if (due.names.length === 0) continue;
      await this.#engine.multiDelete(due.names);
      due.drop();
    }
  }
}
