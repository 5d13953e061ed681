/**
 * @module The key-version index (AFT §3.1): which committed transactions wrote a key.
 *
 * Synchronous and in memory; owned by one replica. A transaction enters and leaves as a whole, so
 * between calls the newest versions of all keys form an atomic read set.
 *
 * Invariants
 *   I1  Versions of a key are in ascending order of transaction id, without repeats.
 *   I2  `liveKeys(t)` is the number of keys whose newest version is t's; 0 means superseded
 *       (AFT Algorithm 2, kept up to date instead of computed).
 */
import { assert } from "#kit/assert.ts";
import { compareTransactionIds, type CommitRecord, type Key } from "./types.ts";
import { UuidMap } from "./uuid-map.ts";

const none: readonly CommitRecord[] = [];

interface Known {
  readonly record: CommitRecord;
  liveKeys: number;
}

export class VersionIndex {
  readonly #versions = new Map<Key, CommitRecord[]>();
  readonly #known = new UuidMap<Known>();

  /** Committed writers of `key`, oldest first. */
  versionsOf(key: Key): readonly CommitRecord[] {
    return this.#versions.get(key) ?? none;
  }

  find(uuid: string): CommitRecord | undefined {
    return this.#known.get(uuid)?.record;
  }

  get transactionCount(): number {
    return this.#known.size;
  }

  get keyCount(): number {
    return this.#versions.size;
  }

  /** In no particular order. */
  *records(): Iterable<CommitRecord> {
    for (const { record } of this.#known.values()) yield record;
  }

  /**
   * Adds a committed transaction; a known one is ignored.
   *
   * @returns The transactions that this one superseded, itself among them if it was superseded
   *   from birth. Each transaction is returned by exactly one call.
   * Cost: O(|writeSet|) when it is the newest, else plus a search per key.
   */
  add(record: CommitRecord): CommitRecord[] {
    const { uuid } = record.id;
    if (this.#known.has(uuid)) return [];
    const superseded: CommitRecord[] = [];
    let live = 0;
    for (const key of record.writeSet) {
      const previousNewest = this.#insert(key, record);
      if (previousNewest === record) continue;
      live += 1;
      if (previousNewest !== undefined && this.#loseKey(previousNewest))
        superseded.push(previousNewest);
    }
    this.#known.set(uuid, { record, liveKeys: live });
    if (live === 0) superseded.push(record);
    return superseded;
  }

  /** Removes a transaction; unknown ones are ignored. Only superseded ones may go (AFT §5.1). */
  remove(record: CommitRecord): void {
    const known = this.#known.get(record.id.uuid);
    if (known === undefined) return;
    assert(known.liveKeys === 0, "only superseded transactions are removed");
    this.#known.delete(record.id.uuid);
    for (const key of record.writeSet) {
      const versions = this.#versions.get(key);
      if (versions === undefined) continue;
      const position = versions.indexOf(record);
      if (position >= 0) versions.splice(position, 1);
      if (versions.length === 0) this.#versions.delete(key);
    }
  }

  /** Keys whose newest version this transaction wrote. */
  liveKeys(record: CommitRecord): number {
    return this.#known.get(record.id.uuid)?.liveKeys ?? 0;
  }

  /** Inserts in order; the newest version before, or `record` itself if it is not the newest now. */
  #insert(key: Key, record: CommitRecord): CommitRecord | undefined {
    const versions = this.#versions.get(key);
    if (versions === undefined) {
      this.#versions.set(key, [record]);
      return undefined;
    }
    const newest = versions.at(-1);
    assert(newest !== undefined, "a listed key has a version");
    if (compareTransactionIds(newest.id, record.id) < 0) {
      versions.push(record);
      return newest;
    }
    let position = versions.length - 1;
    while (position > 0 && isOlder(record, versions[position - 1])) position -= 1;
    versions.splice(position, 0, record);
    return record;
  }

  /** Whether the transaction has just lost its last live key. */
  #loseKey({ id }: CommitRecord): boolean {
    const known = this.#known.get(id.uuid);
    assert(known !== undefined, "a listed version is known");
    known.liveKeys -= 1;
    return known.liveKeys === 0;
  }
}

function isOlder(record: CommitRecord, than: CommitRecord | undefined): boolean {
  return than !== undefined && compareTransactionIds(record.id, than.id) < 0;
}
