/** @module Throughput around the death of a replica, every store's curve aligned at the kill. */
import type { RunSummary } from "#harness/record/run.ts";
import { storeName } from "../format.ts";
import { type FigureDefinition, paperColour, sharedConfig, subtitle } from "./figure.ts";
import { goodputBefore } from "./goodput-before.ts";
import { serviceColours } from "./scaling.ts";
import { distinct } from "./rows.ts";

/** Seconds around the kill in which ups and downs of half a second are averaged. */
const smoothedSlices = 2;
/** When the paper's replica was killed, on its own axis. */
const paperKilledAt = 10;

export const recoveryFigure: FigureDefinition = {
  id: "recovery",
  title: "Recovery: goodput around the kill (paper: Fig. 10)",
  build: ({ suite, paper }) => {
    const runs = suite.runs.filter(
      ({ experiment, timeline }) =>
        experiment === "fault-timeline" && timeline !== undefined && timeline.fault !== null,
    );
    const rows = runs.flatMap(curveOf);
    if (rows.length === 0) return { kind: "missing" };
    const seconds = rows.map((row) => row.seconds);
    const domain = [Math.floor(Math.min(...seconds)), Math.ceil(Math.max(...seconds))];
    const [first] = paper.fig10.values;
    const points = paper.fig10.values
      .map(({ atSeconds, throughput }) => ({
        seconds: atSeconds - paperKilledAt,
        percent: Math.round((throughput / (first?.throughput ?? 1)) * 1_000) / 10,
        what: "the paper, on AWS in 2019",
      }))
      .filter((point) => point.seconds >= (domain[0] ?? 0) && point.seconds <= (domain[1] ?? 0));
    const x = {
      field: "seconds",
      type: "quantitative",
      title: "seconds since the kill",
      scale: { domain, nice: false },
    };
    const y = { field: "percent", type: "quantitative", title: "goodput, % of before the kill" };
    const stores = distinct(rows.map(({ store }) => store));
    const color = {
      field: "store",
      type: "nominal",
      title: "over",
      scale: { domain: stores, range: stores.map((name) => serviceColours[name] ?? "#000") },
    };
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      title: {
        text: recoveryFigure.title,
        subtitle: [
          ...subtitle(suite, "fault-timeline"),
          "means of one second; upright lines: detected (dashed), the replacement serves (dotted)",
        ],
      },
      config: sharedConfig,
      width: 640,
      height: 300,
      layer: [
        {
          data: { values: [{ percent: 100 }] },
          mark: { type: "rule", color: "#bbbbbb" },
          encoding: { y },
        },
        {
          data: { values: [{ seconds: 0 }] },
          mark: { type: "rule", color: "#b00020" },
          encoding: { x },
        },
        ...moments(runs, { x, color }),
        {
          data: { values: rows },
          mark: { type: "line", strokeWidth: 2 },
          encoding: { x, y, color },
        },
        ...(points.length === 0
          ? []
          : [
              {
                data: { values: points },
                mark: {
                  type: "point",
                  filled: false,
                  size: 60,
                  strokeWidth: 1.6,
                  color: paperColour,
                },
                encoding: { x, y, shape: { field: "what", type: "nominal", title: "" } },
              },
            ]),
      ],
    };
    return { kind: "figure", spec: spec as never, rows };
  },
};

interface RecoveryRow {
  readonly [field: string]: string | number;
  readonly store: string;
  readonly seconds: number;
  readonly percent: number;
  readonly throughput: number;
  readonly runId: string;
}

/** What is before the kill is its own measure, so a run without a known "before" has no curve. */
function curveOf(run: RunSummary): RecoveryRow[] {
  const { slices = [], sliceSeconds = 0, fault } = run.timeline ?? {};
  if (fault === null || fault === undefined) return [];
  const before = goodputBefore(run.timeline);
  if (before === undefined) return [];
  return slices.flatMap((_slice, index) => {
    const part = slices.slice(index, index + smoothedSlices);
    const [start] = part;
    if (start === undefined || part.length < smoothedSlices) return [];
    const throughput =
      part.reduce((sum, { throughputPerSecond }) => sum + throughputPerSecond, 0) / part.length;
    const middle = start.atSeconds + (sliceSeconds * smoothedSlices) / 2;
    return [
      {
        store: storeName(run.cell),
        seconds: Math.round((middle - fault.fromSeconds) * 1_000) / 1_000,
        percent: Math.round((throughput / before) * 1_000) / 10,
        throughput: Math.round(throughput * 10) / 10,
        runId: run.runId,
      },
    ];
  });
}

function moments(
  runs: readonly RunSummary[],
  encoding: { readonly x: object; readonly color: object },
): object[] {
  const of = (pick: "detectionSeconds" | "replacementSeconds", strokeDash: readonly number[]) => {
    const values = runs.flatMap(({ cell, timeline }) => {
      const seconds = timeline?.fault?.[pick];
      return typeof seconds === "number" ? [{ seconds, store: storeName(cell) }] : [];
    });
    return values.length === 0
      ? []
      : [{ data: { values }, mark: { type: "rule", strokeDash }, encoding }];
  };
  return [...of("detectionSeconds", [6, 4]), ...of("replacementSeconds", [2, 3])];
}
