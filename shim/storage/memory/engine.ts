/** @module The memory engine: a map. Loses everything with its process; the yardstick of the contract. */
import type { Bytes } from "#kit/bytes.ts";
import { StorageClosedError, StorageLimitError, type StorageOperation } from "../errors.ts";
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
  maxBatch: 1_000_000,
  maxValueBytes: 512 * 1_048_576,
  maxKeyBytes: 65_536,
  atomicMultiPut: true,
  orderedPipeline: true,
  conditionalPut: true,
  consistentRead: true,
  transactions: true,
  orderedList: true,
  shared: false,
  durability: "none",
  durabilityNote: "lives and dies with its process",
};

/** An empty store of its own. */
export function createMemoryEngine(): StorageEngine {
  return new MemoryEngine();
}

class MemoryEngine implements StorageEngine {
  readonly name = "memory";
  readonly capabilities = capabilities;
  readonly #objects = new Map<StorageKey, Bytes>();
  #closed = false;

  get(key: StorageKey): Promise<Bytes | undefined> {
    return this.#run("get", [key], () => this.#objects.get(key));
  }

  multiGet(keys: readonly StorageKey[]): Promise<(Bytes | undefined)[]> {
    return this.#run("multiGet", keys, () => keys.map((key) => this.#objects.get(key)));
  }

  put(key: StorageKey, value: Bytes): Promise<void> {
    return this.#run("put", [key], () => {
      this.#store({ key, value });
    });
  }

  multiPut(entries: readonly StorageEntry[]): Promise<void> {
    return this.#run("multiPut", keysOf(entries), () => {
      for (const entry of entries) this.#store(entry);
    });
  }

  putIfAbsent(key: StorageKey, value: Bytes): Promise<boolean> {
    return this.#run("putIfAbsent", [key], () => {
      if (this.#objects.has(key)) return false;
      this.#store({ key, value });
      return true;
    });
  }

  putSealed(groups: readonly SealedWrite[]): Promise<SealOutcome[]> {
    return Promise.all(groups.map((group) => this.#seal(group)));
  }

  delete(key: StorageKey): Promise<void> {
    return this.multiDelete([key]);
  }

  multiDelete(keys: readonly StorageKey[]): Promise<void> {
    return this.#run("multiDelete", keys, () => {
      for (const key of keys) this.#objects.delete(key);
    });
  }

  list(prefix: string, options: ListOptions = {}): Promise<ListPage> {
    return this.#run("list", [], () => {
      const after = options.cursor ?? options.after ?? "";
      const limit = options.limit ?? defaultPage;
      const found = [...this.#objects.keys()].filter(
        (key) => key.startsWith(prefix) && key > after,
      );
      const keys = found.toSorted().slice(0, limit);
      const last = keys.at(-1);
      const more = found.length > keys.length && last !== undefined;
      return { keys, ...(more && { cursor: last as string as ListCursor }) };
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#objects.clear();
    return Promise.resolve();
  }

  async #seal(group: SealedWrite): Promise<SealOutcome> {
    try {
      return await this.#run("putSealed", keysOf([...group.entries, group.seal]), () => {
        const { entries, seal } = group;
        for (const entry of entries) this.#store(entry);
        if (this.#objects.has(seal.key)) return { kind: "alreadySealed" };
        this.#store(seal);
        return { kind: "sealed" };
      });
    } catch (error) {
      if (error instanceof StorageLimitError || error instanceof StorageClosedError)
        return { kind: "failed", error };
      throw error;
    }
  }

  #store({ key, value }: StorageEntry): void {
    this.#objects.set(key, value);
  }

  /** Everything happens in one turn, so that nothing is ever half done. */
  #run<T>(operation: StorageOperation, keys: readonly StorageKey[], work: () => T): Promise<T> {
    if (this.#closed) {
      const [key] = keys;
      return Promise.reject(
        new StorageClosedError({ engine: this.name, operation, key, effect: "none" }),
      );
    }
    const tooLong = keys.find((key) => key.length > capabilities.maxKeyBytes);
    if (tooLong !== undefined) {
      const limit = `a key may have ${capabilities.maxKeyBytes} bytes`;
      return Promise.reject(
        new StorageLimitError(limit, { engine: this.name, operation, key: tooLong }),
      );
    }
    return Promise.resolve(work());
  }
}

function keysOf(entries: readonly StorageEntry[]): StorageKey[] {
  return entries.map(({ key }) => key);
}
