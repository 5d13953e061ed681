/**
 * @module Ratios of two systems measured in alternating blocks, with intervals (MEASURING rule 7).
 *
 * Blocks next to each other saw the same machine, so a pair of blocks is the unit that is drawn
 * again: what happens inside a block may be correlated as it likes. Percentile bootstrap over
 * pairs, seeded.
 *
 * Small samples. Fewer than six pairs cannot support 95 % whatever is done with them: the interval is
 * then the range of the pairs and `confidence` says what that covers, 1 - 2^(1 - n) of the time for
 * a median (three pairs: 75 %). From six pairs on the tests measure 92-98 % coverage for the median.
 */
import type { Prng } from "#kit/prng.ts";
import { median, quantile } from "./quantile.ts";

export interface RatioEstimate {
  readonly median: number;
  /** Interval of `confidence`. */
  readonly low: number;
  readonly high: number;
  readonly blocks: number;
  /** 0.95, or less where there are too few blocks for that. */
  readonly confidence: number;
}

/** One block of either side, next to each other in time. */
export interface BlockPair<Block> {
  readonly candidate: Block;
  readonly baseline: Block;
}

const resamples = 2_000;
/** From here on the range of the pairs covers more than 95 %, so that less than all can do. */
const enoughBlocks = 6;

/**
 * Ratio of `candidate` to `baseline`, block by block: the median of the pairs' ratios.
 *
 * @param candidate  One figure per block; same length and order as `baseline`, all positive.
 * @returns NaN everywhere when there are no blocks.
 * Seeded: equal arguments give equal intervals.
 */
export function ratioOfBlocks(
  candidate: readonly number[],
  baseline: readonly number[],
  prng: Prng,
): RatioEstimate {
  const ratios = candidate.map((value, index) => value / (baseline[index] ?? Number.NaN));
  return estimate({ blocks: ratios, statistic: median, prng });
}

/** Of goodput: all requests over all time, so that long blocks weigh more than short ones. */
export function ratioOfRates(
  pairs: readonly BlockPair<{ readonly count: number; readonly seconds: number }>[],
  prng: Prng,
): RatioEstimate {
  const statistic = (drawn: typeof pairs): number => {
    const sum = { count: 0, seconds: 0, baseCount: 0, baseSeconds: 0 };
    for (const { candidate, baseline } of drawn) {
      sum.count += candidate.count;
      sum.seconds += candidate.seconds;
      sum.baseCount += baseline.count;
      sum.baseSeconds += baseline.seconds;
    }
    return sum.count / sum.seconds / (sum.baseCount / sum.baseSeconds);
  };
  return estimate({ blocks: pairs, statistic, prng });
}

/**
 * Of the `q` quantiles of everything measured: for percentiles that one block is too short to
 * support. Whole blocks are drawn and their values pooled.
 *
 * Cost: one sort, then a pass over all values per resample.
 */
export function ratioOfPooledQuantiles(
  pairs: readonly BlockPair<readonly number[]>[],
  q: number,
  prng: Prng,
): RatioEstimate {
  const candidate = sortedWithBlock(pairs.map((pair) => pair.candidate));
  const baseline = sortedWithBlock(pairs.map((pair) => pair.baseline));
  const weights = new Uint32Array(pairs.length);
  const statistic = (drawn: readonly number[]): number => {
    weights.fill(0);
    for (const index of drawn) weights[index] = (weights[index] ?? 0) + 1;
    return weightedQuantile(candidate, weights, q) / weightedQuantile(baseline, weights, q);
  };
  return estimate({ blocks: pairs.map((_pair, index) => index), statistic, prng, resamples: 500 });
}

/**
 * Ratio of the medians of two series of blocks that did not run next to each other; each is drawn
 * on its own. What the machine did between the two runs is in the ratio and not in the interval.
 */
export function ratioOfMedians(
  candidate: readonly number[],
  baseline: readonly number[],
  prng: Prng,
): RatioEstimate {
  const blocks = Math.min(candidate.length, baseline.length);
  const point = median(candidate) / median(baseline);
  if (blocks < enoughBlocks) {
    const [low, high] =
      blocks === 0
        ? [Number.NaN, Number.NaN]
        : [
            Math.min(...candidate) / Math.max(...baseline),
            Math.max(...candidate) / Math.min(...baseline),
          ];
    const confidence = blocks === 0 ? 0 : 1 - 2 ** (1 - blocks);
    return { median: point, low, high, blocks, confidence };
  }
  const draw = (values: readonly number[]): number =>
    median(values.map(() => values[prng.nextInt(values.length)] ?? Number.NaN));
  const values = Float64Array.from({ length: resamples }, () => draw(candidate) / draw(baseline));
  return {
    median: point,
    low: quantile(values, 0.025),
    high: quantile(values, 0.975),
    blocks,
    confidence: 0.95,
  };
}

function estimate<Block>(options: {
  readonly blocks: readonly Block[];
  readonly statistic: (drawn: readonly Block[]) => number;
  readonly prng: Prng;
  readonly resamples?: number;
}): RatioEstimate {
  const { blocks, statistic, prng } = options;
  const point = statistic(blocks);
  if (blocks.length < enoughBlocks) {
    const single = blocks.map((block) => statistic([block]));
    const [low, high] =
      blocks.length === 0 ? [Number.NaN, Number.NaN] : [Math.min(...single), Math.max(...single)];
    const confidence = blocks.length === 0 ? 0 : 1 - 2 ** (1 - blocks.length);
    return { median: point, low, high, blocks: blocks.length, confidence };
  }
  const values = new Float64Array(options.resamples ?? resamples);
  for (let resample = 0; resample < values.length; resample += 1)
    values[resample] = statistic(blocks.map(() => blocks[prng.nextInt(blocks.length)] as Block));
  return {
    median: point,
    low: quantile(values, 0.025),
    high: quantile(values, 0.975),
    blocks: blocks.length,
    confidence: 0.95,
  };
}

interface TaggedValue {
  readonly value: number;
  readonly block: number;
}

function sortedWithBlock(blocks: readonly (readonly number[])[]): TaggedValue[] {
  return blocks
    .flatMap((values, block) => values.map((value) => ({ value, block })))
    .toSorted((a, b) => a.value - b.value);
}

/** Smallest value with at least the share `q` of the weight at or below it. */
function weightedQuantile(sorted: readonly TaggedValue[], weights: Uint32Array, q: number): number {
  let total = 0;
  for (const { block } of sorted) total += weights[block] ?? 0;
  let below = 0;
  for (const { value, block } of sorted) {
    below += weights[block] ?? 0;
    if (below >= q * total && below > 0) return value;
  }
  return Number.NaN;
}
