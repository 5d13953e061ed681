/** @module Fig. 10: goodput, response times, anomalies and members around the death of a replica. */
import type { RunSummary } from "#harness/record/run.ts";
import type { PaperNumbers } from "#results/load.ts";
import { storeName } from "../format.ts";
import { goodputBefore } from "./goodput-before.ts";
import { type FigureDefinition, paperColour, sharedConfig, subtitle } from "./figure.ts";

const width = 460;
const told = ["kill", "pause", "resume", "dead", "launch", "started", "serving"];
const eventColours = ["#b00020", "#E69F00", "#56B4E9", "#000000", "#CC79A7", "#0072B2", "#009E73"];
const eventShapes = [
  "cross",
  "stroke",
  "triangle-right",
  "square",
  "diamond",
  "circle",
  "triangle-up",
];
/** When the paper's replica was killed, on its own axis. */
const paperKilledAt = 10;

export const faultTimelineFigure: FigureDefinition = {
  id: "fault-timeline",
  title: "A replica dies under load (paper: Fig. 10)",
  build: ({ suite, paper }) => {
    const runs = suite.runs.filter(
      ({ experiment, timeline }) => experiment === "fault-timeline" && timeline !== undefined,
    );
    if (runs.length === 0) return { kind: "missing" };
    const rows = runs.flatMap(sliceRows);
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      title: {
        text: faultTimelineFigure.title,
        subtitle: [
          ...subtitle(suite, "fault-timeline"),
          ...runs.map(numbersOf),
          "shaded: from the kill until a transaction committed through the replacement; rings: the paper, on AWS in 2019",
        ],
      },
      config: sharedConfig,
      spacing: 28,
      hconcat: runs.map((run) => column(run, paper)),
    };
    return { kind: "figure", spec: spec as never, rows };
  },
};

/** What the picture is about, as numbers. */
function numbersOf({ cell, timeline, durability, anomalies }: RunSummary): string {
  const { fault } = timeline ?? {};
  const seconds = (value: number | null | undefined): string =>
    value === null || value === undefined ? "n/a" : `${value.toFixed(1)} s`;
  const lost =
    durability === undefined
      ? ""
      : `; ${durability.lost} of ${durability.acknowledged} acknowledged commits lost`;
  return (
    `${storeName(cell)}, ${String(cell["records"])} records: dead known after ${seconds(fault?.detectionSeconds)}, ` +
    `replacement serves after ${seconds(fault?.replacementSeconds)}, ` +
    `goodput after/before ${fault?.ratioAfterToBefore ?? "n/a"}${lost}; ` +
    `${anomalies.anomalous.transactions} anomalies`
  );
}

function faultStart({ timeline }: RunSummary): number {
  return timeline?.fault?.fromSeconds ?? 0;
}

function sliceRows(run: RunSummary): Record<string, string | number>[] {
  const { slices = [], sliceSeconds = 0 } = run.timeline ?? {};
  const before = goodputBefore(run.timeline) ?? 0;
  return slices.map(({ atSeconds, throughputPerSecond, p50Ms, p95Ms, anomalous }) => ({
    store: storeName(run.cell),
    seconds: Math.round((atSeconds + sliceSeconds / 2 - faultStart(run)) * 1_000) / 1_000,
    throughput: throughputPerSecond,
    percent: before === 0 ? 0 : Math.round((throughputPerSecond / before) * 1_000) / 10,
    p50Ms: p50Ms ?? -1,
    p95Ms: p95Ms ?? -1,
    anomalous,
    runId: run.runId,
  }));
}

function column(run: RunSummary, paper: PaperNumbers): object {
  const rows = sliceRows(run);
  const times = rows.map(({ seconds }) => Number(seconds));
  const last = Math.ceil(Math.max(...times));
  const domain = [Math.floor(Math.min(...times)), last];
  const x = (title: string | null) => ({
    field: "seconds",
    type: "quantitative",
    title,
    scale: { domain, nice: false },
  });
  const from = faultStart(run);
  const to = run.timeline?.fault?.toSeconds;
  const window = {
    data: {
      // A replacement may serve only when the load has ended.
      values: [{ seconds: 0, until: Math.min(last, (to ?? Infinity) - from) }],
    },
    mark: { type: "rect", color: "#b00020", opacity: 0.09 },
    encoding: { x: x(null), x2: { field: "until" } },
  };
  return {
    spacing: 10,
    resolve: { scale: { color: "independent", shape: "independent" } },
    vconcat: [
      throughputPanel(run, { rows, x: x(null), window, domain, paper }),
      latencyPanel({ rows, x: x(null), window }),
      anomalyPanel({ rows, x: x(null), window }),
      memberPanel(run, { from, domain, x: x("seconds since the kill"), window }),
    ],
  };
}

interface PanelInput {
  readonly rows: readonly Readonly<Record<string, string | number>>[];
  readonly x: object;
  readonly window: object;
}

