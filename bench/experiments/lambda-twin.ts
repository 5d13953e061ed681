/**
 * @module The same requests on `local` and behind endpoints of the Lambda API, cold and warm apart, and
 * where their time goes.
 *
 * Functions are deployed anew before every block, so each block begins with a cold start. One client
 * waits for each answer, so no queue is in any number.
 *
 * Reads as   one bar per platform and system: client, platform, function, shim, storage, stacked.
 * Not shown  queueing and bursts of cold starts; AWS, unless the run was there (the figure says).
 */
import { defineExperiment, type CellPlan, type ProfileName } from "#harness/experiment/define.ts";
import { closedLoad } from "#harness/loadgen/load.ts";
import {
  bothSystems,
  estimateSeconds,
  sizeOf,
  standardWorkload,
  type StorageLevel,
} from "./axes.ts";

const clients = 1;
const zipfTheta = 1;
/** One client fills the store; how many keys there are shows in no number here. */
const keyCount = 100;
const platforms = ["local", "serverless-offline", "lambda"] as const;
/** A function from an archive can open it, and every machine has it. */
const level: StorageLevel = { service: "dynamodb", emulation: "none", estimatedMs: 25 };
/** Deploying and starting, before each block. */
const redeploySeconds = 1.5;

export const lambdaTwin = defineExperiment({
  id: "lambda-twin",
  title: "The same requests on local and on Lambda endpoints: cold, warm, and where the time goes",
  question: "How much of a request's time is the platform's, and what does a cold start add?",
  reproduces: {
    source: "AFT (EuroSys '20) §6.1, functions on AWS Lambda; no figure of its own",
    deviations: [
      "emulators of the Lambda API, unless AWS was named",
      "dynalite in place of DynamoDB",
    ],
  },
  notShown: "Queueing, bursts of cold starts, and what the network to AWS costs.",
  cells: (profile) =>
    platforms.flatMap((platform) =>
      bothSystems.map((system) => planCell({ platform, system, profile })),
    ),
});

function planCell(options: {
  readonly platform: (typeof platforms)[number];
  readonly system: string;
  readonly profile: ProfileName;
}): CellPlan {
  const { platform, system, profile } = options;
  const requestsPerClient = sizeOf(profile, {
    smoke: 4,
    quick: 240,
    standard: 1_000,
    paper: 3_000,
  });
  const workload = standardWorkload(zipfTheta);
  const blocks = sizeOf(profile, { smoke: 1, quick: 6, standard: 20, paper: 50 });
  return {
    cell: {
      workload: "paper",
      platform,
      system,
      storage: level.service,
      emulation: level.emulation,
      faults: "none",
      zipfTheta,
      clients,
    },
    storage: { service: level.service, emulation: level.emulation },
    system,
    platform: { name: platform, invocation: "none" },
    workload: { ...workload, parameters: { ...workload.parameters, keyCount } },
    load: closedLoad({ clients, requestsPerClient, warmUpRequestsPerClient: 0, blocks }),
    faults: { kind: "none" },
    coldBlocks: true,
    estimateSeconds:
      estimateSeconds({ level, clients, requestsPerClient }) + blocks * redeploySeconds,
  };
}
