/**
 * @module An engine with the latency of a named cloud service laid over it.
 *
 * Each call takes `max(sampled, real)`: the real call starts after half of the sampled time, so
 * that its effect lies between invocation and acknowledgement, as it would with a real network, and
 * the answer is held back until the sampled time is over. With the memory engine below, the real
 * part is microseconds.
 */
import type { Clock } from "#kit/clock.ts";
import { delay } from "#kit/clock.ts";
import type { Prng } from "#kit/prng.ts";
import type { StorageEngine } from "../port.ts";
import { type EmulationProfile, type LatencyShape, sampleUs } from "./profiles.ts";

export function emulated(options: {
  readonly engine: StorageEngine;
  readonly profile: EmulationProfile;
  readonly clock: Clock;
  readonly prng: Prng;
}): StorageEngine {
  const { engine, profile, clock, prng } = options;

  const sampleBatchUs = (shape: LatencyShape, items: number): number => {
    let totalUs = 0;
    for (let rest = items; rest > 0; rest -= profile.itemsPerRequest) {
      const inRequest = Math.min(rest, profile.itemsPerRequest);
      totalUs += sampleUs(shape, prng) + (inRequest - 1) * profile.perFurtherItemUs;
    }
    return totalUs;
  };
  const during = async <T>(totalUs: number, call: () => Promise<T>): Promise<T> => {
    const endUs = clock.monotonicUs() + totalUs;
    await delay(clock, totalUs / 2);
    try {
      return await call();
    } finally {
      const restUs = endUs - clock.monotonicUs();
      if (restUs > 0) await delay(clock, restUs);
    }
  };
  const read = <T>(items: number, call: () => Promise<T>): Promise<T> =>
    during(sampleBatchUs(profile.read, items), call);
  const write = <T>(items: number, call: () => Promise<T>): Promise<T> =>
    during(sampleBatchUs(profile.write, items), call);
  // Services without batches take parallel requests: the slowest of them decides.
  const writeMany = <T>(items: number, call: () => Promise<T>): Promise<T> => {
    if (profile.itemsPerRequest > 1) return write(items, call);
    let slowestUs = 0;
    for (let item = 0; item < items; item += 1)
      slowestUs = Math.max(slowestUs, sampleUs(profile.write, prng));
    return during(slowestUs, call);
  };

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
