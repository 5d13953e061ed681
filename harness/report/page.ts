/**
 * @module The report as one static page: no script, no network, pictures inline. Pure.
 */
import type { RunSummary, SuiteResult } from "#harness/record/run.ts";
import {
  formatAnomaly,
  formatCalibration,
  formatConfidence,
  formatMs,
  kindOf,
  storeName,
} from "./format.ts";
import { stampText } from "./validity.ts";

export interface PageInput {
  readonly suite: SuiteResult;
  readonly figures: readonly {
    readonly id: string;
    readonly title: string;
    readonly svg: string;
  }[];
  /** Pictures that invalid runs would be in. */
  readonly notDrawn: readonly { readonly title: string; readonly reasons: readonly string[] }[];
  /** Show the numbers of invalid runs, stamped. */
  readonly keepInvalid: boolean;
  /** Link from the page to a run's directory. */
  readonly linkTo: (directory: string) => string;
}

const style = `
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --line: #ddd; --soft: #666; --good: #0a7d38; --bad: #b00020; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --paper: #16181b; --line: #3a3d42; --soft: #a0a4aa; --good: #5fd38d; --bad: #ff8a9a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem; max-width: 1500px; font: 15px/1.5 "DejaVu Sans", system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.5rem; line-height: 1.2; } h2 { font-size: 1.15rem; margin-top: 2rem; border-bottom: 1px solid var(--line); }
p.soft, caption, figcaption { color: var(--soft); text-align: left; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .86rem; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child, .text { text-align: left; } td.wide { white-space: normal; min-width: 16rem; text-align: left; }
figure { margin: 1rem 0; } figure .picture { overflow-x: auto; background: #fff; padding: .5rem; border: 1px solid var(--line); }
figure svg { max-width: none; height: auto; } .good { color: var(--good); } .bad { color: var(--bad); font-weight: bold; }
a { color: inherit; } code { font-size: .9em; }
`;

