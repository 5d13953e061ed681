/**
 * @module Cost of atomicity: a transaction's end-to-end time with and without the shim (Fig. 3).
 *
 * Reads as   one pair of bars per store, median and p99; the shim costs what separates a pair.
 * Not shown  saturation (`micro shim-vs-direct`), cold starts (excluded by warm-up).
 */
import { defineExperiment, type CellPlan, type ProfileName } from "#harness/experiment/define.ts";
import { closedLoad } from "#harness/loadgen/load.ts";
import {
  bothSystems,
  emulatedStores,
  estimateSeconds,
  platformFor,
  realStores,
  sizeOf,
  standardWorkload,
  type StorageLevel,
} from "./axes.ts";

const clients = 10;
const zipfTheta = 1;

export const overhead = defineExperiment({
  id: "overhead",
  title: "End-to-end time of a transaction, plain storage and AFT",
  question: "What does read atomicity add to the time of a two-function transaction?",
  reproduces: {
    source: "AFT (EuroSys '20) §6.1.2, Fig. 3",
    deviations: [
      "local or inline functions in place of AWS Lambda",
      "cloud services emulated from the paper's own medians and p99s",
    ],
  },
  notShown: "Saturation, cold starts, and DynamoDB's transaction mode.",
  cells: (profile) =>
    [...realStores, ...emulatedStores].flatMap((level) =>
      bothSystems.map((system) => planCell({ level, system, profile })),
    ),
});

function planCell(options: {
  readonly level: StorageLevel;
  readonly system: string;
  readonly profile: ProfileName;
}): CellPlan {
  const { level, system, profile } = options;
  const platform = platformFor(level);
  const slow = level.emulation === "s3" || level.service === "dynamodb" || level.service === "s3";
  // 46 a client are 460 in all, just enough to carry a p99 (459).
  const requestsPerClient = sizeOf(profile, {
    smoke: 5,
    quick: 46,
    standard: 1_000,
    paper: 1_000,
  });
  return {
    cell: {
      workload: "paper",
      platform: platform.name,
      system,
      storage: level.service,
      emulation: level.emulation,
      faults: "none",
      zipfTheta,
      clients,
    },
    storage: { service: level.service, emulation: level.emulation },
    system,
    platform,
    workload: standardWorkload(zipfTheta),
    load: closedLoad({
      clients,
      requestsPerClient,
      warmUpRequestsPerClient: sizeOf(profile, {
        smoke: 1,
        quick: slow ? 3 : 10,
        standard: 50,
        paper: 50,
      }),
      blocks: sizeOf(profile, { smoke: 1, quick: 6, standard: 10, paper: 10 }),
    }),
    faults: { kind: "none" },
    timed: true,
    estimateSeconds: estimateSeconds({ level, clients, requestsPerClient }),
  };
}
