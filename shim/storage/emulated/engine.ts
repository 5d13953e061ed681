/**
 * @module An engine with the latency of a named cloud service laid over it (delays.ts). With the memory
 * engine below, the real part is microseconds.
 */
import type { Clock } from "#kit/clock.ts";
import type { Prng } from "#kit/prng.ts";
import type { StorageEngine } from "../port.ts";
import { createDelays } from "./delays.ts";
import type { EmulationProfile } from "./profiles.ts";

export function emulated(options: {
  readonly engine: StorageEngine;
  readonly profile: EmulationProfile;
  readonly clock: Clock;
  readonly prng: Prng;
}): StorageEngine {
  const { engine, profile } = options;
  const { read, write, writeMany } = createDelays(options);
  return {
    name: `${engine.name}+${profile.name}`,
    // A service behind a network seals in two trips, whatever the engine below could do.
    capabilities: { ...engine.capabilities, orderedPipeline: false, atomicMultiPut: false },
    get: (key) => read(1, () => engine.get(key)),
    multiGet: (keys) => read(keys.length, () => engine.multiGet(keys)),
    put: (key, value) => write(1, () => engine.put(key, value)),
    multiPut: (entries) => writeMany(entries.length, () => engine.multiPut(entries)),
    putIfAbsent: (key, value) => write(1, () => engine.putIfAbsent(key, value)),
    putSealed: async (groups) => {
      const items = groups.reduce((sum, { entries }) => sum + entries.length, 0);
      // Data first, then the records: the time of both trips, the effect within the second.
      if (items > 0) await writeMany(items, () => Promise.resolve());
      return writeMany(groups.length, () => engine.putSealed(groups));
    },
    delete: (key) => write(1, () => engine.delete(key)),
    multiDelete: (keys) => writeMany(keys.length, () => engine.multiDelete(keys)),
    list: (prefix, listOptions) => read(1, () => engine.list(prefix, listOptions)),
    close: () => engine.close(),
  };
}
