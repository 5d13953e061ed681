/** @module Draws a configuration and a fault plan from a seed. Pure. */
import { createPrng, type Prng } from "#kit/prng.ts";
import { type Fault, type FunctionFaults, functionHosts, type SimConfig } from "./config.ts";
import type { NetworkTrouble } from "./network.ts";
import { drawTheme, withTheme } from "./themes.ts";
import { type EngineSettings, noStorageTrouble, type StorageTrouble } from "./engine.ts";

/** Faults begin within this; all are over soon after. */
const faultsUntilMs = 8_000;

/** As often as they are named. */
const faultKinds = [
  "crash",
  "crash",
  "pause",
  "cut",
  "network",
  "storage",
  "clock",
  "reset",
] as const satisfies readonly Fault["kind"][];

/** What a seed stands for. */
export function drawConfig(seed: number): SimConfig {
  const prng = createPrng(seed).fork("theme");
  return withTheme(drawPlain(seed), drawTheme(prng), prng);
}

function drawPlain(seed: number): SimConfig {
  const prng = createPrng(seed);
  const shape = prng.fork("shape");
  const isSole = chance(shape, 0.2);
  const replicas = isSole ? 1 : 1 + shape.nextInt(5);
  const managers = isSole ? 0 : chance(shape, 0.25) ? 2 : 1;
  const isCalm = chance(shape, 0.15);
  const engine = drawEngine(prng.fork("engine"), { isSole, isCalm });
  const timeoutMs = pick(shape, [1_500, 3_000, 5_000]);
  return {
    seed,
    system: "aft",
    replicas,
    managers,
    clients: 2 + shape.nextInt(5),
    requests: 8 + shape.nextInt(18),
    keys: pick(shape, [2, 3, 5, 8, 20]),
    zipfTheta: pick(shape, [0, 0.8, 1.2]),
    reads: 1 + shape.nextInt(3),
    writes: 1 + shape.nextInt(2),
    thinkMs: pick(shape, [5, 50, 200, 400]),
    prefilled: chance(shape, 0.5) || isCalm,
    // Without a conditional put nothing decides between two attempts (ARCHITECTURE, D30).
    exactlyOnce: engine.conditionalPut && (!isSole || chance(shape, 0.7)),
    connections: 1 + shape.nextInt(3),
    clientTimeoutMs: pick(shape, [800, 2_000]),
    // A stream of its own: it came later, and seeds keep the rest of what they stand for.
    maxRidingWrites: pick(prng.fork("riding writes"), [0, 1, 64]),
    lateAnswers: chance(prng.fork("late answers"), 0.75),
    shuffleTies: chance(shape, 0.5),
    peersAsText: chance(shape, 0.1),
    skewMs: pick(shape, [0, 50, 1_000]),
    driftPpm: pick(shape, [0, 100]),
    engine,
    link: { baseUs: pick(shape, [50, 300, 1_000]), jitterUs: pick(shape, [20, 300, 2_000]) },
    settings: drawSettings(prng.fork("settings"), timeoutMs),
    cluster: drawCluster(prng.fork("cluster")),
    functions: drawFunctions(prng.fork("functions"), { isCalm, engine }),
    faults: isCalm
      ? []
      : drawFaults(prng.fork("faults"), {
          replicas,
          managers,
          conditionalPut: engine.conditionalPut,
        }),
  };
}

function drawEngine(
  prng: Prng,
  { isSole, isCalm }: { isSole: boolean; isCalm: boolean },
): EngineSettings {
  // Two replicas cannot agree over an engine that decides nothing (Deviation 3).
  const conditionalPut = !isSole || chance(prng, 0.7);
  const orderedPipeline = chance(prng, 0.5);
  return {
    conditionalPut,
    orderedPipeline,
    atomicMultiPut: chance(prng, 0.3),
    maxBatch: pick(prng, [1, 3, 25, 1_000]),
    baseUs: pick(prng, [50, 500, 4_000]),
    jitterUs: pick(prng, [50, 1_000, 10_000]),
    lagUs: conditionalPut && !isCalm && chance(prng, 0.2) ? 300_000 : 0,
  };
}

