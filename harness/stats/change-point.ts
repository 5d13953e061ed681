/**
 * @module Where a history of figures changed: E-divisive with permutation test.
 *
 * Source    Matteson and James, "A Nonparametric Approach for Multiple Change Point Analysis of
 *           Multivariate Data" (JASA 2014), one dimension, alpha 1. A change of any kind counts,
 *           not only one of the mean.
 * Differs   A segment is split into all before and all after the point; the paper also tries shorter
 *           right ends, which costs a factor of the length and matters for short-lived changes.
 */
import type { Prng } from "#kit/prng.ts";
import { median } from "./quantile.ts";

export interface ChangePoint {
  /** First point of the new regime, zero-based. */
  readonly index: number;
  /** Share of permutations that split at least as well. */
  readonly p: number;
  /** Medians of the segments on both sides. */
  readonly before: number;
  readonly after: number;
}

/** Longest history looked at; of a longer one the newest part. Cost is quadratic. */
export const maxHistory = 500;
const permutations = 199;

/** Change points in ascending order. Seeded: equal arguments give equal answers. */
export function changePoints(
  history: readonly number[],
  options: { readonly prng: Prng; readonly significance?: number; readonly minSegment?: number },
): ChangePoint[] {
  const { prng, significance = 0.05, minSegment = 3 } = options;
  const offset = Math.max(0, history.length - maxHistory);
  const values = history.slice(offset);
  const bounds = [0, values.length];
  const found: { at: number; p: number }[] = [];
  for (;;) {
    const best = bestSplit(values, bounds, minSegment);
    if (best === undefined) break;
    let asGood = 1;
    for (let round = 0; round < permutations; round += 1) {
      const shuffled = shuffledWithin(values, bounds, prng);
      const split = bestSplit(shuffled, bounds, minSegment);
      if (split !== undefined && split.statistic >= best.statistic) asGood += 1;
    }
    const p = asGood / (permutations + 1);
    if (p > significance) break;
    found.push({ at: best.at, p });
    bounds.push(best.at);
    bounds.sort((a, b) => a - b);
  }
  return found
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, p }) => {
      const position = bounds.indexOf(at);
      return {
        index: at + offset,
        p,
        before: median(values.slice(bounds[position - 1], at)),
        after: median(values.slice(at, bounds[position + 1])),
      };
    });
}

/** Scaled sample energy statistic between two samples: 0 for equal ones. */
export function energyStatistic(x: readonly number[], y: readonly number[]): number {
  const [n, m] = [x.length, y.length];
  let between = 0;
  for (const a of x) for (const b of y) between += Math.abs(a - b);
  const within = (values: readonly number[]): number => {
    let sum = 0;
    for (const [index, a] of values.entries())
      for (let other = 0; other < index; other += 1) sum += Math.abs(a - (values[other] ?? 0));
    return sum;
  };
  const pairs = (size: number): number => (size * (size - 1)) / 2 || 1;
  const distance = (2 * between) / (n * m) - within(x) / pairs(n) - within(y) / pairs(m);
  return ((n * m) / (n + m)) * distance;
}

function bestSplit(
  values: readonly number[],
  bounds: readonly number[],
  minSegment: number,
): { at: number; statistic: number } | undefined {
  let best: { at: number; statistic: number } | undefined;
  for (let segment = 0; segment + 1 < bounds.length; segment += 1) {
    const start = bounds[segment] ?? 0;
    const part = values.slice(start, bounds[segment + 1]);
    for (const { at, statistic } of splitsOf(part, minSegment))
      if (best === undefined || statistic > best.statistic) best = { at: start + at, statistic };
  }
  return best;
}

/** The energy statistic of every split; sums are carried from one to the next. */
function splitsOf(
  part: readonly number[],
  minSegment: number,
): { at: number; statistic: number }[] {
  const size = part.length;
  let [left, between, right] = [0, 0, 0];
  for (let a = 0; a < size; a += 1)
    for (let b = 0; b < a; b += 1) right += Math.abs((part[a] ?? 0) - (part[b] ?? 0));
  const splits: { at: number; statistic: number }[] = [];
  for (let at = 1; at < size; at += 1) {
    const moved = part[at - 1] ?? 0;
    let [toLeft, toRight] = [0, 0];
    for (let other = 0; other < at - 1; other += 1) toLeft += Math.abs(moved - (part[other] ?? 0));
    for (let other = at; other < size; other += 1) toRight += Math.abs(moved - (part[other] ?? 0));
    left += toLeft;
    right -= toRight;
    between += toRight - toLeft;
    const rest = size - at;
    if (at < minSegment || rest < minSegment) continue;
    const within = (2 * left) / (at * (at - 1)) + (2 * right) / (rest * (rest - 1));
    const statistic = ((at * rest) / size) * ((2 * between) / (at * rest) - within);
    splits.push({ at, statistic });
  }
  return splits;
}

function shuffledWithin(
  values: readonly number[],
  bounds: readonly number[],
  prng: Prng,
): number[] {
  const result = [...values];
  for (let segment = 0; segment + 1 < bounds.length; segment += 1) {
    const [start, end] = [bounds[segment] ?? 0, bounds[segment + 1] ?? 0];
    for (let at = end - 1; at > start; at -= 1) {
      const other = start + prng.nextInt(at - start + 1);
      const held = result[at] ?? 0;
      result[at] = result[other] ?? 0;
      result[other] = held;
    }
  }
  return result;
}
