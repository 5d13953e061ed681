/**
 * @module Fetches ahead what other replicas have written over (ARCHITECTURE, D46; not in the paper).
 *
 * A commit heard from another replica supersedes versions that are in the data cache here, and the
 * next read of each such key would wait for storage. So the new versions of those keys that were read
 * lately are fetched in the background, several with one request.
 *
 * Invariants
 *   F1  Versions are immutable and named by their writer, so what is cached can only be early, never
 *       wrong. Which version a read gets is decided by the index alone.
 *   F2  Keys that wait, bytes, requests at once and keys in one are bounded by `ReplicaSettings`;
 *       what is beyond is left to the reads.
 *   F3  A value that is missing (collected meanwhile) or cannot be had is not cached and reported to
 *       nobody: whoever needs it reads it and deals with that.
 */
import type { Clock } from "#kit/clock.ts";
import type { CommitRecord, Key } from "../protocol/types.ts";
import type { VersionIndex } from "../protocol/version-index.ts";
import type { DataCache, Heat } from "./data-cache.ts";
import type { ReplicaSettings } from "./options.ts";
import type { ReplicaStats } from "./port.ts";
import type { Version, VersionReader } from "./reader.ts";

interface Wanted extends Version, Heat {}

export class CacheRefresher {
  readonly #clock: Clock;
  readonly #index: VersionIndex;
  readonly #cache: DataCache;
  readonly #reader: VersionReader;
  readonly #settings: ReplicaSettings;
  /** In the order in which they were superseded; at most one version of a key. */
  readonly #waiting = new Map<Key, Wanted>();
  readonly #underWay = new Map<Key, Wanted>();
  /** Expected, of all that waits or is under way. */
  #bytes = 0;
  #requests = 0;
  #closed = false;
  #refreshedTotal = 0;
  #skippedTotal = 0;

  constructor(options: {
    clock: Clock;
    index: VersionIndex;
    cache: DataCache;
    reader: VersionReader;
    settings: ReplicaSettings;
  }) {
    this.#clock = options.clock;
    this.#index = options.index;
    this.#cache = options.cache;
    this.#reader = options.reader;
    this.#settings = options.settings;
    this.#cache.nowUs = options.clock.monotonicUs();
  }

  /** To be called when commits of others have entered the index, before their predecessors go. */
  superseding(records: readonly CommitRecord[]): void {
    const { refreshReadWithinMs } = this.#settings;
    if (refreshReadWithinMs === 0 || this.#closed) return;
    const nowUs = this.#clock.monotonicUs();
    // Reads since the last call bear its time.
    const sinceUs = Math.min(this.#cache.nowUs, nowUs - refreshReadWithinMs * 1_000);
    this.#cache.nowUs = nowUs;
    for (const record of records) {
      for (const key of record.writeSet) {
        if (this.#index.versionsOf(key).at(-1) !== record) continue;
        const heat = this.#heatOf(key);
        if (heat === undefined || heat.readAtUs < sinceUs) continue;
        const { readAtUs, bytes } = heat;
        this.#want({ key, uuid: record.id.uuid, readAtUs, bytes });
      }
    }
    this.#fetchSome();
  }

  close(): void {
    this.#closed = true;
    this.#waiting.clear();
  }

  figures(): Pick<
    ReplicaStats,
    | "cacheRefreshedTotal"
    | "cacheRefreshUsedTotal"
    | "cacheRefreshWastedTotal"
    | "cacheRefreshSkippedTotal"
  > {
    return {
      cacheRefreshedTotal: this.#refreshedTotal,
      cacheRefreshUsedTotal: this.#cache.aheadUsed + this.#reader.joined,
      cacheRefreshWastedTotal: this.#cache.aheadWasted,
      cacheRefreshSkippedTotal: this.#skippedTotal,
    };
  }

  /** Also of a key whose old version has left the cache while the next one is on its way. */
  #heatOf(key: Key): Heat | undefined {
    return this.#cache.heat(key) ?? this.#waiting.get(key) ?? this.#underWay.get(key);
  }

  #want(wanted: Wanted): void {
    const before = this.#waiting.get(wanted.key);
    const bytes = this.#bytes + wanted.bytes - (before?.bytes ?? 0);
    const { refreshKeys, refreshBytes } = this.#settings;
    const keys = this.#waiting.size + (before === undefined ? 1 : 0);
    if (keys > refreshKeys || bytes > refreshBytes) {
      this.#skippedTotal += 1;
      return;
    }
    this.#bytes = bytes;
    this.#waiting.set(wanted.key, wanted);
  }

  #fetchSome(): void {
    const { refreshRequests, refreshBatch } = this.#settings;
    while (this.#requests < refreshRequests && this.#waiting.size > 0) {
      const batch: Wanted[] = [];
      for (const wanted of this.#waiting.values()) {
        this.#waiting.delete(wanted.key);
        if (this.#isNewest(wanted) && !this.#reader.isAtHand(wanted)) batch.push(wanted);
        else this.#bytes -= wanted.bytes;
        if (batch.length >= refreshBatch) break;
      }
      if (batch.length > 0) void this.#fetch(batch);
    }
  }

  async #fetch(batch: readonly Wanted[]): Promise<void> {
    this.#requests += 1;
    for (const wanted of batch) this.#underWay.set(wanted.key, wanted);
    // What has left the index leaves nothing in the cache.
    const isKnown = ({ uuid }: Version): boolean => this.#index.find(uuid) !== undefined;
    const found = await this.#reader.readAhead(batch, isKnown);
    this.#refreshedTotal += found;
    for (const wanted of batch) {
      if (this.#underWay.get(wanted.key) === wanted) this.#underWay.delete(wanted.key);
      this.#bytes -= wanted.bytes;
    }
    this.#requests -= 1;
    this.#fetchSome();
  }

  #isNewest({ key, uuid }: Wanted): boolean {
    return this.#index.versionsOf(key).at(-1)?.id.uuid === uuid;
  }
}
