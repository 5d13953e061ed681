/**
 * @module Opens what a suite left: its document and the run directories behind it, wherever they were moved to.
 *
 * Numbers come from the run directories, never from the document; claims are judged again. A record that is not
 * whole is refused with its path, so that nothing is drawn from half of one.
 */
import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ProjectError } from "#kit/errors.ts";
import { type LatencyCurve, readCurve } from "#harness/record/curves.ts";
import { restoreSummary } from "#harness/record/run-directory.ts";
import type { SuiteResult } from "#harness/record/run.ts";
import { parseSuite } from "#harness/record/schema.ts";
import { loadPaper, type PaperNumbers } from "#results/load.ts";
import { evaluateClaims } from "./claims.ts";
import type { Curves } from "./figures/figure.ts";

export interface OpenRecord {
  readonly suite: SuiteResult;
  readonly curves: Curves;
  readonly paper: PaperNumbers;
}

/** There is no record, or it is damaged. */
export class RecordError extends ProjectError {
  readonly code = "bad_record";
  readonly disposition = "abort";
}

type Run = SuiteResult["runs"][number];

/**
 * `path`: a `suite.json`, its directory, or a directory of results with `figures/<suite>/suite.json`. Rejects with
 * `RecordError`, which names what is missing or damaged.
 */
export async function openRecord(path: string): Promise<OpenRecord> {
  const file = await suiteFile(resolve(path));
  const document = await readSuite(file);
  const runs: Run[] = [];
  const curves = new Map<string, LatencyCurve>();
  for (const run of document.runs) {
    const directory = directoryOf(run, file);
    const { summary, curve } = await readOne(run, directory);
    runs.push({ ...summary, directory });
    if (curve !== undefined) curves.set(run.runId, curve);
  }
  const suite = { ...document, runs };
  return { suite: { ...suite, claims: evaluateClaims(suite) }, curves, paper: loadPaper() };
}

/** Distributions of those runs whose directories are there. */
export async function readCurves(runs: readonly Run[]): Promise<Curves> {
  const curves = new Map<string, LatencyCurve>();
  for (const { runId, directory } of runs) {
    const curve = await readCurve(directory);
    if (curve !== undefined) curves.set(runId, curve);
  }
  return curves;
}

async function suiteFile(path: string): Promise<string> {
  if (path.endsWith(".json") && existsSync(path)) return path;
  if (existsSync(join(path, "suite.json"))) return join(path, "suite.json");
  const figures = join(path, "figures");
  const suites = existsSync(figures)
    ? (await readdir(figures)).filter((name) => existsSync(join(figures, name, "suite.json")))
    : [];
  const [first] = suites.includes("paper") ? ["paper"] : suites;
  if (first === undefined)
    throw new RecordError(
      `there is no record at ${path}: neither suite.json nor figures/<suite>/suite.json`,
    );
  if (suites.length > 1 && first !== "paper")
    throw new RecordError(`${path} holds several suites (${suites.join(", ")}); name one of them`);
  return join(figures, first, "suite.json");
}

async function readSuite(file: string): Promise<SuiteResult> {
  try {
    return parseSuite(JSON.parse(await readFile(file, "utf8")));
  } catch (cause) {
    throw new RecordError(`the record ${file} is damaged: ${reasonOf(cause)}`, { cause });
  }
}

/** Beside the document, or where `run` puts it, or where it was when it was written. */
function directoryOf({ experiment, runId, directory }: Run, file: string): string {
  const base = dirname(file);
  const places = [
    join(base, "runs", experiment, runId),
    join(base, "..", "..", "runs", experiment, runId),
    directory,
  ];
  const found = places.find((place) =>
    ["summary.json", "manifest.json"].some((name) => existsSync(join(place, name))),
  );
  if (found !== undefined) return resolve(found);
  throw new RecordError(
    `the record ${file} names run ${runId}, whose directory is missing; looked at ${places.join(", ")}`,
  );
}

async function readOne(
  run: Run,
  directory: string,
): Promise<{
  readonly summary: Awaited<ReturnType<typeof restoreSummary>>;
  readonly curve: LatencyCurve | undefined;
}> {
  try {
    const summary = await restoreSummary(directory);
    const curve = await readCurve(directory);
    if (summary.runId !== run.runId)
      throw new RecordError(`its summary is that of run ${summary.runId}`);
    const { count } = summary.responseTimeUs;
    if (curve !== undefined && curve.count !== count)
      throw new RecordError(`its histogram holds ${curve.count} requests, its summary ${count}`);
    return { summary, curve };
  } catch (cause) {
    throw new RecordError(
      `the record of run ${run.runId} in ${directory} is damaged: ${reasonOf(cause)}`,
      { cause },
    );
  }
}

/** What went wrong, down to its first cause: a reader must see which file and why. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