function drawSettings(prng: Prng, transactionTimeoutMs: number): SimConfig["settings"] {
  return {
    cacheBytes: pick(prng, [0, 4_000, 40_000, 1_000_000]),
    maxBufferBytes: pick(prng, [600, 2_000, 1_000_000]),
    transactionTimeoutMs,
    writesMissingAfterMs: pick(prng, [300, 2_000]),
    commitResolveMs: pick(prng, [300, 1_500]),
    maxGroupCommit: pick(prng, [1, 4, 64]),
    maxGroupsInFlight: pick(prng, [1, 4, 32]),
    outcomeRetentionMs: 40_000,
    gcIntervalMs: pick(prng, [10, 50, 300]),
    gcBatch: pick(prng, [2, 64]),
    orphanSweepMs: pick(prng, [2_000, 5_000]),
    refreshReadWithinMs: pick(prng, [0, 5_000]),
    rememberedOutcomes: pick(prng, [4, 1_000]),
  };
}

function drawCluster(prng: Prng): SimConfig["cluster"] {
  const multicastMs = pick(prng, [200, 500, 1_000]);
  return {
    multicastMs,
    deadAfterMs: 3 * multicastMs,
    maxBatch: pick(prng, [2, 20, 1_000]),
    maxKept: pick(prng, [5, 40, 10_000]),
    scanMs: pick(prng, [2_000, 6_000]),
    launchMs: 3_000,
  };
}

function drawFunctions(
  prng: Prng,
  { isCalm, engine }: { isCalm: boolean; engine: EngineSettings },
): FunctionFaults {
  const slow = { slow: pick(prng, [0, 0.1, 0.4]), slowMs: pick(prng, [20, 300, 1_000]) };
  if (isCalm) return { crash: 0, duplicate: 0, zombie: 0, zombieMs: 0, ...slow };
  return {
    ...slow,
    crash: pick(prng, [0, 0.05, 0.2]),
    duplicate: engine.conditionalPut ? pick(prng, [0, 0.1, 0.3]) : 0,
    zombie: engine.conditionalPut ? pick(prng, [0, 0.1]) : 0,
    zombieMs: pick(prng, [500, 4_000]),
  };
}

function drawFaults(
  prng: Prng,
  setting: {
    readonly replicas: number;
    readonly managers: number;
    readonly conditionalPut: boolean;
  },
): Fault[] {
  const { replicas, managers, conditionalPut } = setting;
  const names = (letter: string, count: number): string[] =>
    Array.from({ length: count }, (_unused, index) => `${letter}${index + 1}`);
  const nodes = [...names("r", replicas), ...names("m", managers)];
  const everybody = [...nodes, ...names("f", functionHosts), "store"];
  const count = pick(prng, [0, 1, 2, 4, 8]);
  const drawOne = (): Fault => {
    const atMs = 200 + prng.nextInt(faultsUntilMs);
    const target = pick(prng, nodes);
    const forMs = pick(prng, [100, 800, 3_000, 6_000]);
    const kind = pick(prng, faultKinds);
    switch (kind) {
      case "crash":
        // Without a conditional put a commit of the last life may land on top of anything.
        if (!conditionalPut) return { kind: "reset", atMs, target };
        return {
          kind,
          atMs,
          target,
          restartMs: pick(prng, [50, 500, 3_000, 0]),
          silent: chance(prng, 0.5),
        };
      case "pause":
        return { kind, atMs, target, forMs };
      case "cut": {
        const from = pick(prng, everybody);
        const others = everybody.filter((name) => name !== from);
        return { kind, atMs, from, to: pick(prng, others), forMs };
      }
      case "network":
        return { kind, atMs, forMs, trouble: drawLosses(prng) };
      case "storage":
        return { kind, atMs, forMs, trouble: drawTrouble(prng, conditionalPut) };
      case "clock":
        return { kind, atMs, target, byMs: prng.nextInt(3_000) - 1_500 };
      case "reset":
        return { kind, atMs, target };
    }
  };
  return Array.from({ length: count }, drawOne).toSorted((a, b) => a.atMs - b.atMs);
}

function drawLosses(prng: Prng): NetworkTrouble {
  return {
    lose: prng.next() * 0.6,
    repeat: prng.next() * 0.3,
    delayUs: pick(prng, [0, 50_000, 900_000]),
  };
}

function drawTrouble(prng: Prng, conditionalPut: boolean): StorageTrouble {
  const some = (): number => pick(prng, [0, 0.05, 0.2]);
  const trouble = { ...noStorageTrouble, throttled: some(), slow: some() };
  if (!conditionalPut) return trouble;
  return { ...trouble, lost: some(), unanswered: some(), late: some(), repeated: some() };
}

function pick<T>(prng: Prng, choices: readonly T[]): T {
  return choices[prng.nextInt(choices.length)] as T;
}

function chance(prng: Prng, share: number): boolean {
  return prng.next() < share;
}