export function renderPage(input: PageInput): string {
  const { suite, figures, notDrawn } = input;
  const { machine, profile, state } = suite;
  const started = new Date(suite.startedAtMs).toISOString().replace("T", " ").slice(0, 16);
  const body = [
    `<h1>aft-bench: ${escapeHtml(suite.suite)}</h1>`,
    `<p class="soft">${started} UTC, profile ${escapeHtml(profile)}, ${(suite.durationMs / 1_000).toFixed(0)} s, ` +
      `${escapeHtml(machine.cpuModel)}, ${machine.cores} cores, ${escapeHtml(machine.os)} ${escapeHtml(machine.kernel)}, ` +
      `Node ${escapeHtml(machine.node)}. ${loopsOf(suite)} ` +
      `${escapeHtml(formatCalibration(suite))}.` +
      `${state === "partial" ? ' <span class="bad">Interrupted: partial.</span>' : ""}</p>`,
    section("Claims of the paper", claimsTable(suite)),
    ...figures.map(({ id, title, svg }) => figure(id, title, svg)),
    section("Not drawn", notDrawnTable(notDrawn)),
    section("Runs", runsTable(input)),
    section("Ratios of interleaved blocks", comparisonsTable(suite)),
    section("Not run", notRunTable(suite)),
    section("Witnesses", witnesses(suite)),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>aft-bench: ${escapeHtml(suite.suite)}</title>
<style>${style}</style>
</head>
<body>
<main>
${body.filter((part) => part !== "").join("\n")}
</main>
</body>
</html>
`;
}

/** Closed- and open-loop times are never meant by the same word (MEASURING rule 12). */
function loopsOf({ runs }: SuiteResult): string {
  const open = runs.some(({ labels }) => labels.includes("open-loop"));
  const closed = runs.some(({ labels }) => labels.includes("closed-loop"));
  const texts = [
    ...(closed ? ["Times of closed loops count from a request's first start."] : []),
    ...(open ? ["Times of open loops count from a request's due time."] : []),
  ];
  return texts.join(" ");
}

function section(title: string, content: string): string {
  return content === "" ? "" : `<section><h2>${title}</h2>${content}</section>`;
}

function figure(id: string, title: string, svg: string): string {
  const links = ["png", "svg", "csv", "vl.json"]
    .map((format) => `<a href="${id}.${format}">${format}</a>`)
    .join(" ");
  return `<section><h2>${escapeHtml(title)}</h2><figure><div class="picture" tabindex="0" role="img" aria-label="${escapeHtml(title)}">${svg}</div><figcaption>${links}</figcaption></figure></section>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const headCells = head.map((text) => `<th scope="col">${text}</th>`).join("");
  const bodyRows = rows.map((row) => `<tr>${row.join("")}</tr>`).join("\n");
  return `<div class="scroll" tabindex="0"><table><thead><tr>${headCells}</tr></thead><tbody>\n${bodyRows}\n</tbody></table></div>`;
}

const cell = (text: string): string => `<td>${escapeHtml(text)}</td>`;
const textCell = (text: string): string => `<td class="text">${escapeHtml(text)}</td>`;
const wideCell = (text: string): string => `<td class="wide">${escapeHtml(text)}</td>`;

function claimsTable({ claims }: SuiteResult): string {
  return table(
    ["claim", "verdict", "ours", "paper", "source"],
    claims.map(({ text, verdict, ours, paper, source }) => [
      wideCell(text),
      `<td class="${verdict === "reproduced" ? "good" : verdict === "not-reproduced" ? "bad" : ""}">${verdict}</td>`,
      cell(String(ours ?? "n/a")),
      cell(String(paper)),
      cell(source),
    ]),
  );
}

function notDrawnTable(notDrawn: PageInput["notDrawn"]): string {
  return table(
    ["picture", "why"],
    notDrawn.map(({ title, reasons }) => [wideCell(title), wideCell(stampText(reasons))]),
  );
}

function runsTable({ suite, linkTo, keepInvalid }: PageInput): string {
  /** What was measured; nothing of an invalid run. */
  const shown = (run: RunSummary, text: string): string =>
    cell(run.valid || keepInvalid ? text : "–");
  return table(
    [
      "run",
      "system",
      "store",
      "kind",
      "condition",
      "committed",
      "txn/s",
      "p50",
      "p99",
      "read-your-writes",
      "fractured",
      "non-repeatable",
      "storage calls/txn",
    ],
    suite.runs.map((run) => [
      `<td class="text"><a href="${escapeHtml(linkTo(run.directory))}">${escapeHtml(run.experiment)}</a>${run.valid ? "" : ` <span class="bad">${escapeHtml(stampText(run.invalidReasons))}</span>`}${notesOf(run)}</td>`,
      textCell(run.cell.system),
      textCell(storeName(run.cell)),
      textCell(kindOf(run)),
      textCell(conditionText(run)),
      cell(String(run.transactions.committed)),
      shown(run, run.throughputPerSecond.toFixed(0)),
      shown(run, formatMs(run.responseTimeUs.p50)),
      shown(run, formatMs(run.responseTimeUs.p99)),
      cell(formatAnomaly(run.anomalies.readYourWrites)),
      cell(formatAnomaly(run.anomalies.fractured)),
      cell(formatAnomaly(run.anomalies.nonRepeatable)),
      cell(run.storage === null ? "not seen" : String(run.storage.callsPerTransaction)),
    ]),
  );
}

function notesOf({ notes = [] }: RunSummary): string {
  return notes.map((note) => `<br><span class="soft">${escapeHtml(note)}</span>`).join("");
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
  return parts.join(", ");
}

function comparisonsTable({ comparisons }: SuiteResult): string {
  return table(
    ["ratio of", "median", "interval", "confidence", "blocks"],
    comparisons.map((comparison) => [
      wideCell(comparison.name),
      cell(comparison.ratio.median.toFixed(2)),
      cell(`${comparison.ratio.low.toFixed(2)} – ${comparison.ratio.high.toFixed(2)}`),
      cell(formatConfidence(comparison)),
      cell(String(comparison.blocks)),
    ]),
  );
}

function notRunTable({ notRun }: SuiteResult): string {
  return table(
    ["what", "why", "how to have it"],
    notRun.map(({ what, why, get }) => [
      textCell(what),
      textCell(why),
      `<td class="text"><code>${escapeHtml(get)}</code></td>`,
    ]),
  );
}

function witnesses({ runs }: SuiteResult): string {
  const rows = runs.flatMap((run) =>
    run.anomalies.witnesses.map(({ kind, explanation }) => [
      textCell(`${run.cell.system} over ${storeName(run.cell)}`),
      textCell(kind),
      wideCell(explanation),
    ]),
  );
  return table(["run", "kind", "smallest example found"], rows);
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
