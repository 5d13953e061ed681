/**
 * @module LMDB: embedded, durable, several processes on one machine.
 *
 * lmdb-js gathers the writes of one turn into one transaction, committed on another thread, so a
 * batch is atomic and group commit comes for free. A write is acknowledged when it is flushed.
 */
import { mkdirSync } from "node:fs";
import { open, type RootDatabase } from "lmdb";
import type { Bytes } from "#kit/bytes.ts";
import {
  StorageClosedError,
  type StorageError,
  StorageLimitError,
  type StorageOperation,
  StorageUnavailableError,
} from "../errors.ts";
import type {
  ListCursor,
  ListOptions,
  ListPage,
  SealedWrite,
  SealOutcome,
  StorageCapabilities,
  StorageEngine,
  StorageEntry,
  StorageKey,
} from "../port.ts";

const defaultPage = 1_000;

const capabilities: StorageCapabilities = {
  maxBatch: 100_000,
  maxValueBytes: 512 * 1_048_576,
  // LMDB's own limit with 4 KB pages.
  maxKeyBytes: 1_978,
  atomicMultiPut: true,
  orderedPipeline: true,
  conditionalPut: true,
  consistentRead: true,
  transactions: true,
  orderedList: true,
  shared: true,
  durability: "machine-crash",
  durabilityNote: "flushed to disk before every acknowledgement",
};

/** Opens or creates the store in `directory`; rejects with `StorageUnavailableError`. */
export function openLmdbEngine(directory: string): Promise<StorageEngine> {
  try {
    mkdirSync(directory, { recursive: true });
    const database = open<Bytes, string>({
      path: directory,
      encoding: "binary",
      keyEncoding: "ordered-binary",
      compression: false,
      // An acknowledgement must survive a power cut, so it waits for the flush.
      overlappingSync: false,
      noMemInit: true,
    });
    return Promise.resolve(new LmdbEngine(database));
  } catch (cause) {
    return Promise.reject(
      new StorageUnavailableError({ engine: "lmdb", operation: "open", effect: "none", cause }),
    );
  }
}

class LmdbEngine implements StorageEngine {
  readonly name = "lmdb";
  readonly capabilities = capabilities;
  readonly #database: RootDatabase<Bytes, string>;
  #closed: Promise<void> | undefined;

  constructor(database: RootDatabase<Bytes, string>) {
    this.#database = database;
  }

  get(key: StorageKey): Promise<Bytes | undefined> {
    return this.#run("get", [key], () => this.#read(key));
  }

  multiGet(keys: readonly StorageKey[]): Promise<(Bytes | undefined)[]> {
    return this.#run("multiGet", keys, () => keys.map((key) => this.#read(key)));
  }

  async put(key: StorageKey, value: Bytes): Promise<void> {
    await this.#run("put", [key], () => this.#database.put(key, value));
  }

  async multiPut(entries: readonly StorageEntry[]): Promise<void> {
    await this.#run("multiPut", keysOf(entries), () =>
      this.#database.batch(() => {
        for (const { key, value } of entries) void this.#database.put(key, value);
      }),
    );
  }

  async putIfAbsent(key: StorageKey, value: Bytes): Promise<boolean> {
    return this.#run("putIfAbsent", [key], () =>
      this.#database.transaction(() => this.#putNew(key, value)),
    );
  }

  async putSealed(groups: readonly SealedWrite[]): Promise<SealOutcome[]> {
    const refusals = groups.map(({ entries, seal }) =>
      this.#refusal("putSealed", keysOf([...entries, seal])),
    );
    try {
      // One transaction for all groups: entries and seal appear together or not at all.
      const sealed = await this.#database.transaction(() =>
        groups.map(({ entries, seal }, index) => {
          if (refusals[index] !== undefined) return false;
          for (const { key, value } of entries) void this.#database.put(key, value);
          return this.#putNew(seal.key, seal.value);
        }),
      );
      return sealed.map((done, index) => {
        const error = refusals[index];
        if (error !== undefined) return { kind: "failed", error };
        return done ? { kind: "sealed" } : { kind: "alreadySealed" };
      });
    } catch (cause) {
      return groups.map(({ seal }) => ({
        kind: "failed",
        error: this.#error("putSealed", seal.key, cause),
      }));
    }
  }

  async delete(key: StorageKey): Promise<void> {
    await this.#run("delete", [key], () => this.#database.remove(key));
  }

  async multiDelete(keys: readonly StorageKey[]): Promise<void> {
    await this.#run("multiDelete", keys, () =>
      this.#database.batch(() => {
        for (const key of keys) void this.#database.remove(key);
      }),
    );
  }

  list(prefix: string, options: ListOptions = {}): Promise<ListPage> {
    return this.#run("list", [], () => {
      const after = options.cursor ?? options.after;
      const limit = options.limit ?? defaultPage;
      const start = after !== undefined && after > prefix ? after : prefix;
      const keys: StorageKey[] = [];
      let more = false;
      for (const key of this.#database.getKeys({ start })) {
        if (key === after) continue;
        if (!key.startsWith(prefix)) break;
        if (keys.length === limit) {
          more = true;
          break;
        }
        keys.push(key as StorageKey);
      }
      const last = keys.at(-1);
      return { keys, ...(more && last !== undefined && { cursor: last as string as ListCursor }) };
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#database.close();
    return this.#closed;
  }

  /** Copied out of the map: the pages behind it may be reused after this turn. */
  #read(key: StorageKey): Bytes | undefined {
    return this.#database.getBinary(key);
  }

  /** Inside a write transaction only. */
  #putNew(key: StorageKey, value: Bytes): boolean {
    if (this.#database.doesExist(key)) return false;
    void this.#database.put(key, value);
    return true;
  }

  async #run<T>(
    operation: StorageOperation,
    keys: readonly StorageKey[],
    work: () => T | PromiseLike<T>,
  ): Promise<T> {
    const refusal = this.#refusal(operation, keys);
    if (refusal !== undefined) throw refusal;
    try {
      return await work();
    } catch (cause) {
      throw this.#error(operation, keys[0], cause);
    }
  }

  #refusal(operation: StorageOperation, keys: readonly StorageKey[]): StorageError | undefined {
    if (this.#closed !== undefined) {
      const [key] = keys;
      return new StorageClosedError({ engine: this.name, operation, key, effect: "none" });
    }
    const tooLong = keys.find((key) => Buffer.byteLength(key) > capabilities.maxKeyBytes);
    if (tooLong === undefined) return undefined;
    const limit = `a key may have ${capabilities.maxKeyBytes} bytes`;
    return new StorageLimitError(limit, { engine: this.name, operation, key: tooLong });
  }

  #error(operation: StorageOperation, key: StorageKey | undefined, cause: unknown): StorageError {
    const reading = operation === "get" || operation === "multiGet" || operation === "list";
    return new StorageUnavailableError({
      engine: this.name,
      operation,
      key,
      effect: reading ? "none" : "unknown",
      cause,
    });
  }
}

function keysOf(entries: readonly StorageEntry[]): StorageKey[] {
  return entries.map(({ key }) => key);
}
