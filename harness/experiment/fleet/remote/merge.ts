/**
 * @module The run that a fleet's parts make together, as if one process had recorded it. Pure.
 *
 *   1. Records are united, never percentiles averaged.
 *   2. Generators and machines are judged one by one: a mean would hide the one that was late.
 *   3. What makes the run invalid is named with its part; what does not belong was refused before
 *      (`choose-parts.ts`).
 */
import { describeLoad } from "#harness/loadgen/load.ts";
import { LatencyHistogram, readHistogramLog } from "#harness/metrics/histogram.ts";
import { judgeValidity, mergeFitness, mergeWatches } from "#harness/metrics/validity.ts";
import type { AttemptRecord } from "#harness/record/attempts.ts";
import type { GeneratorRecord } from "#harness/record/generator-record.ts";
import type { Measurements, OfferedLoad } from "#harness/record/measurements.ts";
import type { RunLabel, RunManifest } from "#harness/record/run.ts";
import { histogramsOf, type RawRun } from "#harness/record/summarize.ts";
import { invocationProfiles } from "#shim/storage/emulated/profiles.ts";
import { axisOf, type FleetAxis, moveAttempt, moveTransaction } from "./axis.ts";
import { partName } from "./errors.ts";
import type { PartRecord } from "./part.ts";
import { type FleetPlan, hashOfPlan, scheduledUs } from "./plan.ts";

export interface RecordedPart {
  readonly part: PartRecord;
  readonly record: GeneratorRecord;
}

export interface MergeOptions {
  readonly plan: FleetPlan;
  /** In the order of their indices; at least one. */
  readonly recorded: readonly RecordedPart[];
  /** Indices of parts without a record. */
  readonly missing: readonly number[];
  /** Of the state system. */
  readonly promises: readonly string[];
  readonly command: readonly string[];
}

export function mergeParts(options: MergeOptions): RawRun {
  const { plan, recorded } = options;
  const parts = recorded.map(({ part }) => part);
  const axis = axisOf(plan, parts);
  const moved = recorded.map(({ record }, at) => {
    const own = axis.parts[at] ?? { shiftUs: 0, lowUs: 0, highUs: 0 };
    return {
      attempts: record.attempts.map((attempt) => moveAttempt(attempt, own)),
      transactions: record.transactions.map((transaction) => moveTransaction(transaction, own)),
    };
  });
  const ends = parts.map(({ block }, at) => block.endUs + (axis.parts[at]?.shiftUs ?? 0));
  const blocks = slicesOf(plan, { startUs: axis.startUs, endUs: Math.max(...ends) });
  const attempts = moved
    .flatMap((one) => one.attempts)
    .map((attempt) => ({ ...attempt, block: blockOf(blocks, attempt.dueUs) }))
    .toSorted((a, b) => a.endUs - b.endUs);
  return {
    manifest: manifestOf(options, parts, axis),
    attempts,
    // Of each part in its own order, so that the order within a session is kept.
    transactions: moved.flatMap((one) => one.transactions),
    measurements: measurementsOf(options, { parts, axis, blocks, attempts }),
  };
}

type Blocks = Measurements["blocks"];

/** By due times; the last one also holds the answers that came after the schedule. */
function slicesOf(
  plan: FleetPlan,
  { startUs, endUs }: { readonly startUs: number; readonly endUs: number },
): Blocks {
  const lengthUs = (scheduledUs(plan) ?? endUs - startUs) / plan.slices;
  const at = (slice: number): number => Math.round(startUs + slice * lengthUs);
  return Array.from({ length: plan.slices }, (_unused, block) => ({
    block,
    startUs: at(block),
    endUs: block === plan.slices - 1 ? Math.max(endUs, at(block) + 1) : at(block + 1),
  }));
}

function blockOf(blocks: Blocks, dueUs: number): number {
  const found = blocks.findLast(({ startUs }) => dueUs >= startUs);
  return found?.block ?? 0;
}

