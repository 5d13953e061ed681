import { expect, it } from "vitest";
import type { RunSummary } from "#harness/record/run.ts";
import { coreUse } from "./saturation.ts";

function run(given: {
  readonly cpuCores: Readonly<Record<string, number>>;
  readonly coreWaits?: Readonly<Record<string, number>>;
}): RunSummary {
  const summary = {
    ...given,
    throughputPerSecond: 400,
    responseTimeUs: { mean: 40_000 },
    fitness: { foreignCores: 0.1 },
  };
  // What coreUse looks at is all there; a whole summary would hide it.
  return summary as unknown as RunSummary;
}

const calm = { load: 0.3, "replica-1": 0.2, "replica-2": 0.2, redis: 0.1 };

it("sums up cores by kind, foreign ones too", () => {
  const use = coreUse(run({ cpuCores: calm }), 2);
  expect(use.byKind).toEqual({ load: 0.3, replicas: 0.4, redis: 0.1, others: 0.1 });
  expect(use.total).toBeCloseTo(0.9);
  expect(use.saturated).toBeUndefined();
});

it("says when the machine is full, or one event loop", () => {
  expect(coreUse(run({ cpuCores: { ...calm, load: 1.2 } }), 2).saturated).toMatch(/1.8 of 2/);
  expect(coreUse(run({ cpuCores: { load: 0.96 } }), 4).saturated).toMatch(/load uses 0.96/);
});

it("says when a transaction waits for a core for a twentieth of its time", () => {
  const waits = (each: number) => ({ load: each, "replica-1": each, "replica-2": each, redis: 5 });
  const short = coreUse(run({ cpuCores: calm, coreWaits: waits(0.2) }), 2);
  expect(short.waitMsPerTransaction).toBeCloseTo(1.5);
  expect(short.saturated).toBeUndefined();
  const long = coreUse(run({ cpuCores: calm, coreWaits: waits(0.3) }), 2);
  expect(long.saturated).toBe("a transaction waits 2.3 ms for one of 2 cores");
});
