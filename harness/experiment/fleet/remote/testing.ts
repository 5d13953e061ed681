/** @module For tests: a plan and parts of it, as small as they can be. */
import { createHash } from "node:crypto";
import { openLoad } from "#harness/loadgen/load.ts";
import { LatencyHistogram, writeHistogramLog } from "#harness/metrics/histogram.ts";
import type { AttemptRecord } from "#harness/record/attempts.ts";
import type { RecordedPart } from "./merge.ts";
import { type PartRecord, partFile, partFolder } from "./part.ts";
import { type FleetPlan, hashOfPlan } from "./plan.ts";

export function fleetPlan(more: Partial<FleetPlan> = {}): FleetPlan {
  const { parts = 3 } = more;
  return {
    schemaVersion: 1,
    runId: "20261126T000000000-aft-redis-test",
    experiment: "overhead",
    profile: "smoke",
    createdAtMs: 1_000_000,
    cell: {
      workload: "paper",
      platform: "inline",
      system: "aft",
      storage: "redis",
      emulation: "none",
      faults: "none",
      zipfTheta: 1,
      clients: 64,
      parts,
    },
    workload: { name: "paper", parameters: { keyCount: 10 } },
    seed: 1,
    load: {
      ...openLoad({ arrivals: { kind: "constant", perSecond: 100, seconds: 2 } }),
      blocks: 1,
      generators: parts,
    },
    slices: 2,
    system: { system: "aft", options: { endpoint: "replica:6390" } },
    storage: { engine: "redis" },
    invocation: "none",
    start: { kind: "when-ready", graceMs: 1_000 },
    lateLimitMs: 250,
    gatherSeconds: 60,
    timeLimitSeconds: 100,
    validity: "relaxed",
    objects: "s3://bucket/fleet",
    git: { commit: "c0ffee", dirty: false },
    command: ["fleet", "plan"],
    ...more,
    parts,
  };
}

/** A part's `part.json`; `content` stands for the bytes of its files. */
export function partOf(
  plan: FleetPlan,
  index: number,
  more: Partial<PartRecord> & { readonly content?: string } = {},
): PartRecord {
  const { content = `records of ${index}`, ...rest } = more;
  const sha256 = createHash("sha256").update(content).digest("hex");
  const file = { sha256, bytes: content.length };
  return {
    schemaVersion: 1,
    planHash: hashOfPlan(plan),
    runId: plan.runId,
    index,
    of: plan.parts,
    attempt: `a${index}`,
    files: { "requests.ndjson.gz": file, "transactions.ndjson.gz": file, "latency.hlog": file },
    clock: {
      bootId: `machine-${index}`,
      agreedAtMs: 5_000_000,
      originUs: 7_000_000 * (index + 1),
      offset: { lowMs: -20, highMs: 30 },
    },
    latenessMs: 0.2,
    block: { startUs: 7_000_000 * (index + 1), endUs: 7_000_000 * (index + 1) + 2_000_000 },
    watch: { longestStallMs: 5, stalledMs: 0, utilization: 0.2 },
    dispatchLateness: lateness([10 * (index + 1)]),
    cores: 0.5,
    open: {
      offered: 10,
      sent: 10,
      dropped: 0,
      timedOut: 0,
      unanswered: 0,
      late: 0,
      maxInFlight: index + 1,
    },
    platform: { coldStarts: 1, invocations: 20 },
    fitness: {
      loadAverageBefore: 0,
      stealShare: 0,
      foreignCores: 0,
      foreignCoresBefore: 0,
      minFreeMemoryMiB: 4_000,
      freeDiskMiB: 4_000,
      frequencyMHz: null,
    },
    machine: {
      cpuModel: "a processor",
      cores: 2,
      memoryMiB: 8_000,
      os: "Linux",
      kernel: "6",
      node: "24",
      loadAverageAtStart: 0,
    },
    git: { commit: "c0ffee", dirty: false },
    versions: { "aft-bench": "0.1.0" },
    notes: [],
    ...rest,
  };
}

export function nameOf({ index, attempt }: PartRecord): string {
  return `${partFolder(index, attempt)}/${partFile}`;
}

function lateness(values: readonly number[]): string {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.record(value);
  return writeHistogramLog([{ tag: "dispatch", startMs: 0, endMs: 0, histogram }], 0);
}

/** A part with requests that were due and answered so long after its start. */
export function recordedPart(
  part: PartRecord,
  requests: readonly { readonly dueUs: number; readonly responseUs: number }[],
): RecordedPart {
  const { originUs } = part.clock;
  const attempts = requests.map(({ dueUs, responseUs }, at): AttemptRecord => {
    const client = at * part.of + part.index;
    return {
      requestId: `c${client}-0`,
      client,
      attempt: 0,
      index: 0,
      block: 0,
      dueUs: originUs + dueUs,
      startUs: originUs + dueUs,
      endUs: originUs + dueUs + responseUs,
      outcome: "committed",
      final: true,
      coldStarts: 0,
    };
  });
  return { part, record: { attempts, transactions: [] } };
}
