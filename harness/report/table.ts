/** @module The result of a suite as text for a terminal of a given width. Pure. */
import type { RunSummary, SuiteResult } from "#harness/record/run.ts";
import { formatAlternatives } from "./alternatives.ts";
import {
  formatAnomaly,
  formatCalibration,
  formatConfidence,
  formatMsShort,
  kindOf,
  storeName,
} from "./format.ts";
import { formatClaims } from "./claims-text.ts";
import { formatEffects } from "./effects.ts";
import { formatSplits } from "./split.ts";
import { distinctReasons, stampText } from "./validity.ts";
import type { WrittenReport } from "./write.ts";

interface Column {
  readonly title: string;
  readonly right: boolean;
  /** Columns with a higher number go first when there is no room. */
  readonly droppable: number;
  /** A measured time or rate: not shown of an invalid run. */
  readonly measured?: boolean;
  readonly value: (run: RunSummary) => string;
}

const columns: readonly Column[] = [
  { title: "system", right: false, droppable: 0, value: ({ cell }) => cell.system },
  { title: "store", right: false, droppable: 0, value: ({ cell }) => storeName(cell) },
  { title: "kind", right: false, droppable: 3, value: kindOf },
  { title: "cell", right: false, droppable: 0, value: conditionOf },
  {
    title: "txns",
    right: true,
    droppable: 2,
    value: ({ transactions }) => String(transactions.committed),
  },
  {
    title: "txn/s",
    right: true,
    measured: true,
    droppable: 1,
    value: ({ throughputPerSecond }) => throughputPerSecond.toFixed(0),
  },
  {
    title: "p50 ms",
    right: true,
    measured: true,
    droppable: 0,
    value: ({ responseTimeUs }) => formatMsShort(responseTimeUs.p50),
  },
  {
    title: "p99 ms",
    right: true,
    measured: true,
    droppable: 0,
    value: ({ responseTimeUs }) => formatMsShort(responseTimeUs.p99),
  },
  {
    title: "RYW",
    right: true,
    droppable: 0,
    value: ({ anomalies }) => formatAnomaly(anomalies.readYourWrites),
  },
  {
    title: "fractured",
    right: true,
    droppable: 0,
    value: ({ anomalies }) => formatAnomaly(anomalies.fractured),
  },
  {
    title: "non-rep.",
    right: true,
    droppable: 4,
    value: ({ anomalies }) => formatAnomaly(anomalies.nonRepeatable),
  },
];

/** Tables, comparisons, claims, what did not run, and where the files are. */
export function formatResult(options: {
  readonly suite: SuiteResult;
  readonly report: WrittenReport;
  readonly width: number;
  readonly keepInvalid?: boolean;
}): string {
  const { suite, report, width, keepInvalid = false } = options;
  const experiments = [...new Set(suite.runs.map(({ experiment }) => experiment))];
  const parts = experiments.map((experiment) => {
    const runs = suite.runs.filter((run) => run.experiment === experiment);
    const reasons = distinctReasons(runs);
    const stamp = reasons.length === 0 ? "" : `${stampText(reasons)}\n`;
    const shown = runs.filter(({ valid }) => valid || keepInvalid);
    const table = formatTable(runs, width, keepInvalid);
    return `${experiment}\n${stamp}${table}${formatBeside(runs, keepInvalid)}${formatSplits(shown)}`;
  });
  const notes = suite.runs.flatMap((run) => (run.notes ?? []).map((note) => noteLine(run, note)));
  const places = new Set(
    suite.runs.map(({ cell, platform: { place } }) =>
      place === undefined ? "" : `  ${cell.platform}: ${place}`,
    ),
  );
  places.delete("");
  if (places.size > 0) parts.push(`where functions ran\n${[...places].join("\n")}`);
  if (notes.length > 0) parts.push(`notes\n${notes.join("\n")}`);
  if (suite.comparisons.length > 0) {
    const lines = suite.comparisons.map((comparison) => {
      const { name, ratio } = comparison;
      const interval = `[${ratio.low.toFixed(2)}, ${ratio.high.toFixed(2)}]`;
      return `  ${ratio.median.toFixed(2)} ${interval} ${formatConfidence(comparison)}  ${name}`;
    });
    parts.push(`ratios of interleaved blocks, interval and its confidence\n${lines.join("\n")}`);
  }
  if (suite.claims.length > 0) {
    parts.push(formatClaims(suite));
  }
  if (suite.notRun.length > 0) {
    const lines = suite.notRun.map(({ what, why, get }) => `  ${what}: not run, ${why}; ${get}`);
    parts.push(`not run\n${lines.join("\n")}`);
  }
  for (const { violated, anomalies, unexplained = [], experiment, cell } of suite.runs) {
    if (violated.length === 0) continue;
    const witnesses = [
      ...anomalies.witnesses.map(({ kind, explanation }) => `  ${kind}: ${explanation}`),
      ...unexplained.map(({ check, explanation }) => `  no order at ${check}: ${explanation}`),
    ];
    parts.push(
      `${experiment}: ${cell.system} BROKE ${violated.join(", ")}\n${witnesses.join("\n")}`,
    );
  }
  for (const { title, reasons } of report.notDrawn)
    parts.push(`not drawn: ${title}\n  ${stampText(reasons)}`);
  parts.push(formatCalibration(suite));
  parts.push(["report", report.page, ...report.pictures].join("\n  "));
  return parts.join("\n\n");
}

