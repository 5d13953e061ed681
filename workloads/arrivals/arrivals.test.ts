/**
 * Goal    A schedule is its plan: the right number of arrivals at the right times, fixed by the seed.
 * Method  Hand cases per kind; distribution of gaps and counts against theory; bad traces by line.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError } from "#kit/errors.ts";
import { createPrng } from "#kit/prng.ts";
import { type ArrivalPlan, arrivalsUs, describeArrivals, expectedArrivals } from "./plan.ts";
import { scheduleArrivals } from "./schedule.ts";
import { parseTrace } from "./trace.ts";

function schedule(plan: ArrivalPlan, seed = 1): number[] {
  return [...scheduleArrivals(plan, createPrng(seed))];
}

describe("scheduleArrivals", () => {
  it("spaces a constant rate evenly, from the first instant on", () => {
    expect(schedule({ kind: "constant", perSecond: 4, seconds: 1.5 })).toEqual([
      0, 250_000, 500_000, 750_000, 1_000_000, 1_250_000,
    ]);
  });

  it("draws exponential gaps for Poisson: mean and deviation agree, and the seed decides", () => {
    const plan: ArrivalPlan = { kind: "poisson", perSecond: 1_000, seconds: 20 };
    const due = schedule(plan);
    // 20,000 expected; five standard deviations are 707.
    expect(Math.abs(due.length - 20_000)).toBeLessThan(707);
    const gaps = due.slice(1).map((at, index) => at - (due[index] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(
      gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length,
    );
    expect(deviation / mean).toBeGreaterThan(0.95);
    expect(deviation / mean).toBeLessThan(1.05);
    expect(schedule(plan)).toEqual(due);
    expect(schedule(plan, 2)).not.toEqual(due);
  });

  it("ramps linearly: the first half of a ramp from 0 brings a quarter of the requests", () => {
    for (const gaps of ["even", "poisson"] as const) {
      const stages = [{ seconds: 10, fromPerSecond: 0, toPerSecond: 2_000 }];
      const due = schedule({ kind: "stages", gaps, stages });
      const early = due.filter((at) => at < 5_000_000).length;
      expect(early / due.length).toBeCloseTo(0.25, 1);
      expect(Math.abs(due.length - 10_000)).toBeLessThan(gaps === "even" ? 2 : 500);
    }
  });

  it("is ascending, inside its time, and as many as expected, whatever the stages", () => {
    const arbStage = fc.record({
      seconds: fc.integer({ min: 1, max: 5 }),
      fromPerSecond: fc.nat({ max: 200 }),
      toPerSecond: fc.nat({ max: 200 }),
    });
    fc.assert(
      fc.property(fc.array(arbStage, { minLength: 1, maxLength: 5 }), (stages) => {
        const plan: ArrivalPlan = { kind: "stages", gaps: "even", stages };
        const due = schedule(plan);
        expect(due).toEqual(due.toSorted((a, b) => a - b));
        expect(due.every((at) => at >= 0 && at <= arrivalsUs(plan))).toBe(true);
        expect(Math.abs(due.length - expectedArrivals(plan))).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("parseTrace", () => {
  it("reads milliseconds with decimals, and skips comments", () => {
    const dueUs = parseTrace("t", "# due, ms\n0\n1.5\n\n1.5\n2000\n");
    expect(dueUs).toEqual([0, 1_500, 1_500, 2_000_000]);
    const plan: ArrivalPlan = { kind: "trace", source: "t", sha256: "x", dueUs };
    expect(schedule(plan)).toEqual(dueUs);
    expect(describeArrivals(plan)).toEqual({
      kind: "trace",
      source: "t",
      sha256: "x",
      requests: 4,
    });
  });

  it("names every bad line, and refuses an empty trace", () => {
    expect(() => parseTrace("day.txt", "5\n4\nnoon\n-1\n")).toThrow(ConfigError);
    try {
      parseTrace("day.txt", "5\n4\nnoon\n-1\n");
    } catch (error) {
      const { problems } = error as ConfigError;
      expect(problems.map(({ where }) => where)).toEqual(["day.txt:2", "day.txt:3", "day.txt:4"]);
    }
    expect(() => parseTrace("day.txt", "# nothing\n")).toThrow(/no due times/);
  });
});
