/** @module What Fig. 5 and Fig. 6 share: ten clients of one replica over an emulated service. */
import type { CellPlan, ProfileName } from "#harness/experiment/define.ts";
import type { closedLoad } from "#harness/loadgen/load.ts";
import { sizeOf, standardWorkload, type StorageLevel } from "./axes.ts";

const clients = 10;
const zipfTheta = 1.5;

export function oneReplicaCell(options: {
  readonly level: StorageLevel;
  readonly profile: ProfileName;
  /** What the experiment varies. */
  readonly factor: Readonly<Record<string, number>>;
  readonly operations: {
    readonly functions: number;
    readonly readsPerFunction: number;
    readonly writesPerFunction: number;
  };
  /** Of one transaction, for the plan. */
  readonly millisecondsEach: number;
}): Omit<CellPlan, "load"> & { readonly load: Parameters<typeof closedLoad>[0] } {
  const { level, profile, factor, operations, millisecondsEach } = options;
  const { service, emulation } = level;
  const standard = standardWorkload(zipfTheta);
  const requestsPerClient = sizeOf(profile, { smoke: 5, quick: 46, standard: 500, paper: 1_000 });
  return {
    cell: {
      workload: "paper",
      platform: "inline",
      system: "aft",
      storage: service,
      emulation,
      faults: "none",
      zipfTheta,
      clients,
      ...factor,
    },
    storage: { service, emulation },
    system: "aft",
    platform: { name: "inline", invocation: "lambda" },
    workload: { ...standard, parameters: { ...standard.parameters, ...operations } },
    load: {
      clients,
      requestsPerClient,
      warmUpRequestsPerClient: sizeOf(profile, { smoke: 1, quick: 5, standard: 50, paper: 50 }),
      blocks: sizeOf(profile, { smoke: 1, quick: 4, standard: 10, paper: 10 }),
    },
    faults: { kind: "none" },
    estimateSeconds: (requestsPerClient * millisecondsEach) / 1_000 + 1.5,
  };
}
