/** @module Writes what people look at: figures, tables as CSV, the report page, the suite document. */
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { TopLevelSpec } from "vega-lite";
import { ConfigError, ProjectError } from "#kit/errors.ts";
import type { RunManifest, SuiteResult } from "#harness/record/run.ts";
import { readManifest } from "#harness/record/run-directory.ts";
import { stableJson } from "#harness/record/stable-json.ts";
import { loadPaper } from "#results/load.ts";
import type { BuiltFigure } from "./figures/figure.ts";
import { figures } from "./figures/registry.ts";
import { readCurves } from "./open-record.ts";
import { bundlePage } from "./page/bundle.ts";
import type { PageFigure } from "./page/figures-section.ts";
import { renderPage } from "./page/page.ts";
import { renderFigure } from "./render.ts";
import { describePng, describeSvg, runIdsOf, withRunIds } from "./run-ids.ts";
import { reasonsBehind, stampSvg, stampText } from "./validity.ts";

export interface WrittenReport {
  /** The page's path. */
  readonly page: string;
  readonly pictures: readonly string[];
  /** Pictures that invalid runs would be in. */
  readonly notDrawn: readonly NotDrawn[];
}

export interface NotDrawn {
  readonly title: string;
  readonly reasons: readonly string[];
}

/** Files of one picture. */
const formats = ["svg", "png", "csv", "vl.json"];

/** The report cannot be written. */
export class ReportError extends ProjectError {
  readonly code = "report_write";
  readonly disposition = "abort";

  constructor(directory: string, options: { cause: unknown }) {
    super(
      `cannot write the report to ${directory}; is there space, and may it be written?`,
      options,
    );
  }
}

/**
 * Writes `<outDirectory>/figures/<suite>/`: `report.html`, `suite.json` and per figure `.svg`, `.png`,
 * `.csv`, `.vl.json`. Equal input gives equal bytes. A picture that an invalid run would be in is not
 * drawn, and an older one is removed; with `keepInvalid` it is drawn and stamped.
 */
export async function writeReport(options: {
  readonly suite: SuiteResult;
  readonly outDirectory: string;
  readonly keepInvalid?: boolean;
  /** The document names its runs by where they are from itself, so that both can be moved together. */
  readonly isRelative?: boolean;
}): Promise<WrittenReport> {
  const { suite, outDirectory, keepInvalid = false, isRelative = false } = options;
  const directory = join(outDirectory, "figures", folderOf(suite));
  const input = { suite, paper: loadPaper(), curves: await readCurves(suite.runs) };
  const files = new Map<string, string | Uint8Array>();
  const drawn: PageFigure[] = [];
  const notDrawn: NotDrawn[] = [];
  const stale: string[] = [];
  for (const figure of figures) {
    const built = figure.build(input);
    const reasons = reasonsBehind(figure, input);
    if (built.kind === "missing" || (reasons.length > 0 && !keepInvalid)) {
      stale.push(...formats.map((format) => `${figure.id}.${format}`));
      if (built.kind !== "missing") notDrawn.push({ title: figure.title, reasons });
      continue;
    }
    const runIds = runIdsOf(built, figure, input);
    const { page, png } = await drawFigure({ ...figure, built, reasons, runIds });
    files.set(`${figure.id}.svg`, page.svg);
    files.set(`${figure.id}.png`, png);
    files.set(`${figure.id}.csv`, page.csv);
    files.set(`${figure.id}.vl.json`, stableJson(page.spec));
    drawn.push(page);
  }
  const page = renderPage({
    suite,
    figures: drawn,
    notDrawn,
    keepInvalid,
    linkTo: (run) => linkBetween(directory, run),
    manifests: await readManifests(suite),
    bundle: await bundlePage(),
  });
  files.set("report.html", page);
  const runs = suite.runs.map((run) => ({ ...run, directory: relative(directory, run.directory) }));
  files.set("suite.json", stableJson(isRelative ? { ...suite, runs } : suite));
  try {
    await mkdir(directory, { recursive: true });
    for (const name of stale) await rm(join(directory, name), { force: true });
    for (const [name, content] of files) await writeFile(join(directory, name), content);
  } catch (cause) {
    throw new ReportError(directory, { cause });
  }
  const pictures = drawn.map(({ id }) => join(directory, `${id}.png`));
  return { page: join(directory, "report.html"), pictures, notDrawn };
}

