/**
 * @module Latencies of cloud services, as data: fitted to the medians and 99th percentiles that the
 * paper prints for *plain* storage. Everything drawn with one of these is labelled "emulated".
 *
 * One operation takes `medianUs × e^(sigma × N(0,1))`, a log-normal, whose p99 is
 * `medianUs × e^(2.326 × sigma)`.
 */
import type { Prng } from "#kit/prng.ts";

export type EmulationProfileName = "dynamodb" | "s3" | "elasticache";

/** A log-normal duration. */
export interface LatencyShape {
  readonly medianUs: number;
  readonly p99Us: number;
}

export interface EmulationProfile {
  readonly name: EmulationProfileName;
  readonly read: LatencyShape;
  readonly write: LatencyShape;
  /** A batch of n items takes the time of one plus (n - 1) times this. */
  readonly perFurtherItemUs: number;
  /** Items one request carries; larger batches take several requests, one after another. */
  readonly itemsPerRequest: number;
  /** Where the numbers come from, and what they do not show. */
  readonly source: string;
}

export const emulationProfiles: Readonly<Record<EmulationProfileName, EmulationProfile>> = {
  elasticache: {
    name: "elasticache",
    read: { medianUs: 850, p99Us: 2_400 },
    write: { medianUs: 850, p99Us: 2_400 },
    perFurtherItemUs: 60,
    itemsPerRequest: 1_000,
    source:
      "AFT (EuroSys '20) Fig. 3 Redis plain 33.6/72.5 ms and Fig. 6: six operations in what two Lambda invocations leave",
  },
  dynamodb: {
    name: "dynamodb",
    read: { medianUs: 7_100, p99Us: 38_000 },
    write: { medianUs: 3_030, p99Us: 5_450 },
    perFurtherItemUs: 420,
    itemsPerRequest: 25,
    source:
      "AFT (EuroSys '20) Fig. 2 DynamoDB 1 write 3.03/5.45 ms, batches 4.65 and 6.82 ms; reads so that Fig. 3 plain is 69.1/137 ms",
  },
  s3: {
    name: "s3",
    read: { medianUs: 18_500, p99Us: 220_000 },
    write: { medianUs: 20_500, p99Us: 230_000 },
    perFurtherItemUs: 0,
    itemsPerRequest: 1,
    source: "AFT (EuroSys '20) Fig. 3 S3 plain 199/649 ms: six operations beside two invocations",
  },
};

/** One Lambda invocation, from the caller's side. */
export interface InvocationProfile {
  readonly shape: LatencyShape;
  readonly source: string;
}

export const invocationProfiles: Readonly<Record<"lambda", InvocationProfile>> = {
  lambda: {
    shape: { medianUs: 13_100, p99Us: 43_500 },
    source: "AFT (EuroSys '20) Fig. 3 and 6: what six operations leave of a transaction",
  },
};

const z99 = 2.326_347_874;

/** Draws one duration in microseconds. */
export function sampleUs(shape: LatencyShape, prng: Prng): number {
  const sigma = Math.log(shape.p99Us / shape.medianUs) / z99;
  return shape.medianUs * Math.exp(sigma * standardNormal(prng));
}

/** Box-Muller; `1 - next()` because the logarithm needs a number above 0. */
function standardNormal(prng: Prng): number {
  const radius = Math.sqrt(-2 * Math.log(1 - prng.next()));
  return radius * Math.cos(2 * Math.PI * prng.next());
}
