/**
 * @module Values of committed versions in memory, bounded in bytes (AFT §3.5, data cache).
 *
 * Least recently used first out. Own code, because the key is a pair: a library would need one long
 * string made of key and transaction for each look, which costs more than the look. Here a key leads
 * to its cached versions, of which there is nearly always one.
 */
import type { Bytes } from "#kit/bytes.ts";
import type { Key } from "../protocol/types.ts";

/** What an entry costs beyond its value: key text, map slots, list links. */
const overheadBytes = 256;

/** When the versions of a key were last read, and how large the one is that was. */
export interface Heat {
  readonly readAtUs: number;
  readonly bytes: number;
}

/** Where a value comes from that was not written here. */
export interface Origin {
  /** When its key was last read; a value without an origin is as hot as the version before it. */
  readonly readAtUs: number;
  /** It was fetched ahead of any read of it. */
  readonly ahead: boolean;
}

export interface DataCache {
  get(key: Key, uuid: string): Bytes | undefined;
  /** The same without counting as a use. */
  has(key: Key, uuid: string): boolean;
  set(key: Key, uuid: string, value: Bytes, origin?: Origin): void;
  delete(key: Key, uuid: string): void;
  /** Of a key of which a version is here that was ever read. */
  heat(key: Key): Heat | undefined;
  readonly bytes: number;
  /** What uses are stamped with. Set by whoever asks for heat, so that a read costs no look at a clock. */
  nowUs: number;
  /** Values fetched ahead that were read at least once, and that left without. */
  readonly aheadUsed: number;
  readonly aheadWasted: number;
}

/** A cache of at most `maxBytes`; 0 keeps nothing. Values larger than an eighth are not kept. */
export function createDataCache(maxBytes: number): DataCache {
  return maxBytes === 0 ? noCache : new LruCache(maxBytes);
}

const noCache: DataCache = {
  get: () => undefined,
  has: () => false,
  set: () => {},
  delete: () => {},
  heat: () => undefined,
  bytes: 0,
  nowUs: 0,
  aheadUsed: 0,
  aheadWasted: 0,
};

const neverUs = -Infinity;

class Entry {
  readonly key: Key;
  readonly uuid: string;
  readonly value: Bytes;
  readAtUs: number;
  /** Fetched ahead, and not read yet. */
  isUntried: boolean;
  /** Another cached version of the same key. */
  sibling: Entry | undefined;
  /** Used before and after this one; a ring through `#ends`, or alone. */
  before: Entry;
  after: Entry;

  constructor(version: { key: Key; uuid: string; value: Bytes }, readAtUs: number) {
    this.key = version.key;
    this.uuid = version.uuid;
    this.value = version.value;
    this.readAtUs = readAtUs;
    this.isUntried = false;
    this.sibling = undefined;
    this.before = this;
    this.after = this;
  }
}

class LruCache implements DataCache {
  readonly #maxBytes: number;
  readonly #maxEntryBytes: number;
  readonly #entries = new Map<Key, Entry>();
  /** Its `after` is the least, its `before` the most recently used. */
  readonly #ends: Entry;
  #bytes = 0;
  nowUs = 0;
  aheadUsed = 0;
  aheadWasted = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#maxEntryBytes = Math.max(1, Math.floor(maxBytes / 8));
    this.#ends = new Entry({ key: "" as Key, uuid: "", value: new Uint8Array(0) }, neverUs);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: Key, uuid: string): Bytes | undefined {
    const entry = this.#find(key, uuid);
    if (entry === undefined) return undefined;
    unlink(entry);
    this.#linkLast(entry);
    entry.readAtUs = this.nowUs;
    if (entry.isUntried) {
      entry.isUntried = false;
      this.aheadUsed += 1;
    }
    return entry.value;
  }

  has(key: Key, uuid: string): boolean {
    return this.#find(key, uuid) !== undefined;
  }

  heat(key: Key): Heat | undefined {
    let hottest = this.#entries.get(key);
    for (let entry = hottest; entry !== undefined; entry = entry.sibling)
      if (hottest === undefined || entry.readAtUs > hottest.readAtUs) hottest = entry;
    if (hottest === undefined || hottest.readAtUs === neverUs) return undefined;
    return { readAtUs: hottest.readAtUs, bytes: hottest.value.length };
  }

  set(key: Key, uuid: string, value: Bytes, origin?: Origin): void {
    const size = value.length + overheadBytes;
    const known = this.#find(key, uuid);
    if (known !== undefined) this.#remove(known);
    if (size > this.#maxEntryBytes) return;
    const first = this.#entries.get(key);
    const readAtUs = origin?.readAtUs ?? first?.readAtUs ?? neverUs;
    const entry = new Entry({ key, uuid, value }, readAtUs);
    entry.isUntried = origin?.ahead === true;
    entry.sibling = first;
    this.#entries.set(key, entry);
    this.#linkLast(entry);
    this.#bytes += size;
    while (this.#bytes > this.#maxBytes) this.#remove(this.#ends.after);
  }

  delete(key: Key, uuid: string): void {
    const entry = this.#find(key, uuid);
    if (entry !== undefined) this.#remove(entry);
  }

  #find(key: Key, uuid: string): Entry | undefined {
    let entry = this.#entries.get(key);
    while (entry !== undefined && entry.uuid !== uuid) entry = entry.sibling;
    return entry;
  }

  #remove(entry: Entry): void {
    const { key } = entry;
    unlink(entry);
    if (entry.isUntried) this.aheadWasted += 1;
    this.#bytes -= entry.value.length + overheadBytes;
    const { sibling } = entry;
    entry.sibling = undefined;
    const first = this.#entries.get(key);
    if (first === entry) {
      if (sibling === undefined) this.#entries.delete(key);
      else this.#entries.set(key, sibling);
      return;
    }
    let other = first;
    while (other !== undefined && other.sibling !== entry) other = other.sibling;
    if (other !== undefined) other.sibling = sibling;
  }

  #linkLast(entry: Entry): void {
    const last = this.#ends.before;
    entry.before = last;
    entry.after = this.#ends;
    last.after = entry;
    this.#ends.before = entry;
  }
}

/**
 * Leaves nothing in the entry that leads to others: one that has outlived two collections is dead for
 * long before V8 finds out, and would keep those it leads to alive, and those theirs.
 */
function unlink(entry: Entry): void {
  entry.before.after = entry.after;
  entry.after.before = entry.before;
  entry.before = entry;
  entry.after = entry;
}
