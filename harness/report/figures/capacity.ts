/** @module Capacity within an objective: a bar per system and store, and every probe behind it. */
import type { TopLevelSpec } from "vega-lite";
import type { CapacityCell, CapacityResult } from "#harness/record/capacity.ts";
import { storeName } from "../format.ts";
import { sharedConfig, systemColours } from "./figure.ts";

interface Built {
  readonly spec: TopLevelSpec;
  readonly rows: readonly Readonly<Record<string, string | number>>[];
}

const verdictColours = {
  kept: "#009E73",
  missed: "#D55E00",
  generator: "#CC79A7",
  unfit: "#999999",
};

/** Draws the valid cells; `undefined` when there is none. */
export function capacityFigure(result: CapacityResult): Built | undefined {
  const valid = result.cells.filter((cell) => cell.valid && cell.capacityPerSecond !== null);
  if (valid.length === 0) return undefined;
  const rows = valid.map(rowOf);
  const probes = valid.flatMap(probesOf);
  const { cpuModel, cores, node } = result.machine;
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: {
      text: `Highest offered load with ${result.slo}`,
      subtitle: [
        `open loop, Poisson; profile ${result.profile}; ${cpuModel}, ${cores} cores, Node ${node}`,
        "line: interval over repeated searches; ≥: the load generator, not the system, was the limit",
      ],
    },
    config: sharedConfig,
    vconcat: [bars(rows), ...(probes.length === 0 ? [] : [scatter(probes)])],
    spacing: 24,
    resolve: { scale: { color: "independent" } },
  };
  return { spec: spec as never, rows };
}

function bars(rows: readonly Readonly<Record<string, string | number>>[]): Record<string, unknown> {
  const systems = [...new Set(rows.map(({ system }) => String(system)))];
  const x = { field: "store", type: "nominal", title: "", axis: { labelAngle: 0 } };
  const xOffset = { field: "system", sort: systems };
  const y = { type: "quantitative", title: "transactions/s", scale: { zero: true } };
  const range = systems.map((system) => systemColours[system] ?? "#E69F00");
  return {
    width: 460,
    height: 220,
    data: { values: rows },
    layer: [
      {
        mark: "bar",
        encoding: {
          x,
          xOffset,
          y: { ...y, field: "median" },
          color: {
            field: "system",
            type: "nominal",
            title: "system",
            scale: { domain: systems, range },
          },
        },
      },
      {
        mark: { type: "rule", strokeWidth: 2 },
        encoding: { x, xOffset, y: { ...y, field: "low" }, y2: { field: "high" } },
      },
      {
        mark: { type: "text", dy: -10, fontSize: 12 },
        encoding: { x, xOffset, y: { ...y, field: "high" }, text: { field: "text" } },
      },
    ],
  };
}

function scatter(
  probes: readonly Readonly<Record<string, string | number>>[],
): Record<string, unknown> {
  return {
    width: 460,
    height: 220,
    data: { values: probes },
    mark: { type: "point", filled: true, size: 45 },
    encoding: {
      x: {
        field: "rate",
        type: "quantitative",
        scale: { type: "log" },
        title: "offered, transactions/s",
      },
      y: { field: "p99Ms", type: "quantitative", scale: { type: "log" }, title: "p99, ms" },
      color: {
        field: "verdict",
        type: "nominal",
        title: "probe",
        scale: { domain: Object.keys(verdictColours), range: Object.values(verdictColours) },
      },
      shape: { field: "cell", type: "nominal", title: "" },
    },
  };
}

function rowOf({
  cell,
  capacityPerSecond,
  limitedBy,
  repeats,
}: CapacityCell): Readonly<Record<string, string | number>> {
  const { median = 0, low = 0, high = 0, confidence = 0 } = capacityPerSecond ?? {};
  const bound = limitedBy === "slo" ? "" : "≥ ";
  return {
    system: cell.system,
    store: storeName(cell),
    median,
    low,
    high,
    confidence,
    limitedBy: limitedBy ?? "",
    repeats: repeats.length,
    text: `${bound}${Math.round(median)}`,
  };
}

function probesOf({ cell, repeats }: CapacityCell): Readonly<Record<string, string | number>>[] {
  return repeats.flatMap(({ probes }) =>
    probes.flatMap(({ ratePerSecond, verdict, responseTimeUsP99 }) =>
      typeof responseTimeUsP99 === "number"
        ? [
            {
              cell: `${cell.system} over ${storeName(cell)}`,
              rate: ratePerSecond,
              p99Ms: responseTimeUsP99 / 1_000,
              verdict,
            },
          ]
        : [],
    ),
  );
}
