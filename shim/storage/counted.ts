/** @module Counts what goes through an engine: requests, items, bytes, errors. */
import type { StorageEngine } from "./port.ts";

export interface StorageCounters {
  /** Calls of the port, one per round trip where the engine needs one. */
  calls: number;
  itemsRead: number;
  itemsWritten: number;
  bytesRead: number;
  bytesWritten: number;
  errors: number;
  /** How long reads and writes took, summed up; deleting and listing are nobody's request. */
  waitedUs: number;
}

/** The same engine, and counters that grow with its use. Without a clock nothing is timed. */
export function counted(
  engine: StorageEngine,
  clock?: { monotonicUs(): number },
): {
  readonly engine: StorageEngine;
  readonly counters: Readonly<StorageCounters>;
} {
  const counters: StorageCounters = {
    calls: 0,
    itemsRead: 0,
    itemsWritten: 0,
    bytesRead: 0,
    bytesWritten: 0,
    errors: 0,
    waitedUs: 0,
  };
  const failed = (error: unknown): never => {
    counters.errors += 1;
    throw error;
  };
  // Every promise counts here: one more a call, and not an asynchronous function over another.
  const watch = <T>(call: Promise<T>): Promise<T> => {
    counters.calls += 1;
    return call.then(undefined, failed);
  };
  const nowUs = (): number => clock?.monotonicUs() ?? 0;
  const timed = <T>(call: Promise<T>, onDone?: (result: T) => void): Promise<T> => {
    counters.calls += 1;
    const startUs = nowUs();
    return call.then(
      (result) => {
        counters.waitedUs += nowUs() - startUs;
        onDone?.(result);
        return result;
      },
      (error: unknown) => {
        counters.waitedUs += nowUs() - startUs;
        return failed(error);
      },
    );
  };
  const wrote = (items: number, bytes: number): void => {
    counters.itemsWritten += items;
    counters.bytesWritten += bytes;
  };
  const read = (value: Uint8Array | undefined): void => {
    counters.itemsRead += 1;
    counters.bytesRead += value?.length ?? 0;
  };
  const wrapped: StorageEngine = {
    name: engine.name,
    capabilities: engine.capabilities,
    get: (key) => timed(engine.get(key), read),
    multiGet: (keys) =>
      timed(engine.multiGet(keys), (values) => {
        for (const value of values) read(value);
      }),
    put: (key, value) => {
      wrote(1, value.length);
      return timed(engine.put(key, value));
    },
    multiPut: (entries) => {
      for (const { value } of entries) wrote(1, value.length);
      return timed(engine.multiPut(entries));
    },
    putIfAbsent: (key, value) => {
      wrote(1, value.length);
      return timed(engine.putIfAbsent(key, value));
    },
    putSealed: (groups) => {
      for (const { entries, seal } of groups) {
        wrote(1, seal.value.length);
        for (const { value } of entries) wrote(1, value.length);
      }
      counters.calls += 1;
      const startUs = nowUs();
      return engine.putSealed(groups).then((outcomes) => {
        counters.waitedUs += nowUs() - startUs;
        for (const { kind } of outcomes) if (kind === "failed") counters.errors += 1;
        return outcomes;
      });
    },
    delete: (key) => watch(engine.delete(key)),
    multiDelete: (keys) => watch(engine.multiDelete(keys)),
    list: (prefix, options) => watch(engine.list(prefix, options)),
    close: () => engine.close(),
  };
  return { engine: wrapped, counters };
}