/** The suite's name is a folder's, whatever a document from elsewhere says. */
function folderOf({ suite }: SuiteResult): string {
  if (/^[\w.+-]+$/.test(suite) && !/^\.+$/.test(suite)) return suite;
  const what = `the suite's name, ${JSON.stringify(suite)}, cannot be a folder's`;
  throw new ConfigError([{ where: "suite.json", what, hint: "letters, digits and . + - _" }]);
}

async function drawFigure(figure: {
  readonly id: string;
  readonly title: string;
  readonly built: Extract<BuiltFigure, { kind: "figure" }>;
  readonly reasons: readonly string[];
  readonly runIds: readonly string[];
}): Promise<{ readonly page: PageFigure; readonly png: Uint8Array }> {
  const { id, title, built, reasons, runIds } = figure;
  const stamped = reasons.length > 0;
  const finish = (svg: string): string =>
    describeSvg(stamped ? stampSvg(svg, reasons) : svg, runIds);
  const { svg, png } = await renderFigure(built.spec, finish);
  const stamp = stampText(reasons);
  const rows = stamped ? built.rows.map((row) => ({ ...row, stamp })) : built.rows;
  const spec = withRunIds(built.spec, runIds);
  const page = { id, title, svg, spec, csv: toCsv(rows), rows, runIds, reasons };
  return { page, png: describePng(png, runIds) };
}

/** A run's directory as seen from the page; never anything but a relative path. */
function linkBetween(directory: string, run: string): string {
  const steps = relative(directory, run).split(sep);
  return `./${steps.map((step) => encodeURIComponent(step)).join("/")}/`;
}

/** A page may be drawn where its runs are not: those that are there tell their versions. */
async function readManifests({ runs }: SuiteResult): Promise<ReadonlyMap<string, RunManifest>> {
  const manifests = new Map<string, RunManifest>();
  for (const { runId, directory } of runs)
    if (existsSync(join(directory, "manifest.json")))
      manifests.set(runId, await readManifest(directory));
  return manifests;
}

/**
 * Writes one picture (`.svg`, `.png`, `.csv`, `.vl.json`) and further files beside it; the PNG's path.
 * Rejects with `ReportError`.
 */
export async function writePicture(options: {
  readonly directory: string;
  readonly id: string;
  readonly spec: TopLevelSpec;
  readonly rows: readonly Readonly<Record<string, string | number>>[];
  readonly files?: Readonly<Record<string, string>>;
}): Promise<string> {
  const { directory, id, spec, rows, files = {} } = options;
  const { svg, png } = await renderFigure(spec);
  const all = { ...files, [`${id}.svg`]: svg, [`${id}.png`]: png, [`${id}.csv`]: toCsv(rows) };
  await writeAll(directory, { ...all, [`${id}.vl.json`]: stableJson(spec) });
  return join(directory, `${id}.png`);
}

/** Takes an older picture away, so that nobody takes it for the newest, and writes `files`. */
export async function removePicture(options: {
  readonly directory: string;
  readonly id: string;
  readonly files: Readonly<Record<string, string>>;
}): Promise<void> {
  const { directory, id, files } = options;
  await writeAll(directory, files);
  for (const format of formats) await rm(join(directory, `${id}.${format}`), { force: true });
}

async function writeAll(
  directory: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    for (const [name, content] of Object.entries(files))
      await writeFile(join(directory, name), content);
  } catch (cause) {
    throw new ReportError(directory, { cause });
  }
}

function toCsv(rows: readonly Readonly<Record<string, string | number>>[]): string {
  const [first] = rows;
  if (first === undefined) return "";
  const fields = Object.keys(first);
  const quote = (value: string | number | undefined): string => {
    const text = String(value ?? "");
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [fields, ...rows.map((row) => fields.map((field) => row[field]))];
  return lines.map((line) => `${line.map(quote).join(",")}\n`).join("");
}
