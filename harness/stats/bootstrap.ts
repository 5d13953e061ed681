/**
 * @module Ratio of two systems measured in alternating blocks, with an interval (MEASURING rule 7).
 *
 * Blocks next to each other saw the same machine, so the ratio is taken pair by pair; the median of
 * the pairs is the estimate, and the interval is a percentile bootstrap over pairs.
 */
import type { Prng } from "#kit/prng.ts";
import { median, quantile } from "./quantile.ts";

export interface RatioEstimate {
  readonly median: number;
  /** 95 % interval. */
  readonly low: number;
  readonly high: number;
  readonly blocks: number;
}

const resamples = 2_000;

/**
 * Ratio of `candidate` to `baseline`, block by block.
 *
 * @param candidate  One figure per block; same length and order as `baseline`, all positive.
 * @returns NaN everywhere when there are no blocks; with fewer than five blocks the interval is
 *   wide by construction and covers less than it says.
 * Seeded: equal arguments give equal intervals.
 */
export function ratioOfBlocks(
  candidate: readonly number[],
  baseline: readonly number[],
  prng: Prng,
): RatioEstimate {
  const ratios = candidate.map((value, index) => value / (baseline[index] ?? Number.NaN));
  const medians = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample += 1) {
    const drawn = ratios.map(() => ratios[prng.nextInt(ratios.length)] ?? Number.NaN);
    medians[resample] = median(drawn);
  }
  return {
    median: median(ratios),
    low: quantile(medians, 0.025),
    high: quantile(medians, 0.975),
    blocks: ratios.length,
  };
}