function manifestOf(
  { plan, missing, command }: MergeOptions,
  parts: readonly PartRecord[],
  axis: FleetAxis,
): RunManifest {
  const { runId, experiment, profile, cell, system, storage, load, invocation, start } = plan;
  const [first] = parts;
  if (first === undefined) throw new RangeError("a run has one part at least");
  const lastEndUs = Math.max(...parts.map(({ block, clock }) => block.endUs - clock.originUs));
  const machines = [...new Map(parts.map((part) => [machineOf(part), part.machine])).values()];
  const kind: RunLabel = storage["endpoint"] === undefined ? "measured" : "emulator";
  const known = parts.find(({ git }) => git.commit !== "unknown");
  return {
    schemaVersion: 1,
    runId,
    experiment,
    profile,
    mode: "sound",
    cell,
    labels: [
      kind,
      load.model === "closed" ? "closed-loop" : "open-loop",
      ...(invocation === "none" ? [] : ["invocation-emulated" as const]),
    ],
    state: missing.length === 0 ? "complete" : "partial",
    startedAtMs: Math.round(first.clock.agreedAtMs),
    durationMs: Math.round(lastEndUs / 1_000),
    seeds: { seed: plan.seed },
    resolved: {
      workload: plan.workload.parameters,
      platform: { name: "inline", invocation },
      system: { name: system.system, ...system.options, startedBy: "somebody else" },
      storage,
      load: {
        ...describeLoad(load),
        slices: plan.slices,
        fleet: {
          planHash: hashOfPlan(plan),
          parts: plan.parts,
          machines: machines.length,
          start,
          clocks: axis.by,
          latenessMs: parts.map(({ latenessMs }) => latenessMs),
          attempts: parts.map(({ attempt }) => attempt),
          machineDescriptions: machines,
        },
      },
      faults: { plan: "none" },
    },
    emulation:
      invocation === "none"
        ? []
        : [
            {
              axis: "platform",
              name: invocation,
              ...invocationProfiles[invocation].shape,
              source: invocationProfiles[invocation].source,
            },
          ],
    versions: first.versions,
    git: known?.git ?? plan.git,
    machine: first.machine,
    command: [...command],
  };
}

function measurementsOf(
  options: MergeOptions,
  merged: {
    readonly parts: readonly PartRecord[];
    readonly axis: FleetAxis;
    readonly blocks: Blocks;
    readonly attempts: readonly AttemptRecord[];
  },
): Measurements {
  const { plan, promises } = options;
  const { parts, blocks, axis, attempts } = merged;
  const weighed = parts.map((part) => ({
    seconds: (part.block.endUs - part.block.startUs) / 1_000_000,
    generator: part.watch,
    fitness: part.fitness,
  }));
  const fitness = mergeFitness(weighed);
  const before = parts.flatMap((part) => part.fitness.foreignCoresBefore ?? []);
  const judged = judgeParts(plan, parts, attempts);
  const together = offered(parts);
  return {
    blocks,
    storage: null,
    platform: {
      coldStarts: sum(parts, ({ platform }) => platform.coldStarts),
      invocations: sum(parts, ({ platform }) => platform.invocations),
    },
    cpuCores: { load: sum(parts, ({ cores }) => cores) },
    promises,
    invalidReasons: [...fleetProblems(options, parts), ...judged.invalidReasons],
    validity: plan.validity,
    notes: [fleetNote(plan, parts, axis), ...judged.notes],
    ...(together !== undefined && { load: together }),
    generator: mergeWatches(weighed),
    generators: parts.map((part) => {
      const own = offered([part]);
      return { generator: part.watch, cores: part.cores, ...(own !== undefined && { load: own }) };
    }),
    ...(fitness !== undefined && {
      fitness: { ...fitness, foreignCoresBefore: before.length === 0 ? null : Math.max(...before) },
    }),
    faults: { attempts: 0, instancesKilled: 0 },
  };
}

