/** @module Writes what people look at: figures, tables as CSV, the report page, the suite document. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { TopLevelSpec } from "vega-lite";
import { ProjectError } from "#kit/errors.ts";
import { readCurves } from "./open-record.ts";
import type { SuiteResult } from "#harness/record/run.ts";
import { stableJson } from "#harness/record/stable-json.ts";
import { loadPaper } from "#results/load.ts";
import { figures } from "./figures/registry.ts";
import { renderPage } from "./page.ts";
import { renderFigure } from "./render.ts";
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
}): Promise<WrittenReport> {
  const { suite, outDirectory, keepInvalid = false } = options;
  const directory = join(outDirectory, "figures", suite.suite);
  const input = { suite, paper: loadPaper(), curves: await readCurves(suite.runs) };
  const pictures: string[] = [];
  const drawn: { id: string; title: string; svg: string }[] = [];
  const files = new Map<string, string | Uint8Array>();
  const notDrawn: NotDrawn[] = [];
  const stale: string[] = [];
  for (const figure of figures) {
    const { id, title, build } = figure;
    const built = build(input);
    const reasons = reasonsBehind(figure, input);
    if (built.kind === "missing" || (reasons.length > 0 && !keepInvalid)) {
      stale.push(...formats.map((format) => `${id}.${format}`));
      if (built.kind !== "missing") notDrawn.push({ title, reasons });
      continue;
    }
    const stamped = reasons.length > 0;
    const finish = (svg: string): string => (stamped ? stampSvg(svg, reasons) : svg);
    const { svg, png } = await renderFigure(built.spec, finish);
    const rows = stamped
      ? built.rows.map((row) => ({ ...row, stamp: stampText(reasons) }))
      : built.rows;
    files.set(`${id}.svg`, svg);
    files.set(`${id}.png`, png);
    files.set(`${id}.csv`, toCsv(rows));
    files.set(`${id}.vl.json`, stableJson(built.spec));
    pictures.push(join(directory, `${id}.png`));
    drawn.push({ id, title, svg });
  }
  const linkTo = (run: string): string => `${relative(directory, run)}/`;
  files.set("report.html", renderPage({ suite, figures: drawn, notDrawn, keepInvalid, linkTo }));
  files.set("suite.json", stableJson(suite));
  try {
    await mkdir(directory, { recursive: true });
    for (const name of stale) await rm(join(directory, name), { force: true });
    for (const [name, content] of files) await writeFile(join(directory, name), content);
  } catch (cause) {
    throw new ReportError(directory, { cause });
  }
  return { page: join(directory, "report.html"), pictures, notDrawn };
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
