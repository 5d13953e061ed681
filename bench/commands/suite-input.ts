/** @module A suite that was run earlier, by its document or directory, and where its runs are now. */
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { ConfigError } from "#kit/errors.ts";
import type { SuiteResult } from "#harness/record/run.ts";
import { parseSuite, SchemaError } from "#harness/record/schema.ts";

export interface RecordedSuite {
  /** Directories of runs are absolute. */
  readonly suite: SuiteResult;
  readonly path: string;
  /** `<out>` of `<out>/figures/<suite>/suite.json`. */
  readonly outDirectory: string;
  /** The document names its runs by where they are from itself. */
  readonly isRelative: boolean;
}

/** Rejects with `ConfigError` when there is no suite, with `SchemaError` when it is unreadable. */
export async function readSuite(given: string, where: string): Promise<RecordedSuite> {
  const path = await suitePath(resolve(given), where);
  const outDirectory = dirname(dirname(dirname(path)));
  const recorded = parseSuite(await readJson(path));
  const runs = recorded.runs.map((run) => ({
    ...run,
    directory: placeOf(run, path, outDirectory),
  }));
  const isRelative =
    runs.length > 0 && recorded.runs.every(({ directory }) => !isAbsolute(directory));
  return { suite: { ...recorded, runs }, path, outDirectory, isRelative };
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8");
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SchemaError("suite result", `${path} is no JSON`, { cause });
  }
}

/** Written by another machine, or moved: the runs then lie beside the figures. */
function placeOf(
  { directory, experiment, runId }: SuiteResult["runs"][number],
  suite: string,
  outDirectory: string,
): string {
  const named = resolve(dirname(suite), directory);
  const beside = resolve(outDirectory, "runs", experiment, runId);
  return !existsSync(named) && existsSync(beside) ? beside : named;
}

async function suitePath(given: string, where: string): Promise<string> {
  const hint = "results/figures/<suite> of an earlier run";
  let path = given;
  try {
    if ((await stat(given)).isDirectory()) path = join(given, "suite.json");
  } catch (cause) {
    throw new ConfigError([{ where, what: `there is no ${given}`, hint }], { cause });
  }
  if (!existsSync(path)) throw new ConfigError([{ where, what: `there is no ${path}`, hint }]);
  return path;
}
