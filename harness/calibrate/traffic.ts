/**
 * @module Checks with real traffic: servers that stall, wait or never answer, in processes of their own
 * (MEASURING rule 5).
 */
import { createPrng } from "#kit/prng.ts";
import type { OpenLoopResult } from "#harness/loadgen/open-loop.ts";
import type { LatencyHistogram } from "#harness/metrics/histogram.ts";
import type { Percentile } from "#harness/record/run.ts";
import type { ArrivalPlan } from "#workloads/arrivals/plan.ts";
import { scheduleArrivals } from "#workloads/arrivals/schedule.ts";
import { type CalibrationCheck, Expectations, type GeneratorUnderTest } from "./check.ts";
import type { HttpRecorder } from "./http-load.ts";
import { startTarget, type Target, type TargetMode, type Truth } from "./target.ts";
import { exactPercentile } from "./truth.ts";

const seed = 20_261;
/** More than any check has under way at once: slots must not hide a standstill. */
const connections = 400;

const stall: CalibrationCheck = {
  id: "stall",
  title: "a server that freezes for 1 s is seen by every request that came due meanwhile",
  run: async ({ generator, signal }) => {
    const { recorder } = await offer({
      mode: { kind: "stall", delayMs: 0, atMs: 2_000, forMs: 1_000 },
      plan: { kind: "constant", perSecond: 100, seconds: 5 },
      timeoutUs: 10_000_000,
      generator,
      signal,
    });
    const { p50, p90, p99 } = inMs(recorder.responseTime);
    const expectations = new Expectations();
    expectations.within("requests", recorder.responseTime.count, 500, 500);
    expectations.within("response p50, ms", p50, 0, 5);
    expectations.within("response p90, ms", p90, 475, 525);
    return { failures: expectations.failures, figures: { p50Ms: p50, p90Ms: p90, p99Ms: p99 } };
  },
};

const constantDelay: CalibrationCheck = {
  id: "constant-delay",
  title: "a server that always takes 50 ms is reported as that, and clocks agree",
  run: async ({ generator, signal }) => {
    const { recorder, truth, originUs } = await offer({
      mode: { kind: "delay", delayMs: 50 },
      plan: { kind: "poisson", perSecond: 200, seconds: 2.6 },
      timeoutUs: 5_000_000,
      generator,
      signal,
    });
    const { p50, p99 } = inMs(recorder.responseTime);
    const expectations = new Expectations();
    expectations.within("response p50, ms", p50, 48, 52);
    // Both processes read the same clock, so the server cannot have seen a request before it was sent.
    const arrivals = truth.arrivals.toSorted((a, b) => a - b);
    const starts = recorder.attempts.map(({ startUs }) => startUs).toSorted((a, b) => a - b);
    const early = arrivals.filter((at, index) => at < (starts[index] ?? Infinity)).length;
    expectations.within("requests that arrived before they were sent", early, 0, 0);
    expectations.within(
      "first due before first arrival, us",
      originUs - (arrivals[0] ?? 0),
      -1e9,
      0,
    );
    return { failures: expectations.failures, figures: { p50Ms: p50, p99Ms: p99, early } };
  },
};

const silence: CalibrationCheck = {
  id: "never-answering",
  title: "requests that are never answered are counted at their time limit, inside the percentiles",
  run: async ({ generator, signal }) => {
    const timeoutUs = 1_000_000;
    const { recorder, truth } = await offer({
      mode: { kind: "silent", every: 10 },
      plan: { kind: "constant", perSecond: 250, seconds: 2 },
      timeoutUs,
      generator,
      signal,
    });
    const { p50, p99, max } = inMs(recorder.responseTime);
    const unanswered = Math.floor(truth.arrivals.length / 10);
    const censored = recorder.attempts.filter((attempt) => attempt.censored === true).length;
    const expectations = new Expectations();
    expectations.within("requests in the record", recorder.responseTime.count, 500, 500);
    expectations.within("requests counted at their limit", censored, unanswered, 500);
    expectations.within("response p50, ms", p50, 0, 50);
    expectations.within("response p99, ms", p99, 999, 1_001);
    expectations.within("response max, ms", max, 1_000, 1_001);
    const figures = { p50Ms: p50, p99Ms: p99, maxMs: max, unanswered, censored };
    return { failures: expectations.failures, figures };
  },
};

const pacing: CalibrationCheck = {
  id: "pacing",
  title: "requests reach a server at the times of their schedule",
  run: async ({ generator, signal }) => {
    const { truth, originUs, offsetsUs, result } = await offer({
      mode: { kind: "delay", delayMs: 0 },
      plan: { kind: "poisson", perSecond: 200, seconds: 2.6 },
      timeoutUs: 5_000_000,
      generator,
      signal,
    });
    const arrivals = truth.arrivals.toSorted((a, b) => a - b);
    const off = [...offsetsUs].map((at, index) =>
      Math.abs((arrivals[index] ?? Infinity) - (originUs + at)),
    );
    const p50 = exactPercentile(off, 0.5) / 1_000;
    const p99 = exactPercentile(off, 0.99) / 1_000;
    const expectations = new Expectations();
    expectations.within("requests that arrived", arrivals.length, result.offered, result.offered);
    expectations.within("distance from the schedule, p50, ms", p50, 0, 2);
    expectations.within("distance from the schedule, p99, ms", p99, 0, 50);
    return { failures: expectations.failures, figures: { offP50Ms: p50, offP99Ms: p99 } };
  },
};

export const trafficChecks: readonly CalibrationCheck[] = [stall, constantDelay, silence, pacing];

export interface Offered {
  readonly recorder: HttpRecorder;
  readonly result: OpenLoopResult;
  /** Due times from `originUs` on. */
  readonly offsetsUs: Float64Array;
  readonly originUs: number;
  readonly truth: Truth;
}

/** Puts a fresh server under a plan and asks it afterwards what it saw. */
export async function offer(options: {
  readonly mode: TargetMode;
  readonly plan: ArrivalPlan;
  readonly timeoutUs: number;
  readonly generator: GeneratorUnderTest;
  readonly signal: AbortSignal;
}): Promise<Offered> {
  const { mode, plan, timeoutUs, generator, signal } = options;
  const target: Target = await startTarget(mode);
  try {
    const recorder: HttpRecorder = generator.createRecorder();
    const offsetsUs = scheduleArrivals(plan, createPrng(seed).fork("arrivals"));
    const { clock } = generator;
    const result = await generator.offer({
      port: target.port,
      clock,
      recorder,
      signal,
      offsetsUs,
      connections,
      timeoutUs,
    });
    return { recorder, result, offsetsUs, originUs: result.originUs, truth: await target.truth() };
  } finally {
    await target.stop();
  }
}

function inMs(histogram: LatencyHistogram): Record<"p50" | "p90" | "p99" | "max", number> {
  const { p50, p90, p99, max } = histogram.summary();
  return { p50: ms(p50), p90: ms(p90), p99: ms(p99), max: max / 1_000 };
}

function ms(us: Percentile): number {
  return typeof us === "number" ? us / 1_000 : Number.NaN;
}
