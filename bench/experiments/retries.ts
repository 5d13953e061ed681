/**
 * @module What tries again costs: effects in part and twice, by how often functions fail.
 *
 * Every state operation, every commit and every answer may fail; the driver tries the whole request
 * again with the same request id, as callers of Lambda do.
 *
 * Reads as   requests per 10,000 of which others saw half an effect, or the effect twice.
 * Not shown  effects that nobody happened to read, and Lambda's own retries of Event invocations.
 */
import { defineExperiment, type CellPlan, type ProfileName } from "#harness/experiment/define.ts";
import { describeFaultPlan, type FaultPlan } from "#harness/faults/plan.ts";
import { closedLoad } from "#harness/loadgen/load.ts";
import {
  bothSystems,
  estimateSeconds,
  sizeOf,
  standardWorkload,
  type StorageLevel,
} from "./axes.ts";

const clients = 10;
/** Ours, and one of somebody else behind the same API. */
const platforms = ["local", "serverless-offline"] as const;
const probabilities = [0, 0.001, 0.01, 0.05];
/** In front of any other store the counts differ, and what they show does not. */
const level: StorageLevel = { service: "lmdb", emulation: "none", estimatedMs: 6 };

export const retries = defineExperiment({
  id: "retries",
  title: "Functions that fail and are tried again: torn and repeated effects",
  question: "What do others see of requests that failed half-way and were tried again?",
  reproduces: {
    source: "AFT (EuroSys '20) §2, at-least-once execution; no figure of its own",
    deviations: ["failures are injected between state operations, by seed"],
  },
  notShown: "Effects outside the store, and effects that nobody read.",
  cells: (profile) =>
    platforms.flatMap((platform) =>
      probabilities.flatMap((probability) =>
        bothSystems.map((system) => planCell({ platform, probability, system, profile })),
      ),
    ),
});

function planCell(options: {
  readonly platform: (typeof platforms)[number];
  readonly probability: number;
  readonly system: string;
  readonly profile: ProfileName;
}): CellPlan {
  const { platform, probability, system, profile } = options;
  const faults: FaultPlan = { kind: "fail-operations", probability };
  // The level the claim is about has more than 10,000 requests; the emulator shows the same in fewer.
  const most = probability === 0.01 ? 1_050 : 200;
  const quick = platform === "local" ? most : 100;
  const requestsPerClient = sizeOf(profile, { smoke: 20, quick, standard: 1_050, paper: 3_000 });
  const zipfTheta = 1;
  return {
    cell: {
      workload: "paper",
      platform,
      system,
      storage: level.service,
      emulation: level.emulation,
      faults: describeFaultPlan(faults),
      zipfTheta,
      clients,
      failurePercent: probability * 100,
    },
    storage: { service: level.service, emulation: level.emulation },
    system,
    platform: { name: platform, invocation: "none" },
    workload: standardWorkload(zipfTheta),
    load: closedLoad({
      clients,
      requestsPerClient,
      warmUpRequestsPerClient: sizeOf(profile, { smoke: 1, quick: 5, standard: 20, paper: 20 }),
      blocks: sizeOf(profile, { smoke: 1, quick: 3, standard: 5, paper: 5 }),
    }),
    faults,
    exactlyOnce: true,
    estimateSeconds: estimateSeconds({ level, clients, requestsPerClient }),
  };
}
