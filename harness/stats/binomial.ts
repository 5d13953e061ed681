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

/**
 * Smallest sample whose largest value lies above the `q` quantile with the given confidence; fewer
 * samples cannot support that percentile at all (MEASURING rule 4): 459 for p99, 4,603 for p99.9.
 */
export function samplesForPercentile(q: number, confidence = 0.99): number {
  return Math.ceil(Math.log(1 - confidence) / Math.log(q));
}

/** Probability of at most `seen` successes; summed in logarithms, so that large samples work. */
function cumulative(seen: number, trials: number, rate: number): number {
  let logTerm = trials * Math.log1p(-rate);
  let sum = Math.exp(logTerm);
  for (let count = 1; count <= seen; count += 1) {
    logTerm += Math.log((trials - count + 1) / count) + Math.log(rate) - Math.log1p(-rate);
    sum += Math.exp(logTerm);
  }
  return sum;
}
