/**
 * @module What tries again costs: effects in part and twice, by how often functions fail.
 *
 * Every state operation, every commit and every answer may fail. Then the whole request is tried again
 * with the same request id: by the driver, as callers of Lambda do, or by the platform itself, as Lambda
 * does with events. An event has no caller that could go on with a second function, so there the same
 * operations are one function.
 *
 * Reads as   requests per 10,000 of which others saw half an effect, or the effect twice.
 * Not shown  effects that nobody happened to read; where events are tried again, three attempts are all.
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
/** Ours, one of somebody else behind the same API, and whichever endpoint was named. */
const platforms = ["local", "serverless-offline", "lambda"] as const;
/** Who tries again. serverless-offline does not, which is reported as not run. */
const policies = ["driver", "platform"] as const;
const probabilities = [0, 0.001, 0.01, 0.05];
/** In front of any other store the counts differ, and what they show does not. */
const lmdb: StorageLevel = { service: "lmdb", emulation: "none", estimatedMs: 6 };
/** Functions from archives cannot open lmdb. */
const dynamodb: StorageLevel = { service: "dynamodb", emulation: "none", estimatedMs: 60 };

interface Choice {
  readonly platform: (typeof platforms)[number];
  readonly retriedBy: (typeof policies)[number];
  readonly probability: number;
  readonly system: string;
}

export const retries = defineExperiment({
  id: "retries",
  title: "Functions that fail and are tried again: torn and repeated effects",
  question: "What do others see of requests that failed half-way and were tried again?",
  reproduces: {
    source: "AFT (EuroSys '20) §2, at-least-once execution; no figure of its own",
    deviations: [
      "failures are injected between state operations, by seed",
      "events are tried again after fractions of a second, not after one and two minutes",
    ],
  },
  notShown: "Effects outside the store, and effects that nobody read.",
  cells: (profile) =>
    platforms.flatMap((platform) =>
      policies.flatMap((retriedBy) =>
        probabilities.flatMap((probability) =>
          bothSystems.map((system) =>
            planCell({ platform, retriedBy, probability, system }, profile),
          ),
        ),
      ),
    ),
});

function planCell(choice: Choice, profile: ProfileName): CellPlan {
  const { platform, retriedBy, probability, system } = choice;
  const faults: FaultPlan = { kind: "fail-operations", probability };
  const level = platform === "lambda" ? dynamodb : lmdb;
  const requestsPerClient = sizeOf(profile, {
    smoke: 20,
    quick: quickRequests(choice),
    standard: 1_050,
    paper: 3_000,
  });
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
      retriedBy,
    },
    storage: { service: level.service, emulation: level.emulation },
    system,
    platform: { name: platform, invocation: "none" },
    workload: retriedBy === "driver" ? standardWorkload(zipfTheta) : inOneFunction(zipfTheta),
    load: closedLoad({
      clients,
      requestsPerClient,
      warmUpRequestsPerClient: sizeOf(profile, { smoke: 1, quick: 5, standard: 20, paper: 20 }),
      blocks: sizeOf(profile, { smoke: 1, quick: 3, standard: 5, paper: 5 }),
    }),
    faults,
    exactlyOnce: true,
    ...(retriedBy === "platform" && { retriedBy }),
    estimateSeconds: estimateSeconds({ level, clients, requestsPerClient }),
  };
}

/** The level the claim is about has more than 10,000 requests; the others show the same in fewer. */
function quickRequests({ platform, retriedBy, probability }: Choice): number {
  if (platform !== "local") return 100;
  if (probability !== 0.01) return 200;
  return retriedBy === "driver" ? 1_050 : 300;
}

/** The standard transaction's operations as one function. */
function inOneFunction(zipfTheta: number): CellPlan["workload"] {
  const { name, parameters } = standardWorkload(zipfTheta);
  return {
    name,
    parameters: { ...parameters, functions: 1, readsPerFunction: 4, writesPerFunction: 2 },
  };
}
