/**
 * @module Gate by time: candidate against base, block by block in one run, next to base against itself. Pure.
 *
 * Fails only where the interval of the ratio lies beyond the noise threshold as a whole; passes only
 * where it lies within. A/A is base against another process of base: if that alone goes beyond the
 * threshold the machine is unfit, and nothing is decided.
 */
import type { Prng } from "#kit/prng.ts";
import { samplesForPercentile } from "#harness/stats/binomial.ts";
import {
  type RatioEstimate,
  ratioOfBlocks,
  ratioOfPooledQuantiles,
} from "#harness/stats/bootstrap.ts";
import { mannWhitney } from "#harness/stats/mann-whitney.ts";
import { type GateCheck, type GateOutcome, type GateResult, worstOutcome } from "./outcome.ts";

/** One figure per block, in order; equal positions ran next to each other. */
export interface AbFigures {
  readonly base: readonly number[];
  readonly baseAgain: readonly number[];
  readonly candidate: readonly number[];
}

export interface TimeJudgement extends GateCheck {
  readonly ratio: RatioEstimate;
  readonly aa: RatioEstimate;
  /** Mann-Whitney over the same blocks, as a second opinion; decides nothing. Absent for tails. */
  readonly p?: number;
  /**
   * May fail the gate, but a doubt about it does not withhold a pass: on a shared machine a tail's
   * interval is wide however long one measures.
   */
  readonly tail?: boolean;
}

/** Least blocks an interval of 95 % needs; fewer never pass and never fail. */
export const leastBlocks = 6;

/**
 * Judges one figure of which less is better.
 *
 * @param threshold  A ratio of 1 + threshold is still noise; above 0.
 */
export function judgeTime(options: {
  readonly name: string;
  readonly figures: AbFigures;
  readonly threshold: number;
  readonly prng: Prng;
}): TimeJudgement {
  const { name, figures, threshold, prng } = options;
  const aa = ratioOfBlocks(figures.baseAgain, figures.base, prng.fork(`${name} A/A`));
  const ratio = ratioOfBlocks(figures.candidate, figures.base, prng.fork(`${name} A/B`));
  const { p } = mannWhitney(figures.candidate, figures.base);
  const [outcome, why] = decide({ ratio, aa, threshold });
  const explanation =
    `candidate/base ${formatRatio(ratio)}, base/base ${formatRatio(aa)}, ` +
    `threshold ${(1 + threshold).toFixed(2)}, ${ratio.blocks} blocks, ` +
    `Mann-Whitney p ${p.toPrecision(2)}: ${why}`;
  return { name, outcome, explanation, ratio, aa, p };
}

/** Single values, block by block; equal positions ran next to each other. */
export interface AbValues {
  readonly base: readonly (readonly number[])[];
  readonly baseAgain: readonly (readonly number[])[];
  readonly candidate: readonly (readonly number[])[];
}

/**
 * Judges a high quantile of everything measured. One block cannot support it, so whole blocks are drawn
 * and their values pooled; where even all of them together cannot (MEASURING rule 4), it is
 * inconclusive.
 */
export function judgeTail(options: {
  readonly name: string;
  readonly q: number;
  readonly values: AbValues;
  readonly threshold: number;
  readonly prng: Prng;
}): TimeJudgement {
  const { name, q, values, threshold, prng } = options;
  const pairsWith = (side: readonly (readonly number[])[]) =>
    side.map((candidate, at) => ({ candidate, baseline: values.base[at] ?? [] }));
  const need = samplesForPercentile(q);
  const have = Math.min(
    ...[values.base, values.baseAgain, values.candidate].map((side) => side.flat().length),
  );
  if (have < need) {
    const none: RatioEstimate = {
      median: Number.NaN,
      low: Number.NaN,
      high: Number.NaN,
      blocks: values.base.length,
      confidence: 0,
    };
    const explanation = `n/a (need ${need} transactions a side, have ${have})`;
    return { name, outcome: "inconclusive", explanation, ratio: none, aa: none, tail: true };
  }
  const aa = ratioOfPooledQuantiles(pairsWith(values.baseAgain), q, prng.fork(`${name} A/A`));
  const ratio = ratioOfPooledQuantiles(pairsWith(values.candidate), q, prng.fork(`${name} A/B`));
  const [outcome, why] = decide({ ratio, aa, threshold });
  const explanation =
    `candidate/base ${formatRatio(ratio)}, base/base ${formatRatio(aa)}, ` +
    `threshold ${(1 + threshold).toFixed(2)}, ${have} transactions a side: ${why}`;
  return { name, outcome, explanation, ratio, aa, tail: true };
}

/** The gate's result over all judged figures. */
export function timeGate(
  judgements: readonly TimeJudgement[],
  options: { readonly attempts: number; readonly notes: readonly string[] },
): GateResult {
  const deciding = judgements.filter(
    ({ tail = false, outcome }) => !(tail && outcome === "inconclusive"),
  );
  const outcome = worstOutcome(deciding.map((judgement) => judgement.outcome));
  return { gate: "time", outcome, checks: judgements, ...options };
}

export function formatRatio({ median, low, high }: RatioEstimate): string {
  return `${median.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}

function decide(options: {
  readonly ratio: RatioEstimate;
  readonly aa: RatioEstimate;
  readonly threshold: number;
}): [GateOutcome, string] {
  const { ratio, aa, threshold } = options;
  const most = 1 + threshold;
  if (ratio.blocks < leastBlocks)
    return ["inconclusive", `fewer than ${leastBlocks} blocks support no interval`];
  if (!Number.isFinite(ratio.median) || !Number.isFinite(aa.median))
    return ["inconclusive", "a block has no figure"];
  // Noise that moves base against itself beyond the threshold would do so to any candidate.
  if (aa.low > most || aa.high < 1 / most)
    return ["inconclusive", "base differs from itself: this machine is unfit just now"];
  // What base differs from itself by is not held against the candidate.
  const shift = Math.max(aa.median, 1 / aa.median);
  if (ratio.low > most * shift) return ["fail", "slower beyond chance and threshold"];
  if (ratio.high <= most) return ["pass", "not slower beyond the threshold"];
  return ["inconclusive", "the interval reaches over the threshold"];
}
