/** @module Figures over a history of runs, with the change points that were found. */
import type { Trend } from "#harness/gate/trend.ts";
import type { TopLevelSpec } from "vega-lite";
import { paperColour, sharedConfig, systemColours } from "./figure.ts";

/** More panels than this make a picture nobody reads; those with changes come first. */
const mostPanels = 12;

/** One panel a series and figure: every run as a point, medians of regimes as lines. */
export function trendSpec(trends: readonly Trend[]): TopLevelSpec {
  const shown = trends.toSorted((a, b) => b.changes.length - a.changes.length).slice(0, mostPanels);
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: {
      text: "Figures over the history of runs",
      subtitle: [
        `${shown.length} of ${trends.length} series; a line is a regime's median, an orange rule a change point`,
      ],
    },
    config: sharedConfig,
    vconcat: shown.map(panel),
    spacing: 24,
  };
  return spec as never;
}

function panel(trend: Trend): Record<string, unknown> {
  const { points, changes, figure, series } = trend;
  const values = points.map(({ value, commit }, run) => ({
    run,
    value,
    commit: commit.slice(0, 9),
  }));
  const bounds = [0, ...changes.map(({ index }) => index), points.length];
  const regimes = bounds.slice(1).flatMap((end, at) => {
    const start = bounds[at] ?? 0;
    const median = at === 0 ? changes[0]?.before : changes[at - 1]?.after;
    return median === undefined ? [] : [{ start, end: end - 1, median }];
  });
  const marks = changes.map(({ index, at, relative }) => ({
    run: index,
    text: `${at.commit.slice(0, 9)} ${formatRelative(relative)}`,
  }));
  const x = { field: "run", type: "quantitative", title: "run, oldest first" };
  const y = { type: "quantitative", title: figure, scale: { zero: false } };
  const layers = [
    {
      data: { values },
      mark: { type: "point", filled: true, size: 30, color: systemColours["aft"] },
      encoding: { x, y: { ...y, field: "value" } },
    },
    ...(regimes.length === 0
      ? []
      : [
          {
            data: { values: regimes },
            mark: { type: "rule", color: "#333333" },
            encoding: {
              x: { ...x, field: "start" },
              x2: { field: "end" },
              y: { ...y, field: "median" },
            },
          },
          {
            data: { values: marks },
            mark: { type: "rule", color: paperColour, strokeDash: [4, 2] },
            encoding: { x },
          },
          {
            data: { values: marks },
            mark: { type: "text", align: "left", dx: 4, y: 8, fontSize: 10, color: paperColour },
            encoding: { x, text: { field: "text" } },
          },
        ]),
  ];
  return {
    title: { text: series, fontSize: 10, limit: 640 },
    width: 640,
    height: 140,
    layer: layers,
  };
}

/** `+12 %`. */
export function formatRelative(relative: number): string {
  if (!Number.isFinite(relative)) return "from zero";
  return `${relative > 0 ? "+" : ""}${(relative * 100).toFixed(0)} %`;
}
