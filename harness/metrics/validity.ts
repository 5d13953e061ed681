/**
 * @module Whether a run may be believed: limits on what the generator and the machine did. Pure.
 *
 * Each limit has its reason beside it. A closed loop that uses a core to the full is what closed loops
 * do and only noted; a generator that stood still or could not offer its load makes the run invalid
 * (MEASURING rule 6), as does a machine that was busy with something else.
 */
import type { FitnessWatch, GeneratorWatch, OfferedLoad } from "#harness/record/measurements.ts";
import type { Percentile } from "#harness/record/run.ts";

/**
 * `strict`: for figures that are quoted; the default of the profiles standard and paper. On a quiet 2-core
 * machine the longest stop of 28 runs was 51 ms, so three times that is not the suite's own doing; and a
 * quarter of the machine used by others moves medians.
 *
 * `relaxed`: for a first look and for CI, the default of smaller profiles. With other work on more than
 * half of the cores, 95 of 100 runs stopped for less than 180 ms, none for more than 313 ms. Times are
 * then longer than they should be, which is noted, but what is compared in alternating blocks compares.
 */
export const validityLimits = {
  strict: { longestStallMs: 150, foreignShare: 0.25 },
  relaxed: { longestStallMs: 400, foreignShare: 0.75 },
} as const;
export type Validity = keyof typeof validityLimits;
export const validityNames: readonly Validity[] = ["strict", "relaxed"];

/** What a profile is for decides how much it may be disturbed. */
export function validityOf(profile: string): Validity {
  return profile === "standard" || profile === "paper" ? "strict" : "relaxed";
}

/** Lateness is part of the response time; up to a tenth of the p99 it does not decide anything. */
export const latenessShareLimit = 0.1;
/** Below this lateness is below what a second process on the same core does to any server. */
export const latenessFloorUs = 10_000;
/** More than one request in a hundred not sent, and p99 is a guess. */
export const droppedShareLimit = 0.01;
/** A twentieth of the machine given to somebody else: no two runs then have the same machine. */
export const stealShareLimit = 0.05;
/** A tenth of the machine used by others is worth knowing. */
export const foreignShareNoted = 0.1;
/** Below, the kernel begins to throw out caches, ours included. */
export const freeMemoryLimitMiB = 256;
/** A record of a long run has tens of megabytes; a store that cannot write fails in its own ways. */
export const freeDiskLimitMiB = 256;
/** A core that slows down by more than this is throttled, not idle. */
export const frequencyDropLimit = 0.3;
/** A generator process that uses so much of its core may be what limits a closed loop. */
export const busyGeneratorCores = 0.9;

/** One process that made load. */
export interface GeneratorObservation {
  readonly generator: GeneratorWatch;
  /** Of an open loop. */
  readonly load?: OfferedLoad;
  /** CPU of the process, in cores. */
  readonly cores: number;
}

export interface Observations {
  /** A smoke run measures nothing, so only the generator's own stops count against it. */
  readonly smoke: boolean;
  readonly validity: Validity;
  readonly cores: number;
  /** Judged one by one: a mean would hide the one that was late. */
  readonly generators: readonly GeneratorObservation[];
  readonly fitness: FitnessWatch & { readonly foreignCoresBefore: number | null };
  readonly responseP99Us: Percentile;
}

export interface Judgement {
  /** `code: sentence`; the codes are stable. */
  readonly invalidReasons: readonly string[];
  readonly notes: readonly string[];
}

export function judgeValidity(seen: Observations): Judgement {
  const { generators, validity } = seen;
  const { longestStallMs: limitMs } = validityLimits[validity];
  const stalls: string[] = [];
  const others: string[] = [];
  for (const [index, one] of generators.entries()) {
    const who = generators.length === 1 ? "" : ` (process ${index + 1} of ${generators.length})`;
    const { longestStallMs } = one.generator;
    if (longestStallMs >= limitMs)
      stalls.push(
        `generator-stalled: the load generator stood still for ${Math.round(longestStallMs)} ms (limit ${limitMs} ms)${who}`,
      );
    for (const problem of loadProblems(one.load, seen.responseP99Us)) others.push(problem + who);
  }
  others.push(...machineProblems(seen));
  if (!seen.smoke) return { invalidReasons: [...stalls, ...others], notes: notesOf(seen) };
  return { invalidReasons: stalls, notes: [...others, ...notesOf(seen)] };
}

function loadProblems(load: OfferedLoad | undefined, responseP99Us: Percentile): string[] {
  if (load === undefined) return [];
  const problems: string[] = [];
  const { p99 } = load.dispatchLatenessUs;
  const share = typeof responseP99Us === "number" ? responseP99Us * latenessShareLimit : 0;
  const limitUs = Math.max(latenessFloorUs, share);
  if (typeof p99 === "number" && p99 > limitUs)
    problems.push(
      `generator-late: requests were dispatched ${ms(p99)} after their due time at p99 (limit ${ms(limitUs)})`,
    );
  if (load.dropped > load.offered * droppedShareLimit)
    problems.push(
      `pool-exhausted: ${load.dropped} of ${load.offered} requests found no free slot in time; offer less or allow more`,
    );
  return problems;
}

