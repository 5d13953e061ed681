/**
 * @module Bars of medians with ticks at p99, ours filled, the paper's hollow behind them: the panel
 * of Fig. 2 and Fig. 3.
 */
import { paperColour, systemColours } from "./figure.ts";

export interface LatencyRow {
  readonly [field: string]: string | number;
  /** Position on the x axis. */
  readonly group: string;
  /** One bar within a group. */
  readonly series: string;
  /** Milliseconds; 0 where the sample does not support it. */
  readonly p50: number;
  readonly p99: number;
  readonly p99Text: string;
  readonly runId: string;
}

export interface PaperRow {
  readonly [field: string]: string | number;
  readonly group: string;
  readonly series: string;
  readonly ms: number;
  readonly what: string;
}

/** One panel with its own logarithmic y axis. */
export function latencyPanel(options: {
  readonly title: string;
  readonly rows: readonly LatencyRow[];
  readonly paper: readonly PaperRow[];
  readonly groups: readonly string[];
  readonly series: readonly string[];
  readonly colours: readonly string[];
  readonly xTitle: string;
}): Record<string, unknown> {
  const { title, rows, paper, groups, series, colours, xTitle } = options;
  const all = [...rows.flatMap(({ p50, p99 }) => [p50, p99]), ...paper.map(({ ms }) => ms)];
  // A run too small for any percentile still gets its axes.
  const positive = all.some((ms) => ms > 0) ? all.filter((ms) => ms > 0) : [1, 10];
  const lowest = 10 ** Math.floor(Math.log10(Math.min(...positive) * 0.8));
  const highest = Math.max(...positive) * 1.8;
  const x = {
    field: "group",
    type: "nominal",
    sort: groups,
    title: xTitle,
    axis: { labelAngle: 0 },
    scale: { paddingInner: 0.25 },
  };
  const xOffset = { field: "series", sort: series };
  const y = {
    type: "quantitative",
    title: "milliseconds (log)",
    scale: { type: "log", domain: [lowest, highest], nice: false },
  };
  const colour = {
    field: "series",
    type: "nominal",
    title: "ours: bar p50, line to p99",
    scale: { domain: series, range: colours },
  };
  const withP99 = rows.filter(({ p99 }) => p99 > 0);
  return {
    title: { text: title, fontSize: 13 },
    width: { step: Math.max(22, Math.min(34, 260 / (groups.length * series.length))) },
    height: 300,
    layer: [
      {
        data: { values: rows },
        mark: { type: "bar", clip: true },
        encoding: { x, xOffset, y: { ...y, field: "p50" }, y2: { datum: lowest }, color: colour },
      },
      {
        data: { values: withP99 },
        mark: { type: "rule", strokeWidth: 1.5 },
        encoding: { x, xOffset, y: { ...y, field: "p50" }, y2: { field: "p99" }, color: colour },
      },
      {
        data: { values: withP99 },
        mark: { type: "tick", thickness: 2, size: 12 },
        encoding: { x, xOffset, y: { ...y, field: "p99" }, color: colour },
      },
      {
        data: { values: rows },
        mark: { type: "text", dy: 9, fontSize: 9, color: "white", fontWeight: "bold" },
        encoding: { x, xOffset, y: { ...y, field: "p50" }, text: { field: "p50Text" } },
      },
      {
        data: { values: paper },
        mark: { type: "point", filled: false, size: 45, strokeWidth: 1.6, color: paperColour },
        encoding: {
          x,
          xOffset,
          y: { ...y, field: "ms" },
          shape: {
            field: "what",
            type: "nominal",
            title: "the paper, on AWS in 2019",
            scale: { domain: ["paper p50", "paper p99"], range: ["circle", "triangle-up"] },
          },
        },
      },
    ],
  };
}

export function coloursFor(series: readonly string[]): string[] {
  const spare = ["#009E73", "#CC79A7", "#E69F00", "#56B4E9"];
  return series.map((name, index) => systemColours[name] ?? spare[index % spare.length] ?? "#000");
}
