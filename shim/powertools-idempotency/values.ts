/** @module The values of functions, in the table they write to themselves: as plain storage, and counted. */
import type { Bytes } from "#kit/bytes.ts";
import { type StateCounters, StateError } from "#shim/state/port.ts";
import { StorageError } from "#shim/storage/errors.ts";
import { type StorageEngine, type StorageKey, storageKey } from "#shim/storage/port.ts";

export class ValueTable {
  readonly #engine: StorageEngine;
  readonly #counts = { calls: 0, bytesRead: 0, bytesWritten: 0 };
  #closed = false;

  constructor(engine: StorageEngine) {
    this.#engine = engine;
  }

  counters(): StateCounters {
    return { ...this.#counts };
  }

  /** A call to the records, which are asked by somebody else. */
  countCall(): void {
    this.#counts.calls += 1;
  }

  /** @throws StateError `storage_closed` */
  checkOpen(): void {
    if (!this.#closed) return;
    const message = "powertools-idempotency: the system is closed";
    throw new StateError({ code: "storage_closed", disposition: "abort", message });
  }

  async read(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    const [only] = keys;
    const values =
      only !== undefined && keys.length === 1
        ? [await this.#ask(() => this.#engine.get(nameOf(only)))]
        : await this.#ask(() => this.#engine.multiGet(keys.map(nameOf)));
    for (const value of values) this.#counts.bytesRead += value?.length ?? 0;
    return values;
  }

  async write(entries: readonly (readonly [key: string, value: Bytes])[]): Promise<void> {
    for (const [, value] of entries) this.#counts.bytesWritten += value.length;
    const [only] = entries;
    await this.#ask(() =>
      only !== undefined && entries.length === 1
        ? this.#engine.put(nameOf(only[0]), only[1])
        : this.#engine.multiPut(entries.map(([key, value]) => ({ key: nameOf(key), value }))),
    );
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.#engine.close();
  }

  async #ask<T>(call: () => Promise<T>): Promise<T> {
    this.#counts.calls += 1;
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      const { code, disposition, message } = error;
      throw new StateError({ code, disposition, message, cause: error });
    }
  }
}

function nameOf(key: string): StorageKey {
  return storageKey(`powertools-idempotency/v/${key}`);
}
