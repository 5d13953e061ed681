/** @module Exact binomial intervals and what follows from them. Pure. */

/**
 * Upper end of the one-sided Clopper-Pearson interval: the largest rate that would still give `seen`
 * or fewer of `trials` with probability `1 - confidence`. 1 for no trials.
 *
 * Source: Clopper and Pearson (1934). For `seen` 0 it is 1 - (1 - confidence)^(1/trials), about
 * 3/trials at 95 %.
 */
export function upperRateBound(seen: number, trials: number, confidence: number): number {
  if (trials === 0 || seen >= trials) return 1;
  let low = seen / trials;
  let high = 1;
  for (let step = 0; step < 100; step += 1) {
    const rate = (low + high) / 2;
    if (cumulative(seen, trials, rate) > 1 - confidence) low = rate;
    else high = rate;
  }
  return high;
}

/** Lower end of the one-sided interval: the smallest rate that would still give `seen` or more. */
export function lowerRateBound(seen: number, trials: number, confidence: number): number {
  return 1 - upperRateBound(trials - seen, trials, confidence);
}

/** Two-sided Clopper-Pearson interval. [0, 1] for no trials. */
export function rateInterval(
  seen: number,
  trials: number,
  confidence: number,
): { readonly low: number; readonly high: number } {
  const oneSided = 1 - (1 - confidence) / 2;
  return {
    low: lowerRateBound(seen, trials, oneSided),
    high: upperRateBound(seen, trials, oneSided),
  };
}

/**
 * Smallest sample whose largest value lies above the `q` quantile with the given confidence; fewer
 * samples cannot support that percentile at all (MEASURING rule 4): 459 for p99, 4,603 for p99.9.
 */
export function samplesForPercentile(q: number, confidence = 0.99): number {
  return Math.ceil(Math.log(1 - confidence) / Math.log(q));
}

/** Whether `count` samples can support the `q` quantile. */
export function supportsPercentile(q: number, count: number): boolean {
  return count >= samplesForPercentile(q);
}

/** Probability of at most `seen` successes; summed in logarithms, so that large samples work. */
function cumulative(seen: number, trials: number, rate: number): number {
  const logOdds = Math.log(rate) - Math.log1p(-rate);
  let logTerm = trials * Math.log1p(-rate);
  let sum = Math.exp(logTerm);
  for (let count = 1; count <= seen; count += 1) {
    logTerm += Math.log((trials - count + 1) / count) + logOdds;
    sum += Math.exp(logTerm);
  }
  return sum;
}
