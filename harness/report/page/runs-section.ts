/** @module What was measured, run by run, and what was not; every line links its run directory. */
import type { Percentile, RunSummary, SuiteResult } from "#harness/record/run.ts";
import { formatAnomaly, formatConfidence, formatMs, kindOf, storeName } from "../format.ts";
import { stampText } from "../validity.ts";
import {
  cells,
  type Html,
  joined,
  markup,
  nothing,
  table,
  type TableColumn,
  tableOf,
} from "./markup.ts";
import type { PageInput, Section } from "./page.ts";

type Run = SuiteResult["runs"][number];

export function runsSection(input: PageInput): Section {
  const { suite } = input;
  const columns = runColumns(input);
  const experiments = [...new Set(suite.runs.map(({ experiment }) => experiment))];
  const bodies = experiments.map((experiment) => {
    const runs = suite.runs.filter((run) => run.experiment === experiment);
    const rows = runs.map(
      (run) =>
        markup`<tr id="run-${run.runId}" data-run="${run.runId}">${cells(columns, run)}</tr>`,
    );
    return markup`<tbody id="runs-${experiment}"><tr class="group"><th scope="rowgroup" colspan="${columns.length}">${experiment} (${runs.length})</th></tr>
${joined(rows)}</tbody>`;
  });
  const content = markup`<p class="tools" data-for-script hidden><label for="filter">Show only</label> <input id="filter" type="search" placeholder="aft redis zipf 1.5" autocomplete="off"> <span id="filter-count" class="soft" role="status"></span></p>
${tableOf({ label: "Runs", columns, bodies: joined(bodies) })}`;
  return { id: "runs", title: "Runs", content: suite.runs.length === 0 ? nothing : content };
}

function runColumns({ linkTo, keepInvalid }: PageInput): TableColumn<Run>[] {
  /** What was measured; nothing of an invalid run. */
  const shown = (run: Run, cell: Html): Html => (run.valid || keepInvalid ? cell : markup`–`);
  return [
    {
      title: "run",
      kind: "text",
      cell: (run) =>
        markup`<a href="${linkTo(run.directory)}">${run.runId}</a>${stampOf(run)}${notesOf(run)}`,
    },
    { title: "system", kind: "text", cell: ({ cell }) => cell.system },
    { title: "store", kind: "text", cell: ({ cell }) => storeName(cell) },
    { title: "kind", kind: "text", cell: kindOf },
    { title: "condition", kind: "text", cell: conditionText },
    {
      title: "committed",
      cell: ({ transactions: { committed } }) =>
        figure("transactions.committed", committed, String(committed)),
    },
    {
      title: "txn/s",
      cell: (run) =>
        shown(
          run,
          figure(
            "throughputPerSecond",
            run.throughputPerSecond,
            run.throughputPerSecond.toFixed(0),
          ),
        ),
    },
    { title: "p50", cell: (run) => shown(run, percentile(run, "p50")) },
    { title: "p99", cell: (run) => shown(run, percentile(run, "p99")) },
    { title: "read-your-writes", cell: (run) => anomaly(run, "readYourWrites") },
    { title: "fractured", cell: (run) => anomaly(run, "fractured") },
    { title: "non-repeatable", cell: (run) => anomaly(run, "nonRepeatable") },
    {
      title: "storage calls/txn",
      cell: ({ storage }) =>
        storage === null
          ? "not seen"
          : figure(
              "storage.callsPerTransaction",
              storage.callsPerTransaction,
              String(storage.callsPerTransaction),
            ),
    },
  ];
}

/** A number with the field of summary.json it comes from. */
export function figure(field: string, value: number, text: string): Html {
  return markup`<data value="${value}" data-field="${field}">${text}</data>`;
}

function percentile({ responseTimeUs }: RunSummary, name: "p50" | "p99"): Html {
  const value: Percentile = responseTimeUs[name];
  const text = formatMs(value);
  return typeof value === "number"
    ? figure(`responseTimeUs.${name}`, value, text)
    : markup`${text}`;
}

