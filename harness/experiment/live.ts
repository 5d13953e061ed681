/**
 * @module Throughput and p99 of the last seconds, for whoever watches a run. Pure.
 *
 * For eyes only: nothing of it enters a record, so it may be rough at the edges of its window.
 */
import { type LoadPlan, requestsOf } from "#harness/loadgen/load.ts";
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

/**
 * How much of some loads is done: in requests, or in seconds if each of them ends after a time. Then
 * the requests it may take at most say nothing.
 */
export class LoadExtent {
  readonly #total: number;
  readonly #unit: "requests" | "s";
  #requests = 0;
  #doneUs = 0;
  #blockStartUs: number | undefined;

  constructor(loads: readonly LoadPlan[]) {
    const seconds = loads.map((load) => (load.model === "closed" ? load.seconds : undefined));
    const isTimed = seconds.every((one) => one !== undefined);
    this.#unit = isTimed ? "s" : "requests";
    this.#total = isTimed
      ? seconds.reduce((sum, one) => sum + one, 0)
      : loads.reduce((sum, load) => sum + requestsOf(load), 0);
  }

  noteRequest(): void {
    this.#requests += 1;
  }

  beginBlock(nowUs: number): void {
    this.#blockStartUs = nowUs;
  }

  endBlock(nowUs: number): void {
    this.#doneUs += nowUs - (this.#blockStartUs ?? nowUs);
    this.#blockStartUs = undefined;
  }

  at(nowUs: number): {
    readonly done: number;
    readonly total: number;
    readonly unit: "requests" | "s";
  } {
    const [total, unit] = [this.#total, this.#unit];
    if (unit === "requests") return { done: this.#requests, total, unit };
    const blockUs = nowUs - (this.#blockStartUs ?? nowUs);
    // A block may end late; there is never more done than there is.
    return { done: Math.min(total, (this.#doneUs + blockUs) / 1_000_000), total, unit };
  }
}
