/** @module Where the time of a request goes on each platform, cold and warm apart. */
import type { RunSummary, SplitTimes } from "#harness/record/run.ts";
import { storeName } from "../format.ts";
import { type FigureDefinition, sharedConfig, subtitle } from "./figure.ts";

interface PartRow {
  readonly [field: string]: string | number;
  readonly bar: string;
  readonly kind: string;
  readonly part: string;
  /** Position in the stack. */
  readonly order: number;
  readonly ms: number;
  readonly requests: number;
  readonly runId: string;
}

/** Okabe and Ito; the first two are what a function never sees. */
const parts = [
  { part: "client", colour: "#999999" },
  { part: "client and platform", colour: "#B8860B" },
  { part: "platform", colour: "#E69F00" },
  { part: "function", colour: "#56B4E9" },
  { part: "shim", colour: "#0072B2" },
  { part: "shim and storage", colour: "#CC79A7" },
  { part: "storage", colour: "#009E73" },
] as const;

export const lambdaTwinFigure: FigureDefinition = {
  id: "lambda-twin",
  title: "Where the time of a request goes: local functions and Lambda endpoints",
  build: ({ suite }) => {
    const runs = suite.runs.filter(({ experiment }) => experiment === "lambda-twin");
    const rows = runs.flatMap(rowsOf);
    if (rows.length === 0) return { kind: "missing" };
    const bars = [...new Set(rows.map(({ bar }) => bar))];
    const used = parts.filter(({ part }) => rows.some((row) => row.part === part));
    // On `local` nothing else is emulated.
    const isEmulator = runs.some(
      ({ cell, labels }) => cell.platform === "local" && labels.includes("emulator"),
    );
    const lines = [
      ...subtitle(suite, "lambda-twin"),
      `store: ${[...new Set(runs.map(({ cell }) => storeName(cell)))].join(", ")}${isEmulator ? " (npm emulator)" : ""}`,
      "one client, two functions a request; means; shim and storage are told apart where the replica can tell",
    ];
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      title: { text: lambdaTwinFigure.title, subtitle: lines },
      config: sharedConfig,
      spacing: 24,
      vconcat: ["warm", "cold"].flatMap((kind) => {
        const shown = rows.filter((row) => row.kind === kind);
        return shown.length === 0 ? [] : [panel(kind, shown, { bars, used })];
      }),
      resolve: { scale: { x: "independent", color: "shared" } },
    };
    return { kind: "figure", spec: spec as never, rows };
  },
};

function rowsOf(run: RunSummary): PartRow[] {
  return (["cold", "warm"] as const).flatMap((kind) => {
    const times = run.split?.[kind];
    if (times === undefined || times === null) return [];
    const { cell, runId } = run;
    return partsOf(times).map(([part, us]) => ({
      bar: `${cell.platform}, ${cell.system}`,
      kind,
      part,
      order: parts.findIndex((one) => one.part === part),
      ms: Math.round(us) / 1_000,
      requests: times.requests,
      runId,
    }));
  });
}

/** What is not told apart stands together, so that bars end where requests do. */
function partsOf(times: SplitTimes): [string, number][] {
  const { clientUs, platformUs, functionUs, stateUs, shimUs, storageUs, totalUs } = times;
  const outside: [string, number][] =
    clientUs === null || platformUs === null
      ? [["client and platform", totalUs.mean - functionUs - stateUs]]
      : [
          ["client", clientUs],
          ["platform", platformUs],
        ];
  const shim: [string, number][] = shimUs === null ? [] : [["shim", shimUs]];
  const storage: [string, number][] =
    storageUs === null ? [["shim and storage", stateUs]] : [["storage", storageUs]];
  return [...outside, ["function", functionUs], ...shim, ...storage];
}

function panel(
  kind: string,
  rows: readonly PartRow[],
  {
    bars,
    used,
  }: { readonly bars: readonly string[]; readonly used: readonly (typeof parts)[number][] },
): Record<string, unknown> {
  const totals = bars.flatMap((bar) => {
    const own = rows.filter((row) => row.bar === bar);
    const [first] = own;
    if (first === undefined) return [];
    const ms = own.reduce((sum, row) => sum + row.ms, 0);
    return [{ bar, ms, text: `${ms.toFixed(ms < 10 ? 2 : 1)} ms, n = ${first.requests}` }];
  });
  const longest = Math.max(...totals.map(({ ms }) => ms));
  const y = { field: "bar", type: "nominal", sort: bars, title: "", axis: { labelLimit: 0 } };
  const x = {
    type: "quantitative",
    title: `${kind} requests: mean time (ms)`,
    scale: { domain: [0, longest * 1.25], nice: false },
  };
  return {
    width: 560,
    height: { step: 26 },
    title: {
      text: kind === "cold" ? "cold: a function started for it" : "warm: instances that were there",
      fontSize: 13,
    },
    layer: [
      {
        data: { values: rows },
        mark: "bar",
        encoding: {
          y,
          x: { ...x, field: "ms", stack: "zero" },
          order: { field: "order" },
          color: {
            field: "part",
            type: "nominal",
            title: "",
            scale: {
              domain: used.map(({ part }) => part),
              range: used.map(({ colour }) => colour),
            },
          },
        },
      },
      {
        data: { values: totals },
        mark: { type: "text", align: "left", dx: 5, fontSize: 11 },
        encoding: { y, x: { ...x, field: "ms" }, text: { field: "text" } },
      },
    ],
  };
}