function anomaly(
  { anomalies }: RunSummary,
  kind: "readYourWrites" | "fractured" | "nonRepeatable",
): Html {
  const count = anomalies[kind];
  return figure(`anomalies.${kind}.transactions`, count.transactions, formatAnomaly(count));
}

function stampOf({ valid, invalidReasons }: RunSummary): Html {
  return valid ? nothing : markup` <span class="bad">${stampText(invalidReasons)}</span>`;
}

function notesOf({ notes = [] }: RunSummary): Html {
  return joined(
    notes.map((note) => markup`<br><span class="soft">${note}</span>`),
    "",
  );
}

function conditionText({ cell: levels }: RunSummary): string {
  const parts = [
    `zipf ${levels.zipfTheta}`,
    levels["arrivals"] === undefined ? `${levels.clients} clients` : `${levels.clients} slots`,
    levels.platform,
  ];
  if (levels["arrivals"] !== undefined) parts.push(`open loop, ${String(levels["arrivals"])}`);
  if (levels.faults !== "none") parts.push(levels.faults);
  if (levels["writes"] !== undefined)
    parts.push(`${String(levels["writes"])} writes ${String(levels["batch"])}`);
  for (const [factor, unit] of [
    ["replicas", "replicas"],
    ["functions", "functions"],
    ["readPercent", "% reads"],
  ] as const)
    if (levels[factor] !== undefined) parts.push(`${String(levels[factor])} ${unit}`);
  return parts.join(", ");
}

export function comparisonsSection({ suite }: PageInput): Section {
  const content = table({
    label: "Ratios of interleaved blocks",
    rows: suite.comparisons,
    columns: [
      { title: "ratio of", kind: "wide", cell: ({ name }) => name },
      { title: "median", cell: ({ ratio }) => ratio.median.toFixed(2) },
      {
        title: "interval",
        cell: ({ ratio }) => `${ratio.low.toFixed(2)} – ${ratio.high.toFixed(2)}`,
      },
      { title: "confidence", cell: formatConfidence },
      { title: "blocks", cell: ({ blocks }) => String(blocks) },
      { title: "runs", kind: "text", cell: ({ runIds = [] }) => runLinks(runIds) },
    ],
  });
  return { id: "ratios", title: "Ratios of interleaved blocks", content };
}

/** To the lines of runs in this page, by what their ids end with. */
export function runLinks(runIds: readonly string[], between: Html = { html: " " }): Html {
  return joined(
    runIds.map((runId) => markup`<a href="#run-${runId}" title="${runId}">${shortRun(runId)}</a>`),
    between.html,
  );
}

/** `20261125T190336399-direct-memory-825j` as `direct-memory-825j`. */
export function shortRun(runId: string): string {
  return runId.replace(/^\d{8}T\d+-/, "");
}

export function notRunSection({ suite }: PageInput): Section {
  const content = table({
    label: "Not run",
    rows: suite.notRun,
    columns: [
      { title: "what", kind: "text", cell: ({ what }) => what },
      { title: "why", kind: "wide", cell: ({ why }) => why },
      { title: "how to have it", kind: "wide", cell: ({ get }) => markup`<code>${get}</code>` },
    ],
  });
  return { id: "not-run", title: "Not run", content };
}

export function witnessesSection({ suite }: PageInput): Section {
  const rows = suite.runs.flatMap((run) =>
    run.anomalies.witnesses.map(({ kind, explanation }) => ({ run, kind, explanation })),
  );
  const content = table({
    label: "Witnesses",
    rows,
    columns: [
      {
        title: "run",
        kind: "text",
        cell: ({ run }) =>
          markup`<a href="#run-${run.runId}">${run.cell.system} over ${storeName(run.cell)}</a>`,
      },
      { title: "kind", kind: "text", cell: ({ kind }) => kind },
      { title: "smallest example found", kind: "wide", cell: ({ explanation }) => explanation },
    ],
  });
  return { id: "witnesses", title: "Witnesses", content };
}
