/** @module Fig. 8: throughput over replicas, its share of ideal, and whose cores it took. */
import type { SuiteResult } from "#harness/record/run.ts";
import type { PaperNumbers } from "#results/load.ts";
import { storeName } from "../format.ts";
import { coreUse } from "../saturation.ts";
import { type FigureDefinition, paperColour, sharedConfig, subtitle } from "./figure.ts";
import {
  paperShares,
  replicasOf,
  type ScalingRow,
  scalingRows,
  serviceColours,
} from "./scaling.ts";

const width = 380;
const kinds = ["load", "replicas", "manager", "redis", "others"];
const kindColours = ["#999999", "#0072B2", "#CC79A7", "#E69F00", "#dddddd"];

export const scalingReplicasFigure: FigureDefinition = {
  id: "scaling-replicas",
  title: "More replicas, as many clients each (paper: Fig. 8)",
  build: ({ suite, paper }) => {
    const rows = scalingRows(suite);
    if (rows.length === 0) return { kind: "missing" };
    const services = [...new Set(rows.map(({ service }) => service))];
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      title: {
        text: scalingReplicasFigure.title,
        subtitle: [
          ...subtitle(suite, "scaling-replicas"),
          "emulated cloud latencies over one Redis; hollow: the machine's cores were used up",
          ...services.map((service) => whereFull(rows.filter((row) => row.service === service))),
        ],
      },
      config: sharedConfig,
      spacing: 28,
      resolve: { scale: { y: "independent", color: "independent" } },
      hconcat: services.map((service) => ({
        spacing: 14,
        resolve: { scale: { color: "independent" } },
        vconcat: [
          throughputPanel(service, rows),
          sharePanel(service, rows, paper),
          corePanel(service, suite, rows),
        ],
      })),
    };
    return { kind: "figure", spec: spec as never, rows };
  },
};

/** Where the machine ends, in words. */
function whereFull(rows: readonly ScalingRow[]): string {
  const [first] = rows;
  const full = rows.find(({ saturated }) => saturated !== "");
  const most = Math.max(...rows.map(({ replicas }) => replicas));
  const service = first?.service ?? "";
  return full === undefined
    ? `${service}: cores to spare up to ${most} replicas`
    : `${service}: full at ${full.replicas} replicas, ${full.saturated}`;
}

function xOf(rows: readonly ScalingRow[]): object {
  const most = Math.max(...rows.map(({ replicas }) => replicas));
  return {
    field: "replicas",
    type: "quantitative",
    title: "replica processes",
    scale: { domain: [0, most + 0.6], nice: false },
    axis: { values: [...new Set(rows.map(({ replicas }) => replicas))] },
  };
}

function fillOf(colour: string): object {
  return { condition: { test: "datum.saturated != ''", value: "white" }, value: colour };
}

function throughputPanel(service: string, all: readonly ScalingRow[]): object {
  const rows = all.filter((row) => row.service === service);
  const x = xOf(rows);
  const colour = serviceColours[service] ?? "#000";
  const y = { type: "quantitative", title: "transactions per second" };
  return {
    title: { text: `over emulated ${service}`, fontSize: 13 },
    width,
    height: 220,
    data: { values: rows },
    layer: [
      {
        mark: { type: "line", strokeDash: [5, 4], color: "#888888" },
        encoding: { x, y: { ...y, field: "ideal" } },
      },
      { mark: { type: "line", color: colour }, encoding: { x, y: { ...y, field: "throughput" } } },
      {
        mark: { type: "point", size: 70, strokeWidth: 2, stroke: colour, opacity: 1 },
        encoding: { x, y: { ...y, field: "throughput" }, fill: fillOf(colour) },
      },
      {
        mark: { type: "text", dy: 16, fontSize: 10 },
        encoding: { x, y: { ...y, field: "throughput" }, text: { field: "throughput" } },
      },
    ],
  };
}

function sharePanel(service: string, all: readonly ScalingRow[], paper: PaperNumbers): object {
  const rows = all.filter((row) => row.service === service);
  const x = xOf(rows);
  const colour = serviceColours[service] ?? "#000";
  const most = Math.max(...rows.map(({ replicas }) => replicas));
  const shares = paperShares(paper, service).filter(({ replicas }) => replicas <= most);
  const y = {
    field: "ofIdeal",
    type: "quantitative",
    title: "% of N × one",
    scale: { domain: [0, 120] },
  };
  return {
    width,
    height: 130,
    layer: [
      {
        data: { values: [{ bar: 90 }] },
        mark: { type: "rule", color: "#888888", strokeDash: [2, 3] },
        encoding: { y: { field: "bar", type: "quantitative" } },
      },
      {
        data: { values: shares.map((share) => ({ ...share, what: "the paper, on AWS in 2019" })) },
        mark: { type: "point", filled: false, size: 55, strokeWidth: 1.6, color: paperColour },
        encoding: { x, y, shape: { field: "what", type: "nominal", title: "" } },
      },
      {
        data: { values: rows },
        mark: { type: "point", size: 70, strokeWidth: 2, stroke: colour, opacity: 1 },
        encoding: { x, y, fill: fillOf(colour) },
      },
      {
        data: { values: rows },
        mark: { type: "text", dy: 15, fontSize: 10 },
        encoding: { x, y, text: { field: "ofIdeal" } },
      },
    ],
  };
}

/** Cores by kind of process, against how many there are. */
function corePanel(service: string, suite: SuiteResult, all: readonly ScalingRow[]): object {
  const x = xOf(all.filter((row) => row.service === service));
  const values = suite.runs
    .filter(
      ({ experiment, cell }) => experiment === "scaling-replicas" && storeName(cell) === service,
    )
    .flatMap((run) =>
      Object.entries(coreUse(run, suite.machine.cores).byKind).map(([kind, cores]) => ({
        replicas: replicasOf(run),
        kind,
        cores,
        order: kinds.indexOf(kind),
      })),
    );
  return {
    width,
    height: 130,
    layer: [
      {
        data: { values },
        mark: { type: "bar", size: 16 },
        encoding: {
          x,
          y: { field: "cores", type: "quantitative", title: "cores used", stack: "zero" },
          order: { field: "order", type: "quantitative" },
          color: {
            field: "kind",
            type: "nominal",
            title: "CPU of",
            scale: { domain: kinds, range: kindColours },
          },
        },
      },
      {
        data: { values: [{ cores: suite.machine.cores }] },
        mark: { type: "rule", color: "#b00020", strokeDash: [4, 3] },
        encoding: { y: { field: "cores", type: "quantitative" } },
      },
    ],
  };
}