/** What makes a run of several machines invalid, beside what makes any run so. */
function fleetProblems({ plan, missing }: MergeOptions, parts: readonly PartRecord[]): string[] {
  const { lateLimitMs, clockToleranceMs = Infinity, parts: of } = plan;
  const limitMs = Math.min(lateLimitMs, clockToleranceMs);
  const problems = missing.map(
    (index) => `part-missing: ${partName(index, of)} left no record; its share is not in the run`,
  );
  for (const { index, latenessMs, clock } of parts) {
    if (latenessMs > lateLimitMs)
      problems.push(
        `part-late: ${partName(index, of)} began ${Math.round(latenessMs)} ms after the agreed start (limit ${lateLimitMs} ms)`,
      );
    const { lowMs = 0, highMs = 0 } = clock.offset ?? {};
    if (lowMs > limitMs || highMs < -limitMs)
      problems.push(
        `clocks-apart: the clock of ${partName(index, of)} is ${Math.round(Math.abs(lowMs + highMs) / 2)} ms off that of the object store (limit ${limitMs} ms)`,
      );
  }
  if (new Set(parts.map(({ clock }) => clock.agreedAtMs)).size > 1)
    problems.push("starts-differ: the parts did not begin at the same agreed start");
  const commits = new Set(parts.map(({ git }) => git.commit).filter((one) => one !== "unknown"));
  if (commits.size > 1)
    problems.push(
      `code-differs: the parts ran ${[...commits].map((one) => one.slice(0, 9)).join(", ")}`,
    );
  return problems;
}

function judgeParts(
  plan: FleetPlan,
  parts: readonly PartRecord[],
  attempts: readonly AttemptRecord[],
): { readonly invalidReasons: readonly string[]; readonly notes: readonly string[] } {
  const responseP99Us = histogramsOf(attempts).responseTime.percentile(0.99);
  const invalidReasons: string[] = [];
  const notes: string[] = [];
  for (const part of parts) {
    const load = offered([part]);
    const { watch: generator, cores } = part;
    const judged = judgeValidity({
      smoke: plan.profile === "smoke",
      validity: plan.validity,
      cores: part.machine.cores,
      generators: [{ generator, cores, ...(load !== undefined && { load }) }],
      fitness: part.fitness,
      responseP99Us,
    });
    const who = ` (${partName(part.index, plan.parts)})`;
    for (const reason of judged.invalidReasons) invalidReasons.push(reason + who);
    for (const note of judged.notes) notes.push(note + who);
  }
  return { invalidReasons, notes };
}

function fleetNote(plan: FleetPlan, parts: readonly PartRecord[], { by }: FleetAxis): string {
  const machines = new Set(parts.map(machineOf)).size;
  const latest = Math.max(...parts.map(({ latenessMs }) => latenessMs));
  const order =
    by === "nothing"
      ? "nothing is known of their clocks, so no order between parts counts as proven"
      : `clocks compared by ${by}`;
  return `fleet: load from ${parts.length} of ${plan.parts} parts on ${machines} machine${machines === 1 ? "" : "s"}, the last ${latest.toFixed(1)} ms after the agreed start; ${order}`;
}

/** A part that does not tell its kernel counts as a machine of its own. */
function machineOf({ clock, index }: PartRecord): string {
  return clock.bootId ?? `part ${index}`;
}

function offered(parts: readonly PartRecord[]): OfferedLoad | undefined {
  const counts = parts.flatMap(({ open }) => open ?? []);
  if (counts.length === 0) return undefined;
  const lateness = new LatencyHistogram();
  for (const { dispatchLateness } of parts)
    for (const one of readHistogramLog(dispatchLateness).values()) lateness.merge(one);
  return {
    offered: sum(counts, (one) => one.offered),
    sent: sum(counts, (one) => one.sent),
    dropped: sum(counts, (one) => one.dropped),
    timedOut: sum(counts, (one) => one.timedOut),
    unanswered: sum(counts, (one) => one.unanswered),
    late: sum(counts, (one) => one.late),
    maxInFlight: Math.max(...counts.map((one) => one.maxInFlight)),
    dispatchLatenessUs: lateness.summary(),
  };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
