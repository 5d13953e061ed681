/**
 * @module Watches storage from outside, write by write: what must be true of it at every instant, whatever
 * fails. It learns what is committed from the store alone.
 *
 *   O1  A commit record is written only when all data it names is there.
 *   O2  What decided a transaction is never turned around: no record over a fence, no other record over a
 *       record; a "collected" one only over a superseded one.
 *   O3  The newest committed version of a key is never deleted, nor its record.
 *   O4  In a cluster no data is deleted while a record that names it can be read (G3).
 *   O5  Of all attempts of a tagged request at most one is committed.
 */
import type { Bytes } from "#kit/bytes.ts";
import type { Names } from "#shim/aft/protocol/names.ts";
import { decodeOutcome, type StoredOutcome } from "#shim/aft/protocol/record-codec.ts";
import {
  type CommitRecord,
  compareTransactionIds,
  type Key,
  requestTagOf,
} from "#shim/aft/protocol/types.ts";
import type { StorageKey } from "#shim/storage/port.ts";
import type { SimStore, StoreWatcher } from "./store.ts";

export class Oracle implements StoreWatcher {
  readonly #store: SimStore;
  readonly #names: Names;
  readonly #isCluster: boolean;
  readonly #onViolation: (what: string) => void;
  /** Every transaction that was ever committed, by uuid. */
  readonly committed = new Map<string, CommitRecord>();
  /** Newest committed writer of each key. */
  readonly newest = new Map<Key, CommitRecord>();
  readonly #ofTag = new Map<string, string>();
  /** What stands in the commit set now. */
  readonly #standing = new Map<StorageKey, StoredOutcome>();
  #objects = 0;
  #committedRecords = 0;

  constructor(options: {
    store: SimStore;
    names: Names;
    isCluster: boolean;
    onViolation: (what: string) => void;
  }) {
    this.#store = options.store;
    this.#names = options.names;
    this.#isCluster = options.isCluster;
    this.#onViolation = options.onViolation;
  }

  onPut(name: StorageKey, value: Bytes): void {
    if (name.startsWith(this.#names.dataPrefix)) {
      if (!this.#store.has(name)) this.#objects += 1;
      return;
    }
    const place = this.#names.parseCommit(name);
    if (place === undefined) return;
    const outcome = decodeOutcome(place, value);
    const earlier = this.#standing.get(name);
    this.#stands(name, outcome);
    if (outcome.kind === "committed") {
      const { uuid } = outcome.record.id;
      if (earlier?.kind === "aborted")
        this.#onViolation(`O2: the record of ${uuid} was written over the fence ${name}`);
      else if (earlier?.kind === "committed" && earlier.record.id.uuid !== uuid)
        this.#onViolation(
          `O2: the record of ${uuid} was written over that of ${earlier.record.id.uuid}`,
        );
      else if (earlier?.kind !== "collected") this.#commit(outcome.record);
      return;
    }
    if (earlier?.kind !== "committed") return;
    const { record } = earlier;
    if (outcome.kind === "aborted")
      this.#onViolation(`O2: a fence was put over the record of ${record.id.uuid}`);
    else if (this.#isNeeded(record))
      this.#onViolation(`O2: ${record.id.uuid} was collected, and is the newest of a key`);
  }

  onDelete(name: StorageKey): void {
    if (name.startsWith(this.#names.dataPrefix)) this.#objects -= 1;
    const version = this.#names.parseVersion(name);
    if (version !== undefined) {
      const { key, uuid } = version;
      const record = this.committed.get(uuid);
      if (record === undefined) return;
      if (this.newest.get(key) === record)
        this.#onViolation(`O3: the newest version of ${key} was deleted, of ${uuid}`);
      else if (this.#isCluster && this.isReadable(record))
        this.#onViolation(`O4: data of ${uuid} was deleted while its record can be read`);
      return;
    }
    const outcome = this.#standing.get(name);
    this.#stands(name, undefined);
    if (outcome?.kind === "committed" && this.#isNeeded(outcome.record))
      this.#onViolation(`O3: the record of ${outcome.record.id.uuid} was deleted, and is needed`);
  }

  /** Versions in storage. */
  get objects(): number {
    return this.#objects;
  }

  /** Commit records in storage, without those that only say "collected". */
  get committedRecords(): number {
    return this.#committedRecords;
  }

  /** Data in storage that is or may be needed: of transactions that are the newest of some key. */
  liveObjects(): number {
    const live = new Set(this.newest.values());
    let objects = 0;
    for (const { writeSet } of live) objects += writeSet.size;
    return objects;
  }

  liveTransactions(): number {
    return new Set(this.newest.values()).size;
  }

  /** Whether its record stands in storage now, and was not replaced. */
  isReadable({ id, slot }: CommitRecord): boolean {
    const standing = this.#standing.get(this.#names.commit(id.uuid, slot));
    return standing?.kind === "committed" && standing.record.id.uuid === id.uuid;
  }

  #commit(record: CommitRecord): void {
    const { uuid } = record.id;
    if (this.committed.has(uuid)) return;
    this.committed.set(uuid, record);
    for (const key of record.writeSet)
      if (!this.#store.has(this.#names.version(key, uuid)))
        this.#onViolation(`O1: the record of ${uuid} was written without its data of ${key}`);
    for (const key of record.writeSet) {
      const newest = this.newest.get(key);
      if (newest === undefined || compareTransactionIds(newest.id, record.id) < 0)
        this.newest.set(key, record);
    }
    const tag = requestTagOf(uuid);
    if (tag === undefined) return;
    const other = this.#ofTag.get(tag);
    if (other !== undefined)
      this.#onViolation(`O5: two attempts of one request are committed, ${other} and ${uuid}`);
    this.#ofTag.set(tag, uuid);
  }

  #isNeeded(record: CommitRecord): boolean {
    for (const key of record.writeSet)
      if (this.newest.get(key) === this.committed.get(record.id.uuid)) return true;
    return false;
  }

  #stands(name: StorageKey, outcome: StoredOutcome | undefined): void {
    if (this.#standing.get(name)?.kind === "committed") this.#committedRecords -= 1;
    if (outcome === undefined) this.#standing.delete(name);
    else this.#standing.set(name, outcome);
    if (outcome?.kind === "committed") this.#committedRecords += 1;
  }
}
