/**
 * @module What the data cache saves, and whether skew matters (Fig. 4).
 *
 * Reads as   one pair of bars per skew, with and without the cache, for each emulated service.
 * Not shown  DynamoDB's transaction mode, whose conflicts are what skew hurts in the paper.
 */
import { defineExperiment, type CellPlan, type ProfileName } from "#harness/experiment/define.ts";
import { closedLoad } from "#harness/loadgen/load.ts";
import type { EmulationProfileName } from "#shim/storage/emulated/profiles.ts";
import { sizeOf, standardWorkload } from "./axes.ts";

const clients = 10;
const emulations: readonly EmulationProfileName[] = ["dynamodb", "elasticache"];
const thetas = [1, 1.5, 2];

/** The first one is the baseline. */
const systems = [
  { name: "aft-no-cache", settings: { cacheBytes: 0 } },
  { name: "aft", settings: {} },
];

export const cachingSkew = defineExperiment({
  id: "caching-skew",
  title: "Data cache and skew",
  question: "What does caching values in the replica save, and does skew hurt?",
  reproduces: {
    source: "AFT (EuroSys '20) §6.2, Fig. 4",
    deviations: [
      "services and invocations emulated from the paper's own medians and p99s, over Redis",
      "10,000 keys instead of 100,000 below the profile paper",
    ],
  },
  notShown: "DynamoDB's transaction mode.",
  cells: (profile) =>
    emulations.flatMap((emulation) =>
      thetas.flatMap((zipfTheta) =>
        systems.map((system) => planCell({ emulation, zipfTheta, system, profile })),
      ),
    ),
});

function planCell(options: {
  readonly emulation: EmulationProfileName;
  readonly zipfTheta: number;
  readonly system: (typeof systems)[number];
  readonly profile: ProfileName;
}): CellPlan {
  const { emulation, zipfTheta, system, profile } = options;
  const workload = standardWorkload(zipfTheta);
  const keyCount = sizeOf(profile, {
    smoke: 1_000,
    quick: 10_000,
    standard: 10_000,
    paper: 100_000,
  });
  const requestsPerClient = sizeOf(profile, { smoke: 5, quick: 46, standard: 500, paper: 1_000 });
  return {
    cell: {
      workload: "paper",
      platform: "inline",
      system: system.name,
      storage: "redis",
      emulation,
      faults: "none",
      zipfTheta,
      clients,
    },
    storage: { service: "redis", emulation },
    system: system.name,
    cluster: {
      replicas: 1,
      managers: 1,
      beside: "data cache on and off",
      settings: { namespace: system.name, ...system.settings },
    },
    coarseTimers: true,
    platform: { name: "inline", invocation: "lambda" },
    workload: { ...workload, parameters: { ...workload.parameters, keyCount } },
    load: closedLoad({
      clients,
      requestsPerClient,
      warmUpRequestsPerClient: sizeOf(profile, { smoke: 1, quick: 10, standard: 50, paper: 50 }),
      blocks: sizeOf(profile, { smoke: 1, quick: 4, standard: 10, paper: 10 }),
    }),
    faults: { kind: "none" },
    // The store is filled key by key first, over the emulated service.
    estimateSeconds: requestsPerClient * 0.07 + 3 + keyCount * 0.0004,
  };
}
