/**
 * Goal    Every limit makes a run invalid with its own reason, and ordinary runs are not.
 * Method  One quiet observation; one change per limit, just inside and just outside.
 */
import { describe, expect, it } from "vitest";
import type { DistributionSummary } from "#harness/record/run.ts";
import {
  judgeValidity,
  mergeFitness,
  mergeWatches,
  type Observations,
  validityOf,
} from "./validity.ts";

const lateness = (p99: number): DistributionSummary => ({
  count: 1_000,
  min: 0,
  max: p99,
  mean: 1,
  p50: 1,
  p90: 1,
  p99,
  p999: { need: 4_603, have: 1_000 },
  clipped: 0,
});
const load = {
  offered: 1_000,
  sent: 1_000,
  dropped: 0,
  timedOut: 0,
  unanswered: 0,
  late: 0,
  maxInFlight: 4,
  dispatchLatenessUs: lateness(200),
};
const own = { generator: { longestStallMs: 30, stalledMs: 90, utilization: 0.7 }, cores: 0.5 };
const quiet: Observations = {
  smoke: false,
  validity: "relaxed",
  cores: 2,
  generators: [own],
  fitness: {
    loadAverageBefore: 1.5,
    stealShare: 0.001,
    foreignCores: 0.05,
    foreignCoresBefore: 0.05,
    minFreeMemoryMiB: 4_000,
    freeDiskMiB: 10_000,
    frequencyMHz: { min: 2_900, max: 3_000 },
  },
  responseP99Us: 40_000,
};
const stalledFor = (longestStallMs: number): Partial<Observations> => ({
  generators: [{ ...own, generator: { ...own.generator, longestStallMs } }],
});
const fitness = (change: Partial<Observations["fitness"]>): Partial<Observations> => ({
  fitness: { ...quiet.fitness, ...change },
});
const offered = (change: Partial<typeof load>): Partial<Observations> => ({
  generators: [{ ...own, load: { ...load, ...change } }],
});

describe("judgeValidity", () => {
  it("believes a quiet run, closed or open", () => {
    expect(judgeValidity(quiet)).toEqual({ invalidReasons: [], notes: [] });
    expect(judgeValidity({ ...quiet, ...offered({}) })).toEqual({ invalidReasons: [], notes: [] });
  });

  it.each([
    ["generator-stalled", stalledFor(400), true],
    ["generator-stalled", stalledFor(399), false],
    ["generator-late", offered({ dispatchLatenessUs: lateness(10_001) }), true],
    ["generator-late", offered({ dispatchLatenessUs: lateness(10_000) }), false],
    ["pool-exhausted", offered({ dropped: 11 }), true],
    ["pool-exhausted", offered({ dropped: 10 }), false],
    ["cpu-stolen", fitness({ stealShare: 0.06 }), true],
    ["cpu-stolen", fitness({ stealShare: null }), false],
    ["machine-busy", fitness({ foreignCores: 1.6 }), true],
    ["machine-busy", fitness({ foreignCores: 1.5 }), false],
    ["machine-busy-before", fitness({ foreignCoresBefore: 1.6 }), true],
    ["cpu-throttled", fitness({ frequencyMHz: { min: 2_000, max: 3_000 } }), true],
    ["cpu-throttled", fitness({ frequencyMHz: { min: 2_200, max: 3_000 } }), false],
    ["memory-short", fitness({ minFreeMemoryMiB: 200 }), true],
    ["disk-full", fitness({ freeDiskMiB: 100 }), true],
  ] as const)("%s", (code, change, invalid) => {
    const { invalidReasons } = judgeValidity({ ...quiet, ...change });
    expect(invalidReasons.map((reason) => reason.split(":")[0])).toEqual(invalid ? [code] : []);
  });

  it("judges each of several processes by itself, and says which", () => {
    const late = { ...own, load: { ...load, dispatchLatenessUs: lateness(20_000) } };
    const { invalidReasons } = judgeValidity({
      ...quiet,
      generators: [{ ...own, load }, late, ...(stalledFor(600).generators ?? [])],
    });
    expect(invalidReasons).toEqual([
      expect.stringMatching(/^generator-stalled: .* \(process 3 of 3\)$/),
      expect.stringMatching(/^generator-late: .* \(process 2 of 3\)$/),
    ]);
  });

  it("is stricter about figures that are to be quoted", () => {
    const strict = { ...quiet, validity: "strict" } as const;
    expect(judgeValidity(strict).invalidReasons).toEqual([]);
    const codes = (change: Partial<Observations>): (string | undefined)[] =>
      judgeValidity({ ...strict, ...change }).invalidReasons.map((text) => text.split(":")[0]);
    expect(codes(stalledFor(150))).toEqual(["generator-stalled"]);
    expect(codes(fitness({ foreignCores: 0.6 }))).toEqual(["machine-busy"]);
    expect(["smoke", "quick", "standard", "paper"].map(validityOf)).toEqual([
      "relaxed",
      "relaxed",
      "strict",
      "strict",
    ]);
  });

  it("allows lateness in proportion to the response time it is part of", () => {
    const late = offered({ dispatchLatenessUs: lateness(15_000) });
    expect(judgeValidity({ ...quiet, ...late, responseP99Us: 200_000 }).invalidReasons).toEqual([]);
  });

  it("notes a closed loop that uses its core to the full, and a shared machine", () => {
    const { invalidReasons, notes } = judgeValidity({
      ...quiet,
      generators: [{ ...own, cores: 0.99 }],
      ...fitness({ foreignCores: 0.5 }),
    });
    expect(invalidReasons).toEqual([]);
    expect(notes.map((note) => note.split(":")[0])).toEqual(["generator-bound", "machine-shared"]);
  });

  it("holds only the generator's own stops against a smoke run", () => {
    const smoke = { ...quiet, smoke: true, ...fitness({ foreignCores: 2 }) };
    expect(judgeValidity(smoke).invalidReasons).toEqual([]);
    expect(judgeValidity(smoke).notes[0]).toMatch(/^machine-busy/);
    const stalled = { ...smoke, ...stalledFor(500) };
    expect(judgeValidity(stalled).invalidReasons).toHaveLength(1);
  });
});

it("merges blocks: the worst stall, weighted shares, the least memory", () => {
  const parts = [
    { seconds: 1, generator: own.generator, fitness: quiet.fitness },
    {
      seconds: 3,
      generator: { longestStallMs: 500, stalledMs: 500, utilization: 1 },
      fitness: { ...quiet.fitness, foreignCores: 1.05, minFreeMemoryMiB: 100, stealShare: null },
    },
  ];
  expect(mergeWatches(parts)).toEqual({ longestStallMs: 500, stalledMs: 590, utilization: 0.925 });
  expect(mergeFitness(parts)).toMatchObject({
    foreignCores: 0.8,
    stealShare: null,
    minFreeMemoryMiB: 100,
  });
  expect(mergeFitness([])).toBeUndefined();
});
