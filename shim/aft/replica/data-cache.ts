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

export interface DataCache {
  get(key: Key, uuid: string): Bytes | undefined;
  set(key: Key, uuid: string, value: Bytes): void;
  delete(key: Key, uuid: string): void;
  readonly bytes: number;
}

/** A cache of at most `maxBytes`; 0 keeps nothing. Values larger than an eighth are not kept. */
export function createDataCache(maxBytes: number): DataCache {
  return maxBytes === 0 ? noCache : new LruCache(maxBytes);
}

const noCache: DataCache = { get: () => undefined, set: () => {}, delete: () => {}, bytes: 0 };

interface Entry {
  readonly key: Key;
  readonly uuid: string;
  value: Bytes;
  /** Another cached version of the same key. */
  sibling: Entry | undefined;
  /** Used before and after this one; a ring through `#ends`. */
  before: Entry;
  after: Entry;
}

class LruCache implements DataCache {
  readonly #maxBytes: number;
  readonly #maxEntryBytes: number;
  readonly #entries = new Map<Key, Entry>();
  /** Its `after` is the least, its `before` the most recently used. */
  readonly #ends: Entry;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#maxEntryBytes = Math.max(1, Math.floor(maxBytes / 8));
    const ends = { key: "" as Key, uuid: "", value: new Uint8Array(0), sibling: undefined };
    this.#ends = closeRing(ends);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: Key, uuid: string): Bytes | undefined {
    const entry = this.#find(key, uuid);
    if (entry === undefined) return undefined;
    unlink(entry);
    this.#linkLast(entry);
    return entry.value;
  }

  set(key: Key, uuid: string, value: Bytes): void {
    const size = value.length + overheadBytes;
    const known = this.#find(key, uuid);
    if (known !== undefined) this.#remove(known);
    if (size > this.#maxEntryBytes) return;
    const first = this.#entries.get(key);
    const entry = closeRing({ key, uuid, value, sibling: first });
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
    this.#bytes -= entry.value.length + overheadBytes;
    const first = this.#entries.get(key);
    if (first === entry) {
      if (entry.sibling === undefined) this.#entries.delete(key);
      else this.#entries.set(key, entry.sibling);
      return;
    }
    let other = first;
    while (other !== undefined && other.sibling !== entry) other = other.sibling;
    if (other !== undefined) other.sibling = entry.sibling;
  }

  #linkLast(entry: Entry): void {
    const last = this.#ends.before;
    entry.before = last;
    entry.after = this.#ends;
    last.after = entry;
    this.#ends.before = entry;
  }
}

/** An entry that is its own neighbour. */
function closeRing(entry: Omit<Entry, "before" | "after">): Entry {
  const ring = entry as Entry;
  ring.before = ring;
  ring.after = ring;
  return ring;
}

function unlink(entry: Entry): void {
  entry.before.after = entry.after;
  entry.after.before = entry.before;
}
