/**
 * @module What collecting garbage costs while transactions go on, and whether it keeps up (Fig. 9).
 *
 * Reads as   goodput with and without collection in alternating blocks, deletions beside it, and
 *            objects in storage behind every block.
 * Not shown  collection on a core of its own: here it shares the machine with everything else.
 */
import { defineExperiment, type CellPlan, type ProfileName } from "#harness/experiment/define.ts";
import { closedLoad } from "#harness/loadgen/load.ts";
import { sizeOf, standardWorkload, type StorageLevel } from "./axes.ts";

const zipfTheta = 1.5;
const clients = 40;

/** Shared by replica and manager, so on a real server also where latencies are emulated. */
const stores: readonly StorageLevel[] = [
  { service: "redis", emulation: "dynamodb", estimatedMs: 75 },
  { service: "redis", emulation: "elasticache", estimatedMs: 50 },
  { service: "redis", emulation: "none", estimatedMs: 20 },
];

/** The first one is the baseline. */
const systems = [
  { name: "aft-no-gc", managers: 0 },
  { name: "aft", managers: 1 },
];

export const gcOverhead = defineExperiment({
  id: "gc-overhead",
  title: "Global garbage collection on and off",
  question: "What does collection cost, and does storage stay as large as what is live?",
  reproduces: {
    source: "AFT (EuroSys '20) §6.6, Fig. 9",
    deviations: [
      "on and off alternate in blocks instead of two runs",
      "outcomes are kept for 3 s instead of 5 minutes, so that draining can be watched",
    ],
  },
  notShown: "Collection on machines of its own.",
  cells: (profile) =>
    stores.flatMap((level) => systems.map((system) => planCell({ level, system, profile }))),
});

function planCell(options: {
  readonly level: StorageLevel;
  readonly system: (typeof systems)[number];
  readonly profile: ProfileName;
}): CellPlan {
  const { level, system, profile } = options;
  const { service, emulation } = level;
  const emulated = emulation !== "none";
  const seconds = sizeOf(profile, { smoke: 1, quick: 20, standard: 80, paper: 600 });
  const blocks = sizeOf(profile, { smoke: 1, quick: 8, standard: 10, paper: 20 });
  const few = profile === "smoke" ? 4 : clients;
  return {
    cell: {
      workload: "paper",
      platform: "inline",
      system: system.name,
      storage: service,
      emulation,
      faults: "none",
      zipfTheta,
      clients: few,
      replicas: 1,
    },
    storage: { service, emulation },
    system: system.name,
    cluster: {
      replicas: 1,
      managers: system.managers,
      beside: "collection on and off",
      settings: {
        namespace: system.name,
        outcomeRetentionMs: 3_000,
        transactionTimeoutMs: 10_000,
      },
    },
    ...(emulated && { coarseTimers: true }),
    after: ["drain"],
    platform: { name: "inline", invocation: emulated ? "lambda" : "none" },
    workload: standardWorkload(zipfTheta),
    load: closedLoad({
      clients: few,
      requestsPerClient: Math.ceil((seconds * 1_000) / (emulated ? 20 : 5)),
      seconds,
      warmUpRequestsPerClient: sizeOf(profile, { smoke: 1, quick: 20, standard: 50, paper: 50 }),
      blocks,
    }),
    faults: { kind: "none" },
    estimateSeconds: seconds + blocks * 0.3 + 8,
  };
}