/** Alternatives have a table of their own, with the effects in it. */
function formatBeside(runs: readonly RunSummary[], keepInvalid: boolean): string {
  return formatAlternatives(runs, keepInvalid) || formatEffects(runs);
}

/** One line a run; columns are dropped until it fits. */
export function formatTable(
  runs: readonly RunSummary[],
  width: number,
  keepInvalid = false,
): string {
  let shown = [...columns];
  for (;;) {
    const lines = layOut(shown, runs, keepInvalid);
    const widest = Math.max(...lines.map((line) => line.length));
    const drop = shown.toSorted((a, b) => b.droppable - a.droppable)[0];
    if (widest <= width || drop === undefined || drop.droppable === 0) return lines.join("\n");
    shown = shown.filter((column) => column !== drop);
  }
}

function layOut(
  shown: readonly Column[],
  runs: readonly RunSummary[],
  keepInvalid: boolean,
): string[] {
  const valueIn = (run: RunSummary, { measured = false, value }: Column): string =>
    measured && !run.valid && !keepInvalid ? "–" : value(run);
  const rows = [
    shown.map(({ title }) => title),
    ...runs.map((run) => shown.map((column) => valueIn(run, column))),
  ];
  const widths = shown.map((_column, index) =>
    Math.max(...rows.map((row) => row[index]?.length ?? 0)),
  );
  return rows.map((row) =>
    `  ${row
      .map((text, index) =>
        shown[index]?.right === true
          ? text.padStart(widths[index] ?? 0)
          : text.padEnd(widths[index] ?? 0),
      )
      .join("  ")}`.trimEnd(),
  );
}

function noteLine({ experiment, cell }: RunSummary, note: string): string {
  return `  ${experiment} ${cell.system} over ${storeName(cell)}: ${note}`;
}

function conditionOf({ cell, valid, experiment, platform }: RunSummary): string {
  const parts = [];
  if (platform.place !== undefined) parts.push(`on ${cell.platform}`);
  if (cell["writes"] !== undefined)
    parts.push(`${String(cell["writes"])} ${String(cell["batch"])}`);
  if (cell["replicas"] !== undefined) parts.push(`${String(cell["replicas"])} replicas`);
  else if (experiment === "scaling-clients") parts.push(`${cell.clients} clients`);
  if (cell["arrivals"] !== undefined) parts.push(String(cell["arrivals"]));
  if (cell.zipfTheta > 0) parts.push(`zipf ${cell.zipfTheta}`);
  if (cell.faults !== "none")
    parts.push(cell.faults.startsWith("kill-clients") ? "kills" : cell.faults);
  if (cell["retriedBy"] === "platform") parts.push("events");
  if (!valid) parts.push("INVALID");
  return parts.join(" ");
}
