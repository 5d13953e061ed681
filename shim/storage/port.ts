/**
 * @module The storage seam: where bytes live.
 *
 * Source    AFT §3.1: all a storage must do is keep what it acknowledged. Everything beyond that is
 *           declared in `capabilities`, as data; nobody asks an engine for its class.
 * Layer     port. One contract suite (`storage.contract.ts`) runs against every engine.
 * Buffers   A value handed in must not be changed until its promise settles; a value handed out
 *           belongs to the caller, who must not change it (engines may share it with a cache).
 * Errors    Every method rejects with a `StorageError` (errors.ts) naming engine, operation, key
 *           and whether the effect is known; nothing else.
 */
import type { Bytes } from "#kit/bytes.ts";
import type { StorageError } from "./errors.ts";

/** The name of one stored object. Never a user's key: those are `Key` (shim/aft/protocol). */
export type StorageKey = string & { readonly __brand: "StorageKey" };

export interface StorageEntry {
  readonly key: StorageKey;
  readonly value: Bytes;
}

export interface StorageCapabilities {
  /** Most items one request to the service may carry; larger batches are split by the engine. */
  readonly maxBatch: number;
  /** Largest value in bytes; a larger one is refused with `StorageLimitError`. */
  readonly maxValueBytes: number;
  /** Longest key in UTF-8 bytes. */
  readonly maxKeyBytes: number;
  /** `multiPut` of any size happens entirely or not at all, also over a crash. */
  readonly atomicMultiPut: boolean;
  /** `putSealed` costs one round trip. */
  readonly orderedPipeline: boolean;
  /** `putIfAbsent` is decided by the service; otherwise it is check-then-put and may race. */
  readonly conditionalPut: boolean;
  /** A `get` that starts after a `put` was acknowledged sees it (or something newer). */
  readonly consistentRead: boolean;
  /** Multi-object transactions are offered (none of ours needs them). */
  readonly transactions: boolean;
  /** `list` yields keys in ascending order of their UTF-8 bytes. */
  readonly orderedList: boolean;
  /** Several processes may open the same store. */
  readonly shared: boolean;
  /** What an acknowledged write survives. */
  readonly durability: "none" | "process-crash" | "machine-crash" | "replicated";
  /** How that was configured, in the service's own words, for reports ("appendfsync no"). */
  readonly durabilityNote: string;
}

/** Entries that count only once `seal` is there: a transaction's data and its commit record. */
export interface SealedWrite {
  readonly entries: readonly StorageEntry[];
  readonly seal: StorageEntry;
}

export type SealOutcome =
  /** All entries and the seal are durable. */
  | { readonly kind: "sealed" }
  /** An object with the seal's key existed before; the seal was not written, entries may be. */
  | { readonly kind: "alreadySealed" }
  /** `error.effect` tells whether the seal is surely absent ("none") or may be there ("unknown"). */
  | { readonly kind: "failed"; readonly error: StorageError };

export interface ListPage {
  readonly keys: readonly StorageKey[];
  /** Pass it to the next call; absent when the listing is complete. */
  readonly cursor?: ListCursor;
}

/** Opaque position in a listing; valid for the engine and prefix that gave it. */
export type ListCursor = string & { readonly __brand: "ListCursor" };

export interface ListOptions {
  readonly cursor?: ListCursor;
  /** Only keys greater than this one. Allowed only where `capabilities.orderedList`. */
  readonly after?: StorageKey;
  /** A hint; a page may hold fewer (even none, with a cursor) or somewhat more. */
  readonly limit?: number;
}

export interface StorageEngine {
  /** Registered name, for instance `redis`. */
  readonly name: string;
  readonly capabilities: StorageCapabilities;
  /** `undefined`: no such object. An empty value is a value. */
  get(key: StorageKey): Promise<Bytes | undefined>;
  /** One answer per key, in the order asked; duplicates are allowed. Not a snapshot. */
  multiGet(keys: readonly StorageKey[]): Promise<(Bytes | undefined)[]>;
  /** Creates or replaces. Idempotent. */
  put(key: StorageKey, value: Bytes): Promise<void>;
  /** Not atomic unless declared: on rejection any subset may be there. Keys must be distinct. */
  multiPut(entries: readonly StorageEntry[]): Promise<void>;
  /** Creates if nothing has that key; `true` if it did. */
  putIfAbsent(key: StorageKey, value: Bytes): Promise<boolean>;
  /**
   * Writes the entries of each group, and its seal only when all its entries are durable.
   * Guarantee: whoever can read a seal can read all of its entries, at every instant, also after
   * a crash of either side. Groups are independent; one outcome each, in order. Never rejects.
   */
  putSealed(groups: readonly SealedWrite[]): Promise<SealOutcome[]>;
  /** Removes; no error if absent. Idempotent. */
  delete(key: StorageKey): Promise<void>;
  /** Not atomic; idempotent. */
  multiDelete(keys: readonly StorageKey[]): Promise<void>;
  /**
   * Keys that start with `prefix`. A key present during the whole listing is reported at least
   * once; one that comes or goes meanwhile may or may not be; repeats are possible unless
   * `orderedList`.
   */
  list(prefix: string, options?: ListOptions): Promise<ListPage>;
  /** Releases connections, files and timers; pending calls may reject. Idempotent. */
  close(): Promise<void>;
}

/** Names an object. The caller keeps keys printable and free of NUL. */
export function storageKey(text: string): StorageKey {
  return text as StorageKey;
}