function machineProblems({ fitness, cores, validity }: Observations): string[] {
  const { foreignShare } = validityLimits[validity];
  const { stealShare, foreignCores, foreignCoresBefore, frequencyMHz, freeDiskMiB } = fitness;
  const problems: string[] = [];
  if (stealShare !== null && stealShare > stealShareLimit)
    problems.push(`cpu-stolen: the hypervisor took ${percent(stealShare)} of the CPU time`);
  if (foreignCores !== null && foreignCores > cores * foreignShare)
    problems.push(
      `machine-busy: other processes used ${foreignCores.toFixed(1)} of ${cores} cores during the run`,
    );
  if (foreignCoresBefore !== null && foreignCoresBefore > cores * foreignShare)
    problems.push(
      `machine-busy-before: other processes used ${foreignCoresBefore.toFixed(1)} of ${cores} cores before the run`,
    );
  if (frequencyMHz !== null && frequencyMHz.min < frequencyMHz.max * (1 - frequencyDropLimit))
    problems.push(
      `cpu-throttled: the clock went from ${frequencyMHz.max} to ${frequencyMHz.min} MHz`,
    );
  if (fitness.minFreeMemoryMiB < freeMemoryLimitMiB)
    problems.push(`memory-short: only ${fitness.minFreeMemoryMiB} MiB of memory were free`);
  if (freeDiskMiB !== null && freeDiskMiB < freeDiskLimitMiB)
    problems.push(`disk-full: only ${freeDiskMiB} MiB are free where the record goes`);
  return problems;
}

function notesOf({ fitness, cores, generators, validity }: Observations): string[] {
  const notes: string[] = [];
  for (const { load, cores: used } of generators)
    if (load === undefined && used > busyGeneratorCores)
      notes.push(
        `generator-bound: the load process used ${used.toFixed(2)} of a core; throughput may be its own`,
      );
  const foreign = fitness.foreignCores ?? 0;
  if (
    foreign > cores * foreignShareNoted &&
    foreign <= cores * validityLimits[validity].foreignShare
  )
    notes.push(`machine-shared: other processes used ${foreign.toFixed(1)} of ${cores} cores`);
  return notes;
}

/** What several blocks' watches say together; `seconds` weighs shares. All zero for none. */
export function mergeWatches(
  parts: readonly { readonly seconds: number; readonly generator: GeneratorWatch }[],
): GeneratorWatch {
  return {
    longestStallMs: Math.max(0, ...parts.map(({ generator }) => generator.longestStallMs)),
    stalledMs: Math.round(parts.reduce((sum, { generator }) => sum + generator.stalledMs, 0)),
    utilization: weighted(parts, ({ generator }) => generator.utilization) ?? 0,
  };
}

/** The same of the machine; `undefined` for no blocks. */
export function mergeFitness(
  parts: readonly { readonly seconds: number; readonly fitness: FitnessWatch }[],
): FitnessWatch | undefined {
  const [first] = parts;
  if (first === undefined) return undefined;
  const disks = parts.flatMap(({ fitness }) => fitness.freeDiskMiB ?? []);
  const clocks = parts.flatMap(({ fitness }) => fitness.frequencyMHz ?? []);
  return {
    loadAverageBefore: first.fitness.loadAverageBefore,
    stealShare: weighted(parts, ({ fitness }) => fitness.stealShare),
    foreignCores: weighted(parts, ({ fitness }) => fitness.foreignCores),
    minFreeMemoryMiB: Math.min(...parts.map(({ fitness }) => fitness.minFreeMemoryMiB)),
    freeDiskMiB: disks.length === 0 ? null : Math.min(...disks),
    frequencyMHz:
      clocks.length === 0
        ? null
        : {
            min: Math.min(...clocks.map(({ min }) => min)),
            max: Math.max(...clocks.map(({ max }) => max)),
          },
  };
}

/** Mean over the parts' time; null where one of them does not say. */
function weighted<Part extends { readonly seconds: number }>(
  parts: readonly Part[],
  of: (part: Part) => number | null,
): number | null {
  const seconds = parts.reduce((sum, part) => sum + part.seconds, 0);
  const values = parts.map(of);
  if (values.includes(null) || seconds === 0) return null;
  const sum = parts.reduce((total, part, at) => total + (values[at] ?? 0) * part.seconds, 0);
  return Math.round((sum / seconds) * 1_000) / 1_000;
}

function ms(us: number): string {
  return `${(us / 1_000).toFixed(1)} ms`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
