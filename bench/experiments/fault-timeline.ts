/**
 * @module A replica dies under load: what clients notice, and for how long (Fig. 10).
 *
 * Reads as   goodput, response times, anomalies and members on one time axis; the fault window shaded.
 * Not shown  saturation: the load leaves the machine room, because processes share its cores.
 */
import { defineExperiment, type CellPlan, type ProfileName } from "#harness/experiment/define.ts";
import { describeFaultPlan, type FaultPlan } from "#harness/faults/plan.ts";
import { closedLoad } from "#harness/loadgen/load.ts";
import type { StorageServiceName } from "#harness/services/registry.ts";
import { sizeOf, standardWorkload } from "./axes.ts";

const replicas = 4;
const clients = 10;
/** Between an answer and the next request; keeps two cores half idle. */
const thinkTimeUs = 30_000;
const stores: readonly StorageServiceName[] = ["redis", "lmdb"];

export const faultTimeline = defineExperiment({
  id: "fault-timeline",
  title: "A replica dies under load",
  question: "How long does a dead replica cost throughput, and is anything lost or torn meanwhile?",
  reproduces: {
    source: "AFT (EuroSys '20) §6.7, Fig. 10",
    deviations: [
      "replicas are processes of one machine, so a replacement needs no container image",
      "10 clients with think time instead of 200",
      "the store holds 100,000 commit records that a replacement has to read",
    ],
  },
  notShown: "Saturation, and the loss of a machine with its storage.",
  cells: (profile) => stores.map((service) => planCell(service, profile)),
});

function planCell(service: StorageServiceName, profile: ProfileName): CellPlan {
  const seconds = sizeOf(profile, { smoke: 8, quick: 24, standard: 40, paper: 80 });
  const atSeconds = sizeOf(profile, { smoke: 1, quick: 7, standard: 10, paper: 10 });
  const preload = sizeOf(profile, {
    smoke: 2_000,
    quick: 100_000,
    standard: 100_000,
    paper: 100_000,
  });
  const faults: FaultPlan = {
    kind: "processes",
    actions: [{ what: "kill", role: "replica", count: 1, atSeconds }],
  };
  const zipfTheta = 1;
  return {
    cell: {
      workload: "paper",
      platform: "inline",
      system: "aft",
      storage: service,
      emulation: "none",
      faults: describeFaultPlan(faults),
      zipfTheta,
      clients,
      replicas,
      records: preload,
    },
    storage: { service, emulation: "none" },
    system: "aft",
    cluster: { replicas, managers: 1, preload },
    after: ["durability"],
    platform: { name: "inline", invocation: "none" },
    workload: standardWorkload(zipfTheta),
    load: closedLoad({
      clients,
      requestsPerClient: Math.ceil((seconds * 1_000_000) / thinkTimeUs),
      seconds,
      thinkTimeUs,
      warmUpRequestsPerClient: sizeOf(profile, { smoke: 5, quick: 50, standard: 100, paper: 100 }),
      blocks: 1,
    }),
    faults,
    estimateSeconds: seconds + sizeOf(profile, { smoke: 3, quick: 16, standard: 18, paper: 18 }),
  };
}
