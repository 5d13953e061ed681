/**
 * @module What a transaction should take, from what it asks of the storage and how long the storage takes.
 *
 * A transaction's time is what it takes beside a storage that answers at once, and the trips to storage
 * that follow one another. Trips are drawn from the profile's distributions, because a sum of skewed
 * times has no simple median. Waiting for others (group commit) is left out: where it matters, the
 * measurement lies above.
 */
import type { Prng } from "#kit/prng.ts";
import { median } from "#harness/stats/quantile.ts";
import {
  type EmulationProfile,
  type LatencyShape,
  sampleUs,
} from "#shim/storage/emulated/profiles.ts";

/** Requests to storage that follow one another in a transaction. */
export interface Trips {
  /** Reads one after another; a fraction is the chance of one more. */
  readonly reads: number;
  /** Writes one after another, each of so many items. */
  readonly writes: readonly number[];
}

const draws = 20_000;

/** @param baseUs  The transaction's median beside a storage that answers at once. */
export function predictMedianUs(options: {
  readonly profile: EmulationProfile;
  readonly trips: Trips;
  readonly baseUs: number;
  readonly prng: Prng;
}): number {
  const { profile, trips, baseUs, prng } = options;
  const sums = new Float64Array(draws);
  for (let draw = 0; draw < draws; draw += 1) {
    let sumUs = baseUs;
    const reads = Math.floor(trips.reads) + (prng.next() < trips.reads % 1 ? 1 : 0);
    for (let read = 0; read < reads; read += 1) sumUs += sampleUs(profile.read, prng);
    for (const items of trips.writes) sumUs += writeUs(profile, items, prng);
    sums[draw] = sumUs;
  }
  return median(sums);
}

/** One request where the service takes several items in one, otherwise the slowest of parallel ones. */
function writeUs(profile: EmulationProfile, items: number, prng: Prng): number {
  const { itemsPerRequest, perFurtherItemUs, write } = profile;
  if (itemsPerRequest === 1) return slowestUs(write, items, prng);
  let sumUs = 0;
  for (let rest = items; rest > 0; rest -= itemsPerRequest)
    sumUs += sampleUs(write, prng) + (Math.min(rest, itemsPerRequest) - 1) * perFurtherItemUs;
  return sumUs;
}

function slowestUs(shape: LatencyShape, items: number, prng: Prng): number {
  let slowest = 0;
  for (let item = 0; item < items; item += 1) slowest = Math.max(slowest, sampleUs(shape, prng));
  return slowest;
}
