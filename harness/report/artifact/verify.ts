/**
 * @module Whether the record of a suite is whole: every run is there, finished, and its summary follows from
 * its raw record. An artifact is made of nothing less.
 */
import { existsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { join } from "node:path";
import { type ConfigProblem, describeError, ProjectError } from "#kit/errors.ts";
import { readRun, readSummary } from "#harness/record/run-directory.ts";
import type { RunManifest, RunSummary, SuiteResult } from "#harness/record/run.ts";
import { summarize } from "#harness/record/summarize.ts";

export interface VerifiedSuite {
  /** Summaries as the directories have them. */
  readonly suite: SuiteResult;
  readonly manifests: ReadonlyMap<string, RunManifest>;
}

/** Records are missing or broken; lists all that is wrong. Nothing was written. */
export class ArtifactRecordError extends ProjectError {
  readonly code = "artifact_record";
  readonly disposition = "abort";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ where, what, hint = "" }) => `  ${where}: ${what}; ${hint}`);
    super(`no artifact can be made of this record:\n${lines.join("\n")}`);
    this.problems = problems;
  }
}

const again = "run the suite again, or take the runs out of it";

/** Rejects with `ArtifactRecordError`. Reads every record: about a second per 100,000 requests. */
export async function verifySuite(suite: SuiteResult, signal: AbortSignal): Promise<VerifiedSuite> {
  const problems: ConfigProblem[] = suiteProblems(suite);
  const manifests = new Map<string, RunManifest>();
  const runs: SuiteResult["runs"][number][] = [];
  for (const run of suite.runs) {
    signal.throwIfAborted();
    const { directory } = run;
    try {
      const { manifest, summary, wrong } = await inspect(run);
      manifests.set(run.runId, manifest);
      runs.push({ ...summary, directory });
      problems.push(...wrong.map((what) => ({ where: directory, what, hint: again })));
    } catch (error) {
      if (!(error instanceof ProjectError) && !(error instanceof TypeError)) throw error;
      problems.push({ where: directory, what: describeError(error), hint: again });
    }
  }
  if (problems.length > 0) throw new ArtifactRecordError(problems);
  return { suite: { ...suite, runs }, manifests };
}

function suiteProblems({ suite, runs, state }: SuiteResult): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const where = `suite ${suite}`;
  if (runs.length === 0) problems.push({ where, what: "it holds no run", hint: again });
  if (state === "partial") problems.push({ where, what: "it was interrupted", hint: again });
  const ids = new Set(runs.map(({ runId }) => runId));
  if (ids.size < runs.length) problems.push({ where, what: "a run is in it twice", hint: again });
  return problems;
}

async function inspect(
  run: SuiteResult["runs"][number],
): Promise<{ manifest: RunManifest; summary: RunSummary; wrong: string[] }> {
  const { directory, runId, experiment } = run;
  const wrong: string[] = [];
  if (!existsSync(join(directory, "manifest.json"))) throw new MissingRunError("no run is there");
  const summary = await readSummary(directory);
  const raw = await readRun(directory);
  const { manifest } = raw;
  if (manifest.runId !== runId || manifest.experiment !== experiment)
    wrong.push(`it holds ${manifest.experiment}/${manifest.runId}, not ${experiment}/${runId}`);
  if (manifest.state !== "complete") wrong.push(`the run is ${manifest.state}, not complete`);
  const { directory: _place, ...told } = run;
  const differs = firstDifference(told, summary);
  if (differs !== undefined)
    wrong.push(`summary.json differs from the suite's document at ${differs}`);
  const unfounded = firstDifference(summary, summarize(raw).summary);
  if (unfounded !== undefined)
    wrong.push(`summary.json does not follow from the raw record at ${unfounded}`);
  return { manifest, summary, wrong };
}

class MissingRunError extends ProjectError {
  readonly code = "missing_run";
  readonly disposition = "abort";
}

/** Examples of what was counted: a newer checker may find smaller or further ones. */
const examples: readonly string[] = ["anomalies.witnesses", "unexplained"];

/**
 * Where `told` says something else than `known`; what only `known` has is from a newer version and no
 * contradiction.
 */
export function firstDifference(told: unknown, known: unknown, path = ""): string | undefined {
  if (examples.includes(path) || isDeepStrictEqual(told, known)) return undefined;
  if (!isObject(told) || !isObject(known)) return path === "" ? "its root" : path;
  if (Array.isArray(told) && Array.isArray(known) && told.length !== known.length)
    return `${path}.length`;
  for (const [key, value] of Object.entries(told)) {
    const inner = path === "" ? key : `${path}.${key}`;
    const found = firstDifference(value, (known as Record<string, unknown>)[key], inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
