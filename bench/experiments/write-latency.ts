/**
 * @module Cost of a commit: time to write 1, 5 or 10 keys, one by one or in a batch (Fig. 2).
 *
 * Reads as   one group of bars per number of writes; AFT pays for the hop and the commit record once.
 * Not shown  functions: as in the paper, one client without a platform's invocation latency.
 */
import { defineExperiment, type CellPlan, type ProfileName } from "#harness/experiment/define.ts";
import { closedLoad } from "#harness/loadgen/load.ts";
import { bothSystems, sizeOf, type StorageLevel } from "./axes.ts";

const writeCounts = [1, 5, 10];

/** Fig. 2 is about DynamoDB; the real stores stand beside it. */
const stores: readonly StorageLevel[] = [
  { service: "memory", emulation: "dynamodb", estimatedMs: 12 },
  { service: "lmdb", emulation: "none", estimatedMs: 4 },
  { service: "redis", emulation: "none", estimatedMs: 1 },
  { service: "dynamodb", emulation: "none", estimatedMs: 6 },
  { service: "s3", emulation: "none", estimatedMs: 6 },
  { service: "memory", emulation: "elasticache", estimatedMs: 5 },
  { service: "memory", emulation: "s3", estimatedMs: 100 },
  { service: "memory", emulation: "none", estimatedMs: 1 },
];

/** The first three: what the claims are about, and one store of either kind on this machine. */
const quickStores = 3;

export const writeLatency = defineExperiment({
  id: "write-latency",
  title: "Time to write n keys, one by one and in a batch",
  question: "What does a commit cost, and how much of it does batching hide?",
  reproduces: {
    source: "AFT (EuroSys '20) §6.1.1, Fig. 2",
    deviations: ["DynamoDB emulated from the paper's own medians and p99s, or the dynalite server"],
  },
  notShown: "Reads, contention, and anything a FaaS platform adds.",
  cells: (profile) =>
    (profile === "quick" || profile === "smoke" ? stores.slice(0, quickStores) : stores).flatMap(
      (level) =>
        writeCounts.flatMap((writes) =>
          ["sequential", "batch"].flatMap((batch) =>
            bothSystems.map((system) => planCell({ level, writes, batch, system, profile })),
          ),
        ),
    ),
});

function planCell(options: {
  readonly level: StorageLevel;
  readonly writes: number;
  readonly batch: string;
  readonly system: string;
  readonly profile: ProfileName;
}): CellPlan {
  const { level, writes, batch, system, profile } = options;
  const requestsPerClient = sizeOf(profile, {
    smoke: 10,
    quick: 100,
    standard: 1_000,
    paper: 1_000,
  });
  return {
    cell: {
      workload: "write-only",
      platform: "inline",
      system,
      storage: level.service,
      emulation: level.emulation,
      faults: "none",
      zipfTheta: 0,
      clients: 1,
      writes,
      batch,
    },
    storage: { service: level.service, emulation: level.emulation },
    system,
    platform: { name: "inline", invocation: "none" },
    workload: {
      name: "write-only",
      parameters: { writes, batch, keyCount: 1_000, valueBytes: 4_096 },
    },
    load: closedLoad({
      clients: 1,
      requestsPerClient,
      warmUpRequestsPerClient: sizeOf(profile, { smoke: 1, quick: 10, standard: 50, paper: 50 }),
      blocks: sizeOf(profile, { smoke: 1, quick: 5, standard: 10, paper: 10 }),
    }),
    faults: { kind: "none" },
    estimateSeconds: 0.3 + (requestsPerClient * level.estimatedMs * (1 + writes / 5)) / 1_000,
  };
}
