/** @module Table 2 as a chart: transactions with a proven anomaly per 10,000, by store and system. */
import type { AnomalyCount, RunSummary } from "#harness/record/run.ts";
import { isEmulated, storeName } from "../format.ts";
import {
  type FigureDefinition,
  type FigureInput,
  paperColour,
  sharedConfig,
  subtitle,
} from "./figure.ts";
import { distinct } from "./rows.ts";

const kinds = ["read-your-writes", "fractured", "non-repeatable"];
const colours = ["#E69F00", "#0072B2", "#009E73"];

interface AnomalyRow {
  readonly [field: string]: string | number;
  readonly system: string;
  readonly condition: string;
  readonly kind: string;
  readonly per10k: number;
  readonly count: number;
  readonly judged: number;
  readonly upperPer10k: number;
  readonly text: string;
  readonly runId: string;
}

export const anomaliesFigure: FigureDefinition = {
  id: "anomalies",
  title: "What atomicity removes: transactions with anomalies per 10,000 (paper: Table 2)",
  build: ({ suite, paper }) => {
    const runs = suite.runs.filter(({ experiment }) => experiment === "anomalies");
    if (runs.length === 0) return { kind: "missing" };
    const rows = runs.flatMap(rowsOf);
    const conditions = distinct(rows.map(({ condition }) => condition));
    const systems = distinct(rows.map(({ system }) => system));
    const panels = systems.map((system) =>
      panel({
        system,
        rows: rows.filter((row) => row.system === system),
        paper: paperRows(paper, system, conditions),
        conditions,
      }),
    );
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      title: {
        text: anomaliesFigure.title,
        subtitle: [
          ...subtitle(suite, "anomalies"),
          "counted from recorded operations; a line shows the 95 % upper bound where none was seen",
        ],
      },
      config: sharedConfig,
      vconcat: panels,
      spacing: 20,
      resolve: { scale: { y: "independent" } },
    };
    return { kind: "figure", spec: spec as never, rows };
  },
};

function rowsOf(run: RunSummary): AnomalyRow[] {
  const { cell, anomalies, runId } = run;
  const { judged } = anomalies;
  const faults = cell.faults === "none" ? "" : "killed functions";
  const emulated = isEmulated(cell) ? "emulated" : "";
  const condition = [storeName(cell), `zipf ${cell.zipfTheta}`, emulated, faults]
    .filter((part) => part !== "")
    .join("|");
  const row = (kind: string, { transactions, upperBoundPer10k }: AnomalyCount): AnomalyRow => ({
    system: cell.system,
    condition,
    kind,
    per10k: judged === 0 ? 0 : Math.round((transactions / judged) * 1e6) / 100,
    count: transactions,
    judged,
    upperPer10k: upperBoundPer10k,
    text: `${transactions}`,
    runId,
  });
  return [
    row("read-your-writes", anomalies.readYourWrites),
    row("fractured", anomalies.fractured),
    row("non-repeatable", anomalies.nonRepeatable),
  ];
}

function panel(options: {
  readonly system: string;
  readonly rows: readonly AnomalyRow[];
  readonly paper: readonly Readonly<Record<string, string | number>>[];
  readonly conditions: readonly string[];
}): Record<string, unknown> {
  const { system, rows, paper, conditions } = options;
  const x = {
    field: "condition",
    type: "nominal",
    sort: conditions,
    title: "",
    axis: { labelAngle: 0, labelExpr: "split(datum.label, '|')", labelLimit: 0 },
  };
  const xOffset = { field: "kind", sort: kinds };
  const y = { type: "quantitative", title: "transactions per 10,000" };
  const color = {
    field: "kind",
    type: "nominal",
    title: "ours",
    scale: { domain: kinds, range: colours },
  };
  const unseen = rows.filter(({ count }) => count === 0);
  return {
    title: { text: system, fontSize: 13 },
    width: Math.max(420, conditions.length * 84),
    height: 190,
    layer: [
      {
        data: { values: rows },
        mark: "bar",
        encoding: { x, xOffset, color, y: { ...y, field: "per10k" } },
      },
      {
        data: { values: rows },
        mark: { type: "text", dy: -7, fontSize: 9 },
        encoding: { x, xOffset, y: { ...y, field: "per10k" }, text: { field: "text" } },
      },
      ...nonEmpty(unseen, {
        mark: { type: "rule", strokeDash: [2, 2] },
        encoding: {
          x,
          xOffset,
          color,
          y: { ...y, field: "upperPer10k" },
          y2: { datum: 0 },
        },
      }),
      ...nonEmpty(paper, {
        mark: { type: "point", filled: false, size: 55, strokeWidth: 1.6, color: paperColour },
        encoding: {
          x,
          xOffset,
          y: { ...y, field: "per10k" },
          shape: {
            field: "what",
            type: "nominal",
            title: "the paper, on AWS in 2019",
            scale: { domain: ["paper"], range: ["circle"] },
          },
        },
      }),
    ],
  };
}

/** A layer without rows has no extent, which vega warns of. */
function nonEmpty(
  values: readonly Readonly<Record<string, string | number>>[],
  layer: Readonly<Record<string, unknown>>,
): Record<string, unknown>[] {
  return values.length === 0 ? [] : [{ data: { values }, ...layer }];
}

/** The paper's counts, at its own skew and without killed functions. */
function paperRows(
  { table2 }: FigureInput["paper"],
  system: string,
  conditions: readonly string[],
): Readonly<Record<string, string | number>>[] {
  return conditions.flatMap((condition) => {
    const [store, skew] = condition.split("|");
    const known = table2.values.find(
      (value) => value.system === system && (value.storage === store || value.storage === "any"),
    );
    if (known === undefined || skew !== "zipf 1" || condition.includes("killed")) return [];
    return [
      { condition, kind: "read-your-writes", per10k: known.readYourWrites, what: "paper" },
      { condition, kind: "fractured", per10k: known.fractured, what: "paper" },
    ];
  });
}
