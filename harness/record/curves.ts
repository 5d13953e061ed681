/**
 * @module Response times of a run as a curve of quantiles, from its interval log: no further than the sample
 * supports (MEASURING rule 4).
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type LatencyHistogram, readHistogramLog } from "#harness/metrics/histogram.ts";
import { supportsPercentile } from "#harness/stats/binomial.ts";
import { RunDirectoryError } from "./run-files.ts";

export interface LatencyCurve {
  readonly count: number;
  /** Ascending; `oneIn` is 1 / (1 - quantile): one request in so many takes longer. */
  readonly points: readonly {
    readonly quantile: number;
    readonly oneIn: number;
    readonly us: number;
  }[];
}

/** Points for each factor of ten of `oneIn`. */
const pointsPerDecade = 12;
const mostDecades = 6;

/** Undefined where the directory has no interval log. Rejects with `RunDirectoryError` if it is unreadable. */
export async function readCurve(directory: string): Promise<LatencyCurve | undefined> {
  const path = join(directory, "latency.hlog");
  if (!existsSync(path)) return undefined;
  let histogram: LatencyHistogram | undefined;
  try {
    histogram = readHistogramLog(await readFile(path, "utf8")).get("response-time-us");
  } catch (cause) {
    throw new RunDirectoryError("read", path, { cause });
  }
  return histogram === undefined ? undefined : curveOf(histogram);
}

/** From the fastest request on to the rarest one that the sample can speak of. */
export function curveOf(histogram: LatencyHistogram): LatencyCurve {
  const { count } = histogram;
  const points: { quantile: number; oneIn: number; us: number }[] = [];
  if (count === 0) return { count, points };
  for (let step = 0; step <= pointsPerDecade * mostDecades; step += 1) {
    const oneIn = 10 ** (step / pointsPerDecade);
    const quantile = 1 - 1 / oneIn;
    if (quantile > 0 && !supportsPercentile(quantile, count)) break;
    const us = histogram.percentile(quantile);
    if (typeof us === "number") points.push({ quantile, oneIn, us });
  }
  return { count, points };
}
