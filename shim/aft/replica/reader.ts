/**
 * @module Fetches the value of a chosen version: data cache, else storage; one storage read per
 * version however many transactions want it at once, also if it is being fetched ahead of them.
 */
import type { Bytes } from "#kit/bytes.ts";
import { StorageUnavailableError } from "#shim/storage/errors.ts";
import type { StorageEngine, StorageKey } from "#shim/storage/port.ts";
import type { Names } from "../protocol/names.ts";
import type { Key } from "../protocol/types.ts";
import type { DataCache } from "./data-cache.ts";
import type { MaybePromise } from "./port.ts";

/** A version's data is gone: it was superseded and collected without this replica (AFT §5.2.1). */
export class MissingVersionError extends StorageUnavailableError {
  constructor(engine: string, key: StorageKey) {
    const cause = "the data of a committed version is missing";
    super({ engine, operation: "get", key, effect: "none", cause });
  }
}

export interface Version {
  readonly key: Key;
  readonly uuid: string;
  /** When its key was last read. */
  readonly readAtUs: number;
}

interface Ahead {
  /** `undefined`: missing, or not to be had now; whoever needs it asks again. Never rejects. */
  readonly value: Promise<Bytes | undefined>;
  isAwaited: boolean;
}

export class VersionReader {
  readonly #engine: StorageEngine;
  readonly #cache: DataCache;
  readonly #names: Names;
  readonly #underWay = new Map<StorageKey, Promise<Bytes>>();
  readonly #ahead = new Map<StorageKey, Ahead>();
  hits = 0;
  /** Reads that waited for a value that was being fetched ahead. */
  joined = 0;

  constructor(options: { engine: StorageEngine; cache: DataCache; names: Names }) {
    this.#engine = options.engine;
    this.#cache = options.cache;
    this.#names = options.names;
  }

  /** The value, directly if cached; rejects with a `StorageError`, also when it is missing. */
  read(key: Key, uuid: string): MaybePromise<Bytes> {
    const cached = this.#cache.get(key, uuid);
    if (cached !== undefined) {
      this.hits += 1;
      return cached;
    }
    const name = this.#names.version(key, uuid);
    const ahead = this.#ahead.get(name);
    if (ahead === undefined) return this.#readAlone({ key, uuid, name });
    ahead.isAwaited = true;
    this.joined += 1;
    return ahead.value.then((value) => value ?? this.#readAlone({ key, uuid, name }));
  }

  /**
   * A value that its own transaction has spilled and may still write over: no version yet, so it is
   * neither kept nor shared. Rejects as `read` does.
   */
  readSpilled(key: Key, uuid: string): Promise<Bytes> {
    return this.#fetch(this.#names.version(key, uuid));
  }

  /** Whether a read of it would not cost a request. */
  isAtHand({ key, uuid }: Version): boolean {
    if (this.#cache.has(key, uuid)) return true;
    const name = this.#names.version(key, uuid);
    return this.#underWay.has(name) || this.#ahead.has(name);
  }

  /**
   * Fetches versions nobody has asked for yet, with one call of the engine, into the cache; how many
   * were found. Those that `isWorthKeeping` refuses by then are not kept. Never rejects.
   */
  async readAhead(
    versions: readonly Version[],
    isWorthKeeping: (version: Version) => boolean,
  ): Promise<number> {
    const names = versions.map(({ key, uuid }) => this.#names.version(key, uuid));
    const fetching = this.#engine.multiGet(names).catch((): (Bytes | undefined)[] => []);
    const entries = names.map((name, index): Ahead => {
      const ahead = { value: fetching.then((values) => values[index]), isAwaited: false };
      this.#ahead.set(name, ahead);
      return ahead;
    });
    const values = await fetching;
    let found = 0;
    for (const [index, version] of versions.entries()) {
      const [name, value, ahead] = [names[index], values[index], entries[index]];
      if (name !== undefined) this.#ahead.delete(name);
      if (value === undefined || !isWorthKeeping(version)) continue;
      found += 1;
      const isAwaited = ahead?.isAwaited === true;
      const readAtUs = isAwaited ? this.#cache.nowUs : version.readAtUs;
      this.#cache.set(version.key, version.uuid, value, { readAtUs, ahead: !isAwaited });
    }
    return found;
  }

  #readAlone(version: {
    readonly key: Key;
    readonly uuid: string;
    readonly name: StorageKey;
  }): Promise<Bytes> {
    const { key, uuid, name } = version;
    const already = this.#underWay.get(name);
    if (already !== undefined) return already;
    const reading = this.#fetch(name)
      .then((value) => {
        this.#cache.set(key, uuid, value, { readAtUs: this.#cache.nowUs, ahead: false });
        return value;
      })
      .finally(() => {
        this.#underWay.delete(name);
      });
    this.#underWay.set(name, reading);
    return reading;
  }

  async #fetch(name: StorageKey): Promise<Bytes> {
    const value = await this.#engine.get(name);
    if (value === undefined) throw new MissingVersionError(this.#engine.name, name);
    return value;
  }
}
