/**
 * @module The highest rate that keeps an objective: bracketing by a factor, then halving the bracket.
 *
 * Answers near the border are chance, so a search is repeated, each from where the last one ended, and
 * what is reported is the median of the repeats with an interval.
 */
import type { CapacityProbe, CapacityRepeat } from "#harness/record/capacity.ts";

export interface SearchOptions {
  readonly startPerSecond: number;
  /** Step of the bracketing; above 1. */
  readonly factor: number;
  /** The bracket is closed when its ends differ by no more than this share. */
  readonly precision: number;
  readonly leastPerSecond: number;
  readonly mostPerSecond: number;
  /** Tries a rate; its verdict is never `unfit`. `undefined`: stopped. */
  readonly probe: (ratePerSecond: number) => Promise<CapacityProbe | undefined>;
}

/** `undefined`: it was stopped before it had an answer. Rejects as `probe` does. */
export async function searchCapacity(options: SearchOptions): Promise<CapacityRepeat | undefined> {
  const { factor, precision, leastPerSecond, mostPerSecond, probe } = options;
  const probes: CapacityProbe[] = [];
  let low = 0;
  let high: { readonly rate: number; readonly by: "slo" | "generator" } | undefined;
  const finish = (limitedBy: CapacityRepeat["limitedBy"]): CapacityRepeat => ({
    ratePerSecond: low,
    ceilingPerSecond: high?.rate ?? null,
    limitedBy,
    probes,
  });
  let rate = clamp(options.startPerSecond, leastPerSecond, mostPerSecond);
  for (;;) {
    const tried = await probe(rate);
    if (tried === undefined) return undefined;
    probes.push(tried);
    if (tried.verdict === "kept") low = Math.max(low, rate);
    else high = { rate, by: tried.verdict === "generator" ? "generator" : "slo" };
    if (high === undefined) {
      if (rate >= mostPerSecond) return finish("search-bound");
      rate = clamp(rate * factor, leastPerSecond, mostPerSecond);
    } else if (low === 0) {
      if (rate <= leastPerSecond) return finish(high.by);
      rate = clamp(rate / factor, leastPerSecond, mostPerSecond);
    } else {
      const middle = Math.round(Math.sqrt(low * high.rate));
      if (high.rate / low <= 1 + precision || middle <= low || middle >= high.rate)
        return finish(high.by);
      rate = middle;
    }
  }
}

function clamp(rate: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.round(rate)));
}
