/**
 * @module What notebooks call: a record, its figures and its claims, as outputs that Jupyter shows.
 *
 * Notebooks hold no arithmetic of their own. A figure carries its vega-lite spec and, for viewers that draw none
 * (GitHub, nbconvert), a PNG; a table is HTML and text. Equal records give equal outputs.
 */
import { ProjectError } from "#kit/errors.ts";
import type { ClaimVerdict, RunSummary } from "#harness/record/run.ts";
import {
  alternativeRows,
  choicesOf,
  formatChoice,
  formatLimit,
  formatRate,
  limitsOf,
  rateNames,
  rateTitles,
} from "./alternatives.ts";
import { verdictNames, whyOf } from "./claims-text.ts";
import { figures } from "./figures/registry.ts";
import { formatAnomaly, formatMs, kindOf, storeName } from "./format.ts";
import { type OpenRecord, openRecord } from "./open-record.ts";
import { renderFigure } from "./render.ts";
import { reasonsBehind, stampText } from "./validity.ts";

const settleMs = 150;

/** MIME types and what is shown for each. */
type Bundle = Readonly<Record<string, unknown>>;

/** What the Deno kernel offers; absent in Node. */
interface Kernel {
  readonly Deno?: {
    readonly jupyter: {
      readonly display: (bundle: Bundle, options: { readonly raw: true }) => Promise<void>;
    };
  };
}

/** A notebook asks for what the record does not hold. */
export class NotebookError extends ProjectError {
  readonly code = "notebook";
  readonly disposition = "abort";
}

/** The record that `npm run notebooks` names, else the small one in the repository. */
export function openNotebookRecord(): Promise<OpenRecord> {
  return openRecord(process.env["AFT_BENCH_RECORD"] ?? "../reference-small");
}

/** What was run, when and where. */
export function showRecord({ suite }: OpenRecord): Promise<void> {
  const { profile, machine, runs, startedAtMs } = suite;
  const started = new Date(startedAtMs).toISOString().slice(0, 10);
  const lines = [
    `suite ${suite.suite}, profile ${profile}, ${started}`,
    `${runs.length} runs, ${runs.filter(({ valid }) => valid).length} of them valid`,
    `${machine.cpuModel}, ${machine.cores} cores, Node ${machine.node}`,
    ...(profile === "smoke"
      ? ["smoke size: it shows that everything works, and its numbers mean nothing"]
      : []),
  ];
  return show({
    "text/plain": lines.join("\n"),
    "text/markdown": lines.map((line) => `- ${line}`).join("\n"),
  });
}

/** A figure of the report, drawn from the record. Throws `NotebookError` where there is nothing to draw. */
export async function showFigure(record: OpenRecord, id: string): Promise<void> {
  const figure = figures.find((one) => one.id === id);
  if (figure === undefined)
    throw new NotebookError(
      `no figure is called "${id}"; there are ${figures.map((one) => one.id).join(", ")}`,
    );
  const { suite } = record;
  const valid = suite.runs.filter((run) => run.valid);
  const built = figure.build({ ...record, suite: { ...suite, runs: valid } });
  if (built.kind === "missing") {
    const reasons = reasonsBehind(figure, record);
    const why = reasons.length === 0 ? "the record holds no runs for it" : stampText(reasons);
    const text = `${figure.title}: not drawn; ${why}`;
    return show({ "text/plain": text, "text/markdown": `*${text}*` });
  }
  const { png } = await renderFigure(built.spec);
  return show({
    "application/vnd.vegalite.v6+json": built.spec,
    "image/png": Buffer.from(png).toString("base64"),
    "text/plain": figure.title,
  });
}

/** The runs of some experiments, a line each. */
export function showRuns({ suite }: OpenRecord, ...experiments: readonly string[]): Promise<void> {
  const runs = suite.runs.filter(({ experiment }) => experiments.includes(experiment));
  return table(
    ["experiment", "system", "store", "kind", "factors", "n", "txn/s", "p50", "p99", "anomalies"],
    runs.map((run) => [
      run.experiment,
      run.cell.system,
      storeName(run.cell),
      kindOf(run),
      factorsOf(run),
      String(run.responseTimeUs.count),
      String(run.throughputPerSecond),
      formatMs(run.responseTimeUs.p50),
      formatMs(run.responseTimeUs.p99),
      formatAnomaly(run.anomalies.anomalous),
    ]),
  );
}

/** State systems side by side: what each let happen per 10,000, and what a request costs. */
export function showAlternatives({ suite }: OpenRecord): Promise<void> {
  const rates = rateNames.map((name) => rateTitles[name].long);
  return table(
    ["system", "store", "faults", "zipf", ...rates, "good/s", "aborts", "retries", "p50", "p99"],
    alternativeRows(suite.runs).map((row) => [
      row.system,
      `${row.store}, ${row.kind}`,
      row.run.cell.faults,
      String(row.zipfTheta),
      ...rateNames.map((name) => formatRate(row.rates[name])),
      String(row.goodput),
      `${row.abortPercent} %`,
      `${row.retryPercent} %`,
      formatMs(row.p50),
      formatMs(row.p99),
    ]),
  );
}

