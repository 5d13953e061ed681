/**
 * Goal    Some seeds hold, each twice with the same events; what failed once holds; plain storage fails.
 * Replay  npm run bench -- sim --seed <seed> --trace
 */
import { describe, expect, it } from "vitest";
import { readBugBase } from "./bug-base.ts";
import { type Fault, isCalm, type SimConfig } from "./config.ts";
import { drawConfig } from "./draw.ts";
import { createPrng } from "#kit/prng.ts";
import { drawTheme, themes } from "./themes.ts";
import { runSeeds } from "./run-seeds.ts";
import { simulate } from "./simulate.ts";

const seeds = Array.from({ length: 12 }, (_unused, index) => index + 1);

describe("seeds", () => {
  it.each(seeds)("seed %d holds, and is the same twice", async (seed) => {
    const config = drawConfig(seed);
    const first = await simulate(config);
    expect(first.violations).toEqual([]);
    expect(first.transactions.committed).toBeGreaterThan(0);
    expect(await simulate(config)).toEqual(first);
  });

  it("differ from each other", async () => {
    const hashes = await Promise.all(
      [1, 2].map(async (seed) => (await simulate({ ...drawConfig(seed), requests: 2 })).traceHash),
    );
    expect(new Set(hashes).size).toBe(2);
  });

  it("survive JSON as configurations", async () => {
    const config = { ...drawConfig(3), requests: 2 };
    const copy = JSON.parse(JSON.stringify(config)) as typeof config;
    expect((await simulate(copy)).traceHash).toBe((await simulate(config)).traceHash);
  });
});

it("draws every fault and every kind of store, or the seeds prove nothing about them", () => {
  const drawn = Array.from({ length: 400 }, (_unused, index) => drawConfig(index + 1));
  const kinds = new Set(drawn.flatMap(({ faults }) => faults.map(({ kind }) => kind)));
  expect(kinds).toEqual(new Set(["crash", "pause", "cut", "network", "storage", "clock", "reset"]));
  for (const has of [
    (config: SimConfig) => isCalm(config),
    ({ engine }: SimConfig) => !engine.conditionalPut,
    ({ engine }: SimConfig) => engine.lagUs > 0,
    ({ managers }: SimConfig) => managers === 0,
    ({ managers }: SimConfig) => managers === 2,
    ({ replicas }: SimConfig) => replicas === 5,
    ({ functions }: SimConfig) => functions.crash * functions.duplicate * functions.zombie > 0,
    ({ exactlyOnce }: SimConfig) => !exactlyOnce,
    ({ maxRidingWrites }: SimConfig) => maxRidingWrites === 0,
    ({ maxRidingWrites }: SimConfig) => maxRidingWrites > 2,
  ])
    expect(drawn.filter(has).length).toBeGreaterThan(5);
});

it("draws every theme, and plays it", () => {
  const played = new Map<string, number>();
  for (let seed = 1; seed <= 400; seed += 1) {
    const prng = createPrng(seed).fork("theme");
    const theme = drawTheme(prng);
    const { managers, settings, cluster, faults } = drawConfig(seed);
    if (managers > 0 && faults.length > 0) played.set(theme, (played.get(theme) ?? 0) + 1);
    if (managers === 0 || isCalm(drawConfig(seed))) continue;
    if (theme === "slow writers") expect(settings.transactionTimeoutMs).toBe(1_000);
    if (theme === "cut off") expect(cluster.deadAfterMs).toBe(600);
    if (theme === "joins under fire")
      expect(faults.filter(({ kind }) => kind === "crash").length).toBeGreaterThan(1);
    if (theme === "missed again") expect(cluster.maxKept).toBe(5);
    if (theme === "told only some") expect(deafThenDead(faults)).toBeGreaterThan(0);
  }
  expect(new Set(played.keys())).toEqual(new Set(themes));
  expect(Math.min(...played.values())).toBeGreaterThan(5);
});

/** Replicas that die after others have stopped hearing them. */
function deafThenDead(faults: readonly Fault[]): number {
  return faults.filter(
    (dead) =>
      dead.kind === "crash" &&
      faults.some(
        (deaf) => deaf.kind === "cut" && deaf.from === dead.target && deaf.atMs < dead.atMs,
      ),
  ).length;
}

describe("what failed once", () => {
  const known = readBugBase();
  it("is readable", () => {
    expect(known.every(({ what }) => what !== "")).toBe(true);
  });
  it.each(known)("holds: $what", async ({ config }) => {
    expect((await simulate(config)).violations).toEqual([]);
  });
});

it("finds the anomalies of plain storage within few seeds", async () => {
  const result = await runSeeds({
    from: 1,
    to: 20,
    configOf: (seed) => ({ ...drawConfig(seed), system: "direct" }),
    shrinks: false,
    maxFailures: 1,
  });
  expect(result.failures[0]?.violations[0]).toMatch(/^checker: /);
});
