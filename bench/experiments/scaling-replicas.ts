/**
 * @module Throughput over the number of replicas, each a process of its own (Fig. 8).
 *
 * Reads as   throughput beside N times one replica's; hollow where the machine's cores were used up,
 *            with the CPU of every process beneath: there the machine is measured, not the system.
 * Not shown  replicas on machines of their own.
 */
import { defineExperiment, type CellPlan, type ProfileName } from "#harness/experiment/define.ts";
import { closedLoad } from "#harness/loadgen/load.ts";
import type { EmulationProfileName } from "#shim/storage/emulated/profiles.ts";
import { sizeOf, standardWorkload } from "./axes.ts";

const zipfTheta = 1.5;
const emulations: readonly EmulationProfileName[] = ["dynamodb", "elasticache"];

export const scalingReplicas = defineExperiment({
  id: "scaling-replicas",
  title: "More replicas, as many clients each",
  question: "Does throughput grow with the number of replicas until the cores are used up?",
  reproduces: {
    source: "AFT (EuroSys '20) §6.5.2, Fig. 8",
    deviations: [
      "2 clients a replica instead of 40: all replicas share this machine's cores",
      "services and invocations emulated from the paper's own medians and p99s, over one Redis",
    ],
  },
  notShown: "Limits of the cloud services, and replicas on machines of their own.",
  cells: (profile) => {
    const counts = sizeOf(profile, {
      smoke: [1, 2],
      quick: [1, 2, 4, 8],
      standard: [1, 2, 4, 8, 12, 16],
      paper: [1, 2, 4, 8, 12, 16],
    });
    return emulations.flatMap((emulation) =>
      counts.map((replicas) => planCell({ emulation, replicas, profile })),
    );
  },
});

function planCell(options: {
  readonly emulation: EmulationProfileName;
  readonly replicas: number;
  readonly profile: ProfileName;
}): CellPlan {
  const { emulation, replicas, profile } = options;
  const perReplica = sizeOf(profile, { smoke: 2, quick: 2, standard: 2, paper: 40 });
  const clients = replicas * perReplica;
  const seconds = sizeOf(profile, { smoke: 1, quick: 6, standard: 20, paper: 80 });
  return {
    cell: {
      workload: "paper",
      platform: "inline",
      system: "aft",
      storage: "redis",
      emulation,
      faults: "none",
      zipfTheta,
      clients,
      replicas,
    },
    storage: { service: "redis", emulation },
    system: "aft",
    cluster: { replicas, managers: 1 },
    coarseTimers: true,
    platform: { name: "inline", invocation: "lambda" },
    workload: standardWorkload(zipfTheta),
    load: closedLoad({
      clients,
      requestsPerClient: seconds * 50,
      seconds,
      // Fresh processes compile for a while; with few clients each that takes many requests.
      warmUpRequestsPerClient: sizeOf(profile, { smoke: 1, quick: 60, standard: 150, paper: 30 }),
      blocks: sizeOf(profile, { smoke: 1, quick: 2, standard: 5, paper: 5 }),
    }),
    faults: { kind: "none" },
    estimateSeconds: seconds + 6 + replicas * 0.5,
  };
}
