/** @module Replica counts against what N times one replica would do. Pure; figure and claims share it. */
import type { RunSummary, SuiteResult } from "#harness/record/run.ts";
import type { PaperNumbers } from "#results/load.ts";
import { storeName } from "../format.ts";
import { coreUse } from "../saturation.ts";

export const serviceColours: Readonly<Record<string, string>> = {
  dynamodb: "#0072B2",
  elasticache: "#009E73",
  redis: "#E69F00",
  lmdb: "#CC79A7",
};

export interface ScalingRow {
  readonly [field: string]: string | number;
  readonly service: string;
  readonly replicas: number;
  readonly clients: number;
  readonly throughput: number;
  /** What N times the smallest count's throughput a replica would be. */
  readonly ideal: number;
  /** Percent of it. */
  readonly ofIdeal: number;
  readonly cores: number;
  /** Empty while the machine had room. */
  readonly saturated: string;
  readonly runId: string;
}

export function scalingRows(suite: Pick<SuiteResult, "runs" | "machine">): readonly ScalingRow[] {
  const runs = suite.runs.filter(({ experiment }) => experiment === "scaling-replicas");
  const one = new Map<string, number>();
  for (const run of runs.toSorted((a, b) => replicasOf(a) - replicasOf(b))) {
    const service = storeName(run.cell);
    if (!one.has(service)) one.set(service, run.throughputPerSecond / replicasOf(run));
  }
  return runs.map((run) => {
    const service = storeName(run.cell);
    const replicas = replicasOf(run);
    const ideal = (one.get(service) ?? 0) * replicas;
    const { total, saturated = "" } = coreUse(run, suite.machine.cores);
    return {
      service,
      replicas,
      clients: run.cell.clients,
      throughput: run.throughputPerSecond,
      ideal: Math.round(ideal * 10) / 10,
      ofIdeal: ideal === 0 ? 0 : Math.round((run.throughputPerSecond / ideal) * 1_000) / 10,
      cores: Math.round(total * 100) / 100,
      saturated,
      runId: run.runId,
    };
  });
}

/** The paper's own, of N times what its figure calls ideal. */
export function paperShares(
  { fig8 }: Pick<PaperNumbers, "fig8">,
  service: string,
): readonly { readonly replicas: number; readonly ofIdeal: number }[] {
  /** The ideal line at 16 nodes, read off. */
  const idealAt16: Readonly<Record<string, number>> = { dynamodb: 9_000, elasticache: 14_000 };
  const perReplica = (idealAt16[service] ?? 0) / 16;
  if (perReplica === 0) return [];
  return fig8.values
    .filter(({ storage }) => storage === service)
    .map(({ replicas = 0, throughput }) => ({
      replicas,
      ofIdeal: Math.round((throughput / (perReplica * replicas)) * 1_000) / 10,
    }));
}

export function replicasOf({ cell }: RunSummary): number {
  return Number(cell["replicas"] ?? 1);
}
