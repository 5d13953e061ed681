/** @module Fig. 9: goodput with and without collection, deletions, and objects left in storage. */
import type { RunSummary } from "#harness/record/run.ts";
import type { PaperNumbers } from "#results/load.ts";
import { kindOf, storeName } from "../format.ts";
import { type FigureDefinition, paperColour, sharedConfig, subtitle } from "./figure.ts";

const width = 400;
const names = ["collection on", "collection off", "deletions"];
const colours = ["#0072B2", "#999999", "#CC79A7"];
const color = {
  field: "series",
  type: "nominal",
  title: "per second",
  scale: { domain: names, range: colours },
};

interface RateRow {
  readonly [field: string]: string | number;
  readonly store: string;
  readonly series: string;
  readonly atSeconds: number;
  readonly perSecond: number;
  readonly runId: string;
}

export const gcOverheadFigure: FigureDefinition = {
  id: "gc-overhead",
  title: "Global garbage collection on and off (paper: Fig. 9)",
  build: ({ suite, paper }) => {
    const runs = suite.runs.filter(({ experiment }) => experiment === "gc-overhead");
    if (runs.length === 0) return { kind: "missing" };
    const stores = [...new Set(runs.map(placeOf))];
    const rows = runs.flatMap(rateRows);
    const ratios = suite.comparisons
      .filter(({ name }) => name.startsWith("aft/aft-no-gc throughput"))
      .map(
        ({ name, ratio }) =>
          `${name.slice(name.indexOf(": ") + 2)}: on/off ${ratio.median} [${ratio.low}, ${ratio.high}]`,
      );
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      title: {
        text: gcOverheadFigure.title,
        subtitle: [
          ...subtitle(suite, "gc-overhead"),
          ...ratios,
          ...runs.flatMap((run) => drainText(run)),
        ],
      },
      config: sharedConfig,
      spacing: 28,
      hconcat: stores.map((store) => ({
        spacing: 14,
        vconcat: [
          ratePanel(store, rows, store.startsWith("dynamodb") ? paper : undefined),
          sizePanel(runs.filter((run) => placeOf(run) === store)),
        ],
      })),
    };
    return { kind: "figure", spec: spec as never, rows };
  },
};

function placeOf(run: RunSummary): string {
  return `${storeName(run.cell)} (${kindOf(run)})`;
}

function seriesOf({ cell }: RunSummary): string {
  return cell.system === "aft" ? "collection on" : "collection off";
}

function rateRows(run: RunSummary): RateRow[] {
  const { slices = [], collection = [] } = run.timeline ?? {};
  const shared = { store: placeOf(run), runId: run.runId };
  const goodput = slices.map(({ atSeconds, throughputPerSecond }) => ({
    ...shared,
    series: seriesOf(run),
    atSeconds,
    perSecond: throughputPerSecond,
  }));
  // The other cell's blocks lie between two samples as well: only neighbours in time are compared.
  const deletions = collection.flatMap(({ atSeconds, collectedTotal }, index) => {
    const before = collection[index - 1];
    const gap = before === undefined ? 0 : atSeconds - before.atSeconds;
    if (before === undefined || gap < 0.8 || gap > 1.3) return [];
    const perSecond = Math.round((collectedTotal - before.collectedTotal) / gap);
    return [{ ...shared, series: "deletions", atSeconds, perSecond }];
  });
  return [...goodput, ...deletions];
}

function drainText({ cell, drain }: RunSummary): string[] {
  if (drain === undefined || cell.system !== "aft") return [];
  const { seconds, left, live, limitSeconds } = drain;
  const took = seconds === null ? `not within ${limitSeconds} s` : `after ${seconds} s`;
  return [
    `${storeName(cell)}: drained ${took} to ${left.versions} versions and ${left.records} records; live are ${live.versions} and ${live.records}`,
  ];
}

function ratePanel(
  store: string,
  all: readonly RateRow[],
  paper: PaperNumbers | undefined,
): object {
  const rows = all.filter((row) => row.store === store);
  const x = { field: "atSeconds", type: "quantitative", title: "measured seconds" };
  const y = { field: "perSecond", type: "quantitative", title: "transactions, deletions / s" };
  const bands = (paper?.fig9.values ?? []).flatMap(({ throughput, collection }) =>
    collection ? [{ low: throughput[0], high: throughput[1], what: "the paper: throughput" }] : [],
  );
  return {
    title: { text: store, fontSize: 13 },
    width,
    height: 220,
    layer: [
      {
        data: { values: bands },
        mark: { type: "rect", opacity: 0.18, color: paperColour },
        encoding: {
          y: { field: "low", type: "quantitative" },
          y2: { field: "high" },
          shape: { field: "what", type: "nominal", title: "" },
        },
      },
      {
        data: { values: bands },
        mark: { type: "text", align: "left", x: 4, dy: -4, fontSize: 10, color: paperColour },
        encoding: { y: { field: "high", type: "quantitative" }, text: { field: "what" } },
      },
      {
        data: { values: rows },
        mark: { type: "line", strokeWidth: 1.5 },
        encoding: { x, y, color },
      },
    ],
  };
}

function sizePanel(runs: readonly RunSummary[]): object {
  const values = runs.flatMap((run) =>
    (run.drain?.behindBlocks ?? []).map(({ versions }, index) => ({
      series: seriesOf(run),
      block: index + 1,
      versions,
    })),
  );
  return {
    width,
    height: 130,
    data: { values },
    mark: { type: "line", point: true, strokeWidth: 1.5 },
    encoding: {
      x: { field: "block", type: "quantitative", title: "behind block", axis: { tickMinStep: 1 } },
      y: { field: "versions", type: "quantitative", title: "versions in storage" },
      color,
    },
  };
}
