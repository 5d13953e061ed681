/** @module State systems side by side, as tables: guarantees, costs, limits. */
import {
  alternativeRows,
  type AlternativeRow,
  choicesOf,
  formatChoice,
  formatLimit,
  formatRate,
  limitsOf,
  rateFields,
  rateNames,
  rateTitles,
} from "../alternatives.ts";
import { formatMs } from "../format.ts";
import { type Html, joined, markup, nothing, table, type TableColumn } from "./markup.ts";
import type { PageInput, Section } from "./page.ts";
import { figure, runLinks } from "./runs-section.ts";

export function alternativesSection({ suite, keepInvalid }: PageInput): Section {
  const rows = alternativeRows(suite.runs);
  const content =
    rows.length === 0
      ? nothing
      : joined([
          markup`<p class="soft">Per 10,000, with the interval that holds the true rate in 95 % of cases; where nothing was seen, what may have been missed. All counts are lower bounds; of systems that say their order of commits the record proves more lost updates and old versions than of others. An abort is counted of all attempts, retries are counted per request.</p>`,
          table({ label: "Alternatives", rows, columns: columnsOf(keepInvalid) }),
          markup`<h3>Who kept what in all runs, the fastest first</h3>`,
          table({
            label: "Choices",
            rows: choicesOf(rows),
            columns: [
              { title: "need", kind: "text", cell: ({ need }) => need },
              { title: "kept by", kind: "wide", cell: formatChoice },
            ],
          }),
          limitsTable(rows),
        ]);
  return { id: "alternatives", title: "State systems side by side", content };
}

function columnsOf(keepInvalid: boolean): TableColumn<AlternativeRow>[] {
  const measured = ({ run }: AlternativeRow, text: string): string =>
    run.valid || keepInvalid ? text : "–";
  return [
    { title: "system", kind: "text", cell: ({ system }) => system },
    { title: "store", kind: "text", cell: ({ store, kind }) => `${store}, ${kind}` },
    { title: "faults", kind: "text", cell: ({ run }) => run.cell.faults },
    { title: "zipf", cell: ({ zipfTheta }) => String(zipfTheta) },
    ...rateNames.map((name): TableColumn<AlternativeRow> => ({
      title: rateTitles[name].long,
      cell: (row) => rateOf(row, name),
    })),
    { title: "goodput/s", cell: (row) => measured(row, row.goodput.toFixed(0)) },
    { title: "aborts", cell: ({ abortPercent }) => `${abortPercent.toFixed(1)} %` },
    { title: "retries", cell: ({ retryPercent }) => `${retryPercent.toFixed(1)} %` },
    { title: "p50", cell: (row) => measured(row, formatMs(row.p50)) },
    { title: "p99", cell: (row) => measured(row, formatMs(row.p99)) },
    { title: "storage calls", cell: ({ calls }) => (calls === null ? "not seen" : String(calls)) },
    {
      title: "kB",
      cell: ({ kilobytes }) => (kilobytes === null ? "not seen" : kilobytes.toFixed(1)),
    },
    {
      title: "promises",
      kind: "wide",
      cell: ({ run }) =>
        run.violated.length > 0
          ? markup`<span class="bad">BROKE ${run.violated.join(", ")}</span>`
          : run.promises.join(", ") || "nothing",
    },
    { title: "run", kind: "text", cell: ({ run }) => runLinks([run.runId]) },
  ];
}

function rateOf({ rates }: AlternativeRow, name: (typeof rateNames)[number]): Html {
  return figure(rateFields[name], rates[name].count, formatRate(rates[name]));
}

function limitsTable(rows: readonly AlternativeRow[]): Html {
  const systems = [...new Set(rows.map(({ system }) => system))];
  const probes = systems.flatMap((system) =>
    limitsOf(rows, system).map((probe) => ({ system, ...probe })),
  );
  if (probes.length === 0) return nothing;
  return joined([
    markup`<h3>One request of an unusual size</h3>`,
    table({
      label: "Limits",
      rows: probes,
      columns: [
        { title: "system", kind: "text", cell: ({ system }) => system },
        { title: "request", kind: "text", cell: ({ what }) => what },
        {
          title: "what became of it",
          kind: "wide",
          cell: (probe) =>
            markup`<span class="${probe.outcome === "ok" ? "good" : probe.outcome === "refused" ? "soft" : "bad"}">${formatLimit(probe)}</span>`,
        },
      ],
    }),
  ]);
}
