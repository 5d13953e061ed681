/**
 * @module Throughput and what limits it over the number of replicas, simulated: dashed lines and hollow
 * diamonds everywhere, so that nobody takes them for measurements, which are filled circles.
 */
import type { TopLevelSpec } from "vega-lite";
import { sharedConfig } from "./figure.ts";

/** One mark. */
export interface ScaleRow {
  readonly [column: string]: string | number;
  readonly panel: "throughput" | "cpu" | "traffic" | "hearing" | "heldOut";
  readonly kind: "simulated" | "measured" | "ideal";
  readonly series: string;
  readonly replicas: number;
  readonly value: number;
}

const width = 340;
const height = 220;
const colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#999999"];

interface Panel {
  readonly id: ScaleRow["panel"];
  readonly title: string;
  readonly y: string;
  readonly log: boolean;
}

const panels: readonly Panel[] = [
  { id: "throughput", title: "Throughput (dotted: ideal)", y: "transactions/s", log: true },
  { id: "cpu", title: "Who is busy", y: "share of one core", log: false },
  { id: "traffic", title: "Talk between peers", y: "a second, each replica", log: true },
  { id: "hearing", title: "What a replica knows", y: "ms, or commits", log: true },
  { id: "heldOut", title: "Real runs that were held out", y: "transactions/s", log: true },
];

export function scaleSpec(
  rows: readonly ScaleRow[],
  texts: { readonly title: string; readonly subtitle: readonly string[] },
): TopLevelSpec {
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: { text: texts.title, subtitle: [...texts.subtitle] },
    config: sharedConfig,
    columns: 2,
    spacing: 30,
    resolve: {
      scale: { color: "independent", shape: "independent", y: "independent" },
      legend: { color: "independent", shape: "independent" },
    },
    concat: panels
      .filter(({ id }) => rows.some(({ panel }) => panel === id))
      .map((panel) => panelSpec(panel, rows)),
  };
  return spec as never;
}

function panelSpec({ id, title, y, log }: Panel, all: readonly ScaleRow[]): unknown {
  const rows = all.filter(({ panel }) => panel === id);
  // The ideal line has no place in the legend, where it would fill the others' marks.
  const coloured = rows.filter(({ kind }) => kind !== "ideal");
  const domain = [...new Set(coloured.map(({ series }) => series))];
  const isMeasured = (name: string): boolean =>
    rows.some(({ series, kind }) => series === name && kind === "measured");
  // One legend for colour and shape: measured filled circles, simulated hollow diamonds.
  const legend = { columns: 1 };
  const encoding = {
    x: {
      field: "replicas",
      type: "quantitative",
      title: "replicas",
      scale: { type: "log", base: 2 },
      axis: { values: [...new Set(rows.map(({ replicas }) => replicas))], labelOverlap: true },
    },
    y: {
      field: "value",
      type: "quantitative",
      title: y,
      scale: log ? { type: "log" } : { zero: true },
      axis: { tickCount: 6, format: log ? "~s" : ".2~f" },
    },
    color: {
      field: "series",
      type: "nominal",
      title: null,
      scale: { domain, range: colours.slice(0, domain.length) },
      legend,
    },
    shape: {
      field: "series",
      type: "nominal",
      title: null,
      scale: { domain, range: domain.map((name) => (isMeasured(name) ? "circle" : "diamond")) },
      legend,
    },
  };
  const layer = (
    kind: ScaleRow["kind"],
    mark: Readonly<Record<string, unknown>>,
    own: Readonly<Record<string, unknown>> = {},
  ): unknown[] =>
    rows.some((row) => row.kind === kind)
      ? [{ transform: [{ filter: { field: "kind", equal: kind } }], mark, encoding: own }]
      : [];
  return {
    title: { text: title, fontSize: 13, anchor: "start" },
    width,
    height,
    data: { values: rows },
    encoding,
    layer: [
      ...layer(
        "ideal",
        { type: "line", strokeWidth: 1, strokeDash: [1, 3] },
        { color: { value: "#666666" }, shape: { value: "circle" } },
      ),
      ...layer("simulated", {
        type: "line",
        strokeWidth: 1.5,
        strokeDash: [6, 4],
        point: { shape: "diamond", filled: false, fill: "white", size: 55 },
      }),
      ...layer("measured", { type: "point", shape: "circle", filled: true, size: 80 }),
    ],
  };
}
