/**
 * @module Anomalies and times over offered load, which the paper's closed loop cannot show.
 *
 * Reads as   transactions with a proven anomaly per 10,000 beside response times, over the rate offered.
 * Not shown  the highest rate that a system carries (`run capacity`).
 */
import { defineExperiment, type CellPlan, type ProfileName } from "#harness/experiment/define.ts";
import { openLoad } from "#harness/loadgen/load.ts";
import { bothSystems, sizeOf, standardWorkload } from "./axes.ts";

const zipfTheta = 1;
const emulation = "elasticache";

export const offeredLoad = defineExperiment({
  id: "offered-load",
  title: "Anomalies over offered load",
  question: "How do anomalies and response times grow with the rate that is offered?",
  reproduces: {
    source: "none; the workload of AFT (EuroSys '20) §6.1.2",
    deviations: [
      "open loop, Poisson arrivals, times counted from when a request was due",
      "ElastiCache and invocations emulated from the paper's own medians and p99s",
    ],
  },
  notShown: "Saturation, and stores on this machine, whose transactions are too short to meet.",
  cells: (profile) => {
    const rates = sizeOf(profile, {
      smoke: [50, 100],
      quick: [50, 100, 200, 400],
      standard: [50, 100, 200, 300, 400, 500],
      paper: [50, 100, 200, 300, 400, 500],
    });
    return rates.flatMap((perSecond) =>
      bothSystems.map((system) => planCell({ system, perSecond, profile })),
    );
  },
});

function planCell(options: {
  readonly system: string;
  readonly perSecond: number;
  readonly profile: ProfileName;
}): CellPlan {
  const { system, perSecond, profile } = options;
  const seconds = sizeOf(profile, { smoke: 1, quick: 6, standard: 30, paper: 60 });
  const slots = 256;
  return {
    cell: {
      workload: "paper",
      platform: "inline",
      system,
      storage: "memory",
      emulation,
      faults: "none",
      zipfTheta,
      clients: slots,
      arrivals: `poisson ${perSecond}/s`,
      offeredPerSecond: perSecond,
    },
    storage: { service: "memory", emulation },
    system,
    coarseTimers: true,
    platform: { name: "inline", invocation: "lambda" },
    workload: standardWorkload(zipfTheta),
    load: openLoad({
      arrivals: { kind: "poisson", perSecond, seconds },
      slots,
      blocks: sizeOf(profile, { smoke: 1, quick: 2, standard: 5, paper: 5 }),
    }),
    faults: { kind: "none" },
    estimateSeconds: seconds + 2,
  };
}
