/** @module The experiments and suites there are: one line each. */
import type { ExperimentDefinition, ProfileName } from "#harness/experiment/define.ts";
import { alternativesExperiment } from "./alternatives.ts";
import { anomalies } from "./anomalies.ts";
import { cachingSkew } from "./caching-skew.ts";
import { faultTimeline } from "./fault-timeline.ts";
import { gcOverhead } from "./gc-overhead.ts";
import { capacity } from "./capacity.ts";
import { lambdaTwin } from "./lambda-twin.ts";
import { offeredLoad } from "./offered-load.ts";
import { overhead } from "./overhead.ts";
import { readShare } from "./read-share.ts";
import { retries } from "./retries.ts";
import { scalingClients } from "./scaling-clients.ts";
import { scalingReplicas } from "./scaling-replicas.ts";
import { transactionLength } from "./transaction-length.ts";
import { writeLatency } from "./write-latency.ts";

export const experiments: readonly ExperimentDefinition[] = [
  overhead,
  anomalies,
  writeLatency,
  cachingSkew,
  readShare,
  transactionLength,
  scalingClients,
  scalingReplicas,
  gcOverhead,
  faultTimeline,
  offeredLoad,
  capacity,
  retries,
  lambdaTwin,
  alternativesExperiment,
];

export interface Suite {
  readonly id: string;
  readonly title: string;
  readonly experiments: readonly ExperimentDefinition[];
  /** Size when none is asked for. */
  readonly profile: ProfileName;
}

export const suites: readonly Suite[] = [
  {
    id: "quick",
    title: "What atomicity costs and what it removes, in three minutes",
    experiments: [overhead, anomalies],
    profile: "quick",
  },
  {
    id: "paper",
    title: "Every figure and table of the paper, its claims, and what it leaves out",
    experiments: [
      writeLatency,
      overhead,
      anomalies,
      cachingSkew,
      readShare,
      transactionLength,
      scalingClients,
      scalingReplicas,
      gcOverhead,
      faultTimeline,
      offeredLoad,
    ],
    profile: "paper",
  },
];
