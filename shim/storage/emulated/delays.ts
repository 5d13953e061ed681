/**
 * @module The latency of a named cloud service, laid over requests that are made anyway.
 *
 * Each takes `max(sampled, real)`: the real request starts after half of the sampled time, so that its
 * effect lies between invocation and acknowledgement, as it would with a real network, and the answer
 * is held back until the sampled time is over.
 */
import type { Clock } from "#kit/clock.ts";
import { delay } from "#kit/clock.ts";
import type { Prng } from "#kit/prng.ts";
import { type EmulationProfile, type LatencyShape, sampleUs } from "./profiles.ts";

/** Makes a request of so many items take as long as the service would. */
export interface Delays {
  readonly read: <T>(items: number, call: () => Promise<T>) => Promise<T>;
  readonly write: <T>(items: number, call: () => Promise<T>) => Promise<T>;
  /** Services without batches take parallel requests: the slowest of them decides. */
  readonly writeMany: <T>(items: number, call: () => Promise<T>) => Promise<T>;
}

export function createDelays(options: {
  readonly profile: EmulationProfile;
  readonly clock: Clock;
  readonly prng: Prng;
}): Delays {
  const { profile, clock, prng } = options;

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
  const write = <T>(items: number, call: () => Promise<T>): Promise<T> =>
    during(sampleBatchUs(profile.write, items), call);
  return {
    read: (items, call) => during(sampleBatchUs(profile.read, items), call),
    write,
    writeMany: (items, call) => {
      if (profile.itemsPerRequest > 1) return write(items, call);
      let slowestUs = 0;
      for (let item = 0; item < items; item += 1)
        slowestUs = Math.max(slowestUs, sampleUs(profile.write, prng));
      return during(slowestUs, call);
    },
  };
}
