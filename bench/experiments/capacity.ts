/**
 * @module How much load a system carries within an objective, by search (`run capacity`).
 *
 * Reads as   a bar per system and store: the highest offered load that kept the SLO, with its interval.
 * Not shown  what happens beyond it, and platforms: functions run in the load process.
 */
import type { CapacitySizes } from "#harness/experiment/capacity/run-capacity.ts";
import { mostSlots } from "#harness/experiment/capacity/run-capacity.ts";
import { defineExperiment, type CellPlan, type ProfileName } from "#harness/experiment/define.ts";
import { openLoad } from "#harness/loadgen/load.ts";
import { bothSystems, realStores, standardWorkload, type StorageLevel } from "./axes.ts";

const zipfTheta = 1;

export const capacitySizes: Readonly<Record<ProfileName, CapacitySizes>> = {
  smoke: { repeats: 1, probeSeconds: 0.5, precision: 1, startPerSecond: 100 },
  quick: { repeats: 3, probeSeconds: 2, precision: 0.15, startPerSecond: 200 },
  standard: { repeats: 5, probeSeconds: 5, precision: 0.1, startPerSecond: 200 },
  paper: { repeats: 7, probeSeconds: 10, precision: 0.05, startPerSecond: 200 },
};

export const capacity = defineExperiment({
  id: "capacity",
  title: "The highest offered load within a service level objective",
  question: "How many transactions a second does each system carry before its p99 gives way?",
  reproduces: {
    source: "none; the paper's Fig. 7 has throughput of a closed loop",
    deviations: ["open loop, Poisson arrivals, times counted from when a request was due"],
  },
  notShown: "Overload, recovery from it, and anything a FaaS platform adds.",
  cells: (profile) =>
    realStores
      .filter(({ service }) => service === "memory" || service === "redis")
      .flatMap((level) => bothSystems.map((system) => planCell({ level, system, profile }))),
});

function planCell(options: {
  readonly level: StorageLevel;
  readonly system: string;
  readonly profile: ProfileName;
}): CellPlan {
  const { level, system, profile } = options;
  const { repeats, probeSeconds, startPerSecond } = capacitySizes[profile];
  // About nine probes to bracket and halve, and half a dozen for each repeat.
  const probes = 9 + 6 * (repeats - 1);
  return {
    cell: {
      workload: "paper",
      platform: "inline",
      system,
      storage: level.service,
      emulation: level.emulation,
      faults: "none",
      zipfTheta,
      clients: mostSlots,
    },
    storage: { service: level.service, emulation: level.emulation },
    system,
    platform: { name: "inline", invocation: "none" },
    workload: standardWorkload(zipfTheta),
    // Where the search begins; each probe has a load of its own, within these slots.
    load: openLoad({
      arrivals: { kind: "poisson", perSecond: startPerSecond, seconds: probeSeconds },
      slots: mostSlots,
      blocks: 1,
    }),
    faults: { kind: "none" },
    estimateSeconds: probes * (probeSeconds + 2),
  };
}
