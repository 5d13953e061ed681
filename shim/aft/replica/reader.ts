/**
 * @module Fetches the value of a chosen version: data cache, else storage; one storage read per
 * version however many transactions want it at once.
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

export class VersionReader {
  readonly #engine: StorageEngine;
  readonly #cache: DataCache;
  readonly #names: Names;
  readonly #underWay = new Map<StorageKey, Promise<Bytes>>();
  hits = 0;

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
    const already = this.#underWay.get(name);
    if (already !== undefined) return already;
    const reading = this.#fetch(name)
      .then((value) => {
        this.#cache.set(key, uuid, value);
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
