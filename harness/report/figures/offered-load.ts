/** @module Anomalies and response times over the rate that is offered, open loop. */
import { storeName } from "../format.ts";
import { type FigureDefinition, sharedConfig, subtitle, systemColours } from "./figure.ts";
import { distinct, milliseconds } from "./rows.ts";

const width = 420;

export const offeredLoadFigure: FigureDefinition = {
  id: "offered-load",
  title: "Anomalies over offered load (not in the paper)",
  build: ({ suite }) => {
    const runs = suite.runs.filter(({ experiment }) => experiment === "offered-load");
    if (runs.length === 0) return { kind: "missing" };
    const rows = runs.map((run) => {
      const { anomalous, judged } = run.anomalies;
      return {
        system: run.cell.system,
        store: storeName(run.cell),
        offered: Number(run.cell["offeredPerSecond"]),
        achieved: run.throughputPerSecond,
        per10k: judged === 0 ? 0 : Math.round((anomalous.transactions / judged) * 1e6) / 100,
        upperPer10k: anomalous.upperBoundPer10k,
        count: anomalous.transactions,
        judged,
        text: `${anomalous.transactions} of ${judged}`,
        p50Ms: milliseconds(run.responseTimeUs.p50),
        p99Ms: milliseconds(run.responseTimeUs.p99),
        runId: run.runId,
      };
    });
    const systems = distinct(rows.map(({ system }) => system));
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      title: {
        text: offeredLoadFigure.title,
        subtitle: [
          ...subtitle(suite, "offered-load").map((line) =>
            line.replace("closed loop", "open loop, Poisson"),
          ),
          `over emulated ${distinct(rows.map(({ store }) => store)).join(", ")}, Lambda's latency included; times from when a request was due`,
          "proven anomalies, a lower bound; dashes: 95 % upper bound where none was seen",
        ],
      },
      config: sharedConfig,
      spacing: 28,
      hconcat: [anomalyPanel(rows, systems), timePanel(rows, systems)],
    };
    return { kind: "figure", spec: spec as never, rows };
  },
};

type Rows = readonly Readonly<Record<string, string | number>>[];

const x = {
  field: "offered",
  type: "quantitative",
  title: "offered, transactions/s (log)",
  scale: { type: "log", nice: false, padding: 12 },
};

function colourOf(systems: readonly string[]): object {
  return {
    field: "system",
    type: "nominal",
    title: "system",
    scale: { domain: systems, range: systems.map((name) => systemColours[name] ?? "#E69F00") },
  };
}

function anomalyPanel(rows: Rows, systems: readonly string[]): object {
  const y = {
    field: "per10k",
    type: "quantitative",
    title: "transactions with anomalies per 10,000",
  };
  const color = colourOf(systems);
  const unseen = rows.filter(({ count }) => count === 0);
  return {
    width,
    height: 260,
    layer: [
      {
        data: { values: rows },
        mark: { type: "line", point: { size: 60, filled: true }, strokeWidth: 2 },
        encoding: { x, y, color },
      },
      {
        data: { values: rows },
        mark: { type: "text", dy: -12, fontSize: 10 },
        encoding: { x, y, text: { field: "text" } },
      },
      ...(unseen.length === 0
        ? []
        : [
            {
              data: { values: unseen },
              mark: { type: "tick", orient: "horizontal", thickness: 2, size: 14 },
              encoding: { x, y: { ...y, field: "upperPer10k" }, color },
            },
          ]),
    ],
  };
}

function timePanel(rows: Rows, systems: readonly string[]): object {
  const values = rows.flatMap((row) =>
    (["p50Ms", "p99Ms"] as const)
      // What the sample does not support is no point.
      .filter((field) => Number(row[field]) > 0)
      .map((field) => ({
        system: String(row["system"]),
        offered: Number(row["offered"]),
        ms: Number(row[field]),
        percentile: field.slice(0, 3),
      })),
  );
  return {
    width,
    height: 260,
    data: { values },
    mark: { type: "line", point: { size: 60, filled: true }, strokeWidth: 2 },
    encoding: {
      x,
      y: {
        field: "ms",
        type: "quantitative",
        title: "response time, ms (log)",
        scale: { type: "log", nice: false, padding: 12 },
      },
      color: colourOf(systems),
      strokeDash: { field: "percentile", type: "nominal", title: "percentile" },
    },
  };
}
