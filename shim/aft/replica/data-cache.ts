/** @module Values of committed versions in memory, bounded in bytes (AFT §3.5, data cache). */
import { LRUCache } from "lru-cache";
import type { Bytes } from "#kit/bytes.ts";
import type { StorageKey } from "#shim/storage/port.ts";

/** What an entry costs beyond its value: key text, map slots, list links. */
const overheadBytes = 256;

export interface DataCache {
  get(name: StorageKey): Bytes | undefined;
  set(name: StorageKey, value: Bytes): void;
  delete(name: StorageKey): void;
  readonly bytes: number;
}

/** A cache of at most `maxBytes`; 0 keeps nothing. Values larger than an eighth are not kept. */
export function createDataCache(maxBytes: number): DataCache {
  if (maxBytes === 0) {
    return { get: () => undefined, set: () => {}, delete: () => {}, bytes: 0 };
  }
  const cache = new LRUCache<StorageKey, Bytes>({
    maxSize: maxBytes,
    maxEntrySize: Math.max(1, Math.floor(maxBytes / 8)),
    sizeCalculation: (value) => value.length + overheadBytes,
  });
  return {
    get: (name) => cache.get(name),
    set: (name, value) => {
      cache.set(name, value);
    },
    delete: (name) => {
      cache.delete(name);
    },
    get bytes() {
      return cache.calculatedSize;
    },
  };
}
