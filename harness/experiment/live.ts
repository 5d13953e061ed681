/**
 * @module Throughput and p99 of the last seconds, for whoever watches a run. Pure.
 *
 * For eyes only: nothing of it enters a record, so it may be rough at the edges of its window.
 */
import { quantile } from "#harness/stats/quantile.ts";

const windowUs = 2_000_000;
/** More than this is thinned out: a quantile of so many is as good for an eye. */
const mostSamples = 20_000;
/** Below, a p99 would be the maximum under another name. */
const fewestForP99 = 100;

export interface LiveFigures {
  readonly throughputPerSecond: number;
  readonly p99Us: number | null;
}

export class LiveWindow {
  #samples: { endUs: number; responseUs: number }[] = [];
  #firstUs: number | undefined;

  record(endUs: number, responseUs: number): void {
    this.#firstUs ??= endUs - responseUs;
    this.#samples.push({ endUs, responseUs });
    if (this.#samples.length > mostSamples) this.#forget(endUs);
  }

  figures(nowUs: number): LiveFigures {
    this.#forget(nowUs);
    const spanUs = Math.min(windowUs, Math.max(1, nowUs - (this.#firstUs ?? nowUs)));
    const times = this.#samples.map(({ responseUs }) => responseUs);
    return {
      throughputPerSecond: (times.length * 1_000_000) / spanUs,
      p99Us: times.length < fewestForP99 ? null : quantile(times, 0.99),
    };
  }

  #forget(nowUs: number): void {
    this.#samples = this.#samples.filter(({ endUs }) => endUs > nowUs - windowUs);
  }
}