/** Which systems each need leaves. */
export function showChoices({ suite }: OpenRecord): Promise<void> {
  return table(
    ["need", "kept in all runs by, the fastest first"],
    choicesOf(alternativeRows(suite.runs)).map((choice) => [choice.need, formatChoice(choice)]),
  );
}

/** What became of requests of unusual sizes. */
export function showLimits({ suite }: OpenRecord): Promise<void> {
  const rows = alternativeRows(suite.runs);
  const systems = [...new Set(rows.map(({ system }) => system))];
  return table(
    ["system", "request", "what became of it"],
    systems.flatMap((system) =>
      limitsOf(rows, system).map((probe) => [system, probe.what, formatLimit(probe)]),
    ),
  );
}

/** What could not be run, and how to have it. */
export function showNotRun({ suite }: OpenRecord, experiment: string): Promise<void> {
  const missing = suite.notRun.filter(({ what }) => what.startsWith(`${experiment} `));
  if (missing.length === 0) return show({ "text/plain": "everything was run" });
  return table(
    ["what", "why not", "how to have it"],
    missing.map(({ what, why, get }) => [what, why, get]),
  );
}

/** Claims of sections of the paper ("6.1.1"), judged on the record. */
export function showClaims({ suite }: OpenRecord, ...sections: readonly string[]): Promise<void> {
  return table(
    ["claim", "verdict", "ours", "paper", "judged by", "why"],
    claimsOf(suite.claims, sections).map((claim) => [
      `${claim.text} (${claim.source})`,
      verdictNames[claim.verdict],
      String(claim.ours ?? "n/a"),
      String(claim.paper),
      claim.rule ?? "",
      whyOf(claim).join("; "),
    ]),
  );
}

/**
 * Tests what must hold on every record, whatever its size: each claim has a verdict, those that are not testable a
 * reason, those not reproduced measured facts. Throws `NotebookError`, which fails the notebook.
 */
export function checkClaims({ suite }: OpenRecord, ...sections: readonly string[]): Promise<void> {
  const claims = claimsOf(suite.claims, sections);
  const silent = claims.filter(
    (claim) => claim.verdict !== "reproduced" && whyOf(claim).length === 0,
  );
  if (silent.length > 0)
    throw new NotebookError(
      `claims without a reason or measured facts: ${silent.map(({ id }) => id).join(", ")}`,
    );
  if (claims.length === 0)
    throw new NotebookError(`the record judges no claim of ${sections.join(", ")}`);
  const text = `${claims.length} claims, each with a verdict and, where it is not reproduced, the reason`;
  return show({ "text/plain": text });
}

function claimsOf(
  claims: readonly ClaimVerdict[],
  sections: readonly string[],
): readonly ClaimVerdict[] {
  return claims.filter(({ section }) => section !== undefined && sections.includes(section));
}

/** What tells a run from others of its experiment. */
function factorsOf({ cell }: RunSummary): string {
  const told = new Set(["workload", "platform", "system", "storage", "emulation"]);
  return Object.entries(cell)
    .filter(([name, level]) => !told.has(name) && level !== "none")
    .map(([name, level]) => `${name} ${String(level)}`)
    .join(", ");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): Promise<void> {
  const widths = head.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => (row[at] ?? "").length)),
  );
  const text = [head, ...rows].map((row) =>
    row
      .map((part, at) => part.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const cells = (tag: string, row: readonly string[]): string =>
    `<tr>${row.map((part) => `<${tag} style="text-align:left">${escapeHtml(part)}</${tag}>`).join("")}</tr>`;
  const html = [
    "<table><thead>",
    cells("th", head),
    "</thead><tbody>",
    ...rows.map((row) => cells("td", row)),
    "</tbody></table>",
  ];
  return show({ "text/html": html.join("\n"), "text/plain": text.join("\n") });
}

/**
 * Shown before it resolves. A cell's value would be shown too, but the kernel may send that after it has said that the
 * cell is done, and it is then lost.
 */
async function show(bundle: Bundle): Promise<void> {
  const { Deno: deno } = globalThis as Kernel;
  if (deno === undefined)
    throw new NotebookError("only notebooks on the Deno kernel can show something");
  await deno.jupyter.display(bundle, { raw: true });
  // It drops what its reader has no room for; a figure is large, so the reader gets time to take it.
  await new Promise((resolve) => {
    setTimeout(resolve, settleMs);
  });
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