function throughputPanel(
  run: RunSummary,
  input: PanelInput & { readonly domain: readonly number[]; readonly paper: PaperNumbers },
): object {
  const { rows, x, window, domain, paper } = input;
  const [first] = paper.fig10.values;
  const points = paper.fig10.values
    .map(({ atSeconds, throughput }) => ({
      seconds: atSeconds - paperKilledAt,
      percent: Math.round((throughput / (first?.throughput ?? 1)) * 1_000) / 10,
    }))
    .filter(({ seconds }) => seconds >= (domain[0] ?? 0) && seconds <= (domain[1] ?? 0));
  const y = { field: "percent", type: "quantitative", title: "goodput, % of before" };
  const before = goodputBefore(run.timeline);
  const scale =
    before === undefined ? "nothing known before the kill" : `100 % are ${before} transactions/s`;
  return {
    title: { text: `${storeName(run.cell)}; ${scale}`, fontSize: 13 },
    width,
    height: 170,
    layer: [
      window,
      { data: { values: rows }, mark: { type: "line", color: "#0072B2" }, encoding: { x, y } },
      {
        data: { values: points },
        mark: { type: "point", filled: false, size: 55, strokeWidth: 1.6, color: paperColour },
        encoding: { x, y },
      },
    ],
  };
}

function latencyPanel({ rows, x, window }: PanelInput): object {
  const series = (["p50Ms", "p95Ms"] as const).flatMap((field) =>
    rows.map(({ seconds, [field]: ms }) => ({
      seconds,
      // A gap, not a line across what is not known.
      ms: Number(ms) < 0 ? null : ms,
      percentile: field.slice(0, 3),
    })),
  );
  return {
    width,
    height: 120,
    layer: [
      window,
      {
        data: { values: series },
        mark: { type: "line", point: { size: 12 }, strokeWidth: 1.2 },
        encoding: {
          x,
          y: { field: "ms", type: "quantitative", title: "ms", scale: { type: "log" } },
          color: {
            field: "percentile",
            type: "nominal",
            title: "response time",
            scale: { domain: ["p50", "p95"], range: ["#0072B2", "#56B4E9"] },
          },
        },
      },
    ],
  };
}

function anomalyPanel({ rows, x, window }: PanelInput): object {
  const most = Math.max(...rows.map(({ anomalous }) => Number(anomalous)));
  return {
    width,
    height: 40,
    layer: [
      window,
      {
        data: { values: rows },
        mark: { type: "bar", color: "#b00020", width: 3 },
        encoding: {
          x,
          y: {
            field: "anomalous",
            type: "quantitative",
            title: "anomalies",
            scale: { domain: [0, Math.max(1, most)] },
            axis: { tickMinStep: 1, tickCount: 2 },
          },
        },
      },
    ],
  };
}

interface Told {
  readonly seconds: number;
  readonly kind: string;
  readonly who: string;
}

/** A line for as long as a process was there, and a mark for what happened to it. */
function memberPanel(
  run: RunSummary,
  options: {
    readonly from: number;
    readonly domain: readonly number[];
    readonly x: object;
    readonly window: object;
  },
): object {
  const { from, domain, x, window } = options;
  const values = (run.timeline?.events ?? [])
    .filter(({ kind }) => told.includes(kind))
    .map(({ atSeconds, kind, who }) => ({
      seconds: Math.round((atSeconds - from) * 1_000) / 1_000,
      kind,
      // Who asks for a replica, not whom it replaces.
      who: kind === "launch" ? managerOf(run) : who,
    }));
  const kinds = told.filter((kind) => values.some((event) => event.kind === kind));
  const at = (list: readonly string[]): string[] =>
    kinds.map((kind) => list[told.indexOf(kind)] ?? "");
  return {
    width,
    height: { step: 22 },
    layer: [
      window,
      {
        data: { values: livesOf(run, values, domain) },
        mark: { type: "rule", strokeWidth: 3, color: "#cccccc" },
        encoding: {
          x,
          x2: { field: "until" },
          y: { field: "who", type: "nominal", title: "members" },
        },
      },
      {
        data: { values },
        mark: { type: "point", filled: true, size: 75, opacity: 1 },
        encoding: {
          x,
          y: { field: "who", type: "nominal" },
          color: {
            field: "kind",
            type: "nominal",
            title: "",
            scale: { domain: kinds, range: at(eventColours) },
          },
          shape: {
            field: "kind",
            type: "nominal",
            title: "",
            scale: { domain: kinds, range: at(eventShapes) },
          },
        },
      },
    ],
  };
}

function managerOf({ cpuCores }: RunSummary): string {
  return Object.keys(cpuCores).find((name) => name.startsWith("manager-")) ?? "manager";
}

function livesOf(
  { cpuCores }: RunSummary,
  events: readonly Told[],
  domain: readonly number[],
): { who: string; seconds: number; until: number }[] {
  const [first = 0, last = 0] = domain;
  const whenOf = (name: string, kind: string): number | undefined =>
    events.find((event) => event.who === name && event.kind === kind)?.seconds;
  const names = new Set([
    ...Object.keys(cpuCores).filter((name) => /^(replica|manager)-/.test(name)),
    ...events.map(({ who }) => who),
  ]);
  return [...names].map((who) => ({
    who,
    seconds: whenOf(who, "started") ?? first,
    until: whenOf(who, "kill") ?? last,
  }));
}
