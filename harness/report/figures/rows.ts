/** @module From run summaries to rows of figures. Pure. */
import type { Percentile, RunSummary } from "#harness/record/run.ts";
import type { LatencyRow } from "./latency-panel.ts";

export function latencyRow(run: RunSummary, group: string, series: string): LatencyRow {
  const p50 = milliseconds(run.responseTimeUs.p50);
  const p99 = milliseconds(run.responseTimeUs.p99);
  const { p99: percentile } = run.responseTimeUs;
  return {
    group,
    series,
    p50,
    p99,
    p50Text: p50 >= 100 ? p50.toFixed(0) : p50 >= 10 ? p50.toFixed(1) : p50.toFixed(2),
    p99Text: typeof percentile === "number" ? "" : `n/a (need ${percentile.need})`,
    runId: run.runId,
  };
}

/** 0 for what the sample does not support: it is then not drawn. */
export function milliseconds(us: Percentile): number {
  return typeof us === "number" ? Math.round(us) / 1_000 : 0;
}

export function distinct<T>(values: Iterable<T>): T[] {
  return [...new Set(values)];
}
