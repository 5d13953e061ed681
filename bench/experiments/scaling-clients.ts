/**
 * @module Throughput of one replica over the number of clients (Fig. 7).
 *
 * Reads as   a line per emulated service; straight as long as waiting is the limit.
 * Not shown  the peak on a machine of its own: load, functions and replica share the cores here.
 */
import { defineExperiment, type CellPlan, type ProfileName } from "#harness/experiment/define.ts";
import { closedLoad } from "#harness/loadgen/load.ts";
import type { EmulationProfileName } from "#shim/storage/emulated/profiles.ts";
import { sizeOf, standardWorkload } from "./axes.ts";

const zipfTheta = 1.5;
const emulations: readonly EmulationProfileName[] = ["dynamodb", "elasticache"];

export const scalingClients = defineExperiment({
  id: "scaling-clients",
  title: "One replica, more clients",
  question: "Up to how many clients does one replica's throughput grow with their number?",
  reproduces: {
    source: "AFT (EuroSys '20) §6.5.1, Fig. 7",
    deviations: ["services and invocations emulated from the paper's own medians and p99s"],
  },
  notShown: "Open-loop load; see `run capacity` for the rate a system sustains.",
  cells: (profile) => {
    const counts = sizeOf(profile, {
      smoke: [2, 4],
      quick: [10, 20, 40, 45, 50],
      standard: [1, 10, 20, 30, 40, 45, 50],
      paper: [1, 10, 20, 30, 40, 45, 50],
    });
    return emulations.flatMap((emulation) =>
      counts.map((clients) => planCell({ emulation, clients, profile })),
    );
  },
});

function planCell(options: {
  readonly emulation: EmulationProfileName;
  readonly clients: number;
  readonly profile: ProfileName;
}): CellPlan {
  const { emulation, clients, profile } = options;
  const seconds = sizeOf(profile, { smoke: 1, quick: 5, standard: 20, paper: 80 });
  return {
    cell: {
      workload: "paper",
      platform: "inline",
      system: "aft",
      storage: "memory",
      emulation,
      faults: "none",
      zipfTheta,
      clients,
    },
    storage: { service: "memory", emulation },
    system: "aft",
    coarseTimers: true,
    platform: { name: "inline", invocation: "lambda" },
    workload: standardWorkload(zipfTheta),
    load: closedLoad({
      clients,
      requestsPerClient: profile === "paper" ? 1_000 : seconds * 50,
      seconds,
      warmUpRequestsPerClient: sizeOf(profile, { smoke: 1, quick: 5, standard: 20, paper: 20 }),
      blocks: sizeOf(profile, { smoke: 1, quick: 2, standard: 5, paper: 5 }),
    }),
    faults: { kind: "none" },
    estimateSeconds: seconds + 1.5,
  };
}
