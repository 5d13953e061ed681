/** @module `aft-bench report`: figures and report again, from what a suite left. */
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ConfigError } from "#kit/errors.ts";
import { restoreSummary } from "#harness/record/run-directory.ts";
import type { SuiteResult } from "#harness/record/run.ts";
import { parseSuite } from "#harness/record/schema.ts";
import { formatResult } from "#harness/report/table.ts";
import { writeReport } from "#harness/report/write.ts";
import { exitCodes } from "#bench/exit-codes.ts";

/** Rejects with `ConfigError` when there is no suite, with `SchemaError` when it is unreadable. */
export async function report(options: {
  readonly suite: string;
  readonly json: boolean;
  readonly keepInvalid: boolean;
}): Promise<number> {
  const { keepInvalid } = options;
  const path = await suitePath(resolve(options.suite));
  const recorded = parseSuite(JSON.parse(await readFile(path, "utf8")));
  const suite = { ...recorded, runs: await Promise.all(recorded.runs.map(fromDirectory)) };
  // <out>/figures/<suite>/suite.json: files go back to where they were.
  const outDirectory = dirname(dirname(dirname(path)));
  const written = await writeReport({ suite, outDirectory, keepInvalid });
  const width = process.stdout.columns ?? 100;
  console.log(
    options.json
      ? JSON.stringify(suite, undefined, 2)
      : formatResult({ suite, report: written, width, keepInvalid }),
  );
  return exitCodes.ok;
}

/** A run as its directory has it; a summary that was deleted is made again. */
async function fromDirectory(
  run: SuiteResult["runs"][number],
): Promise<SuiteResult["runs"][number]> {
  const { directory } = run;
  // A suite may be looked at where its runs are not.
  if (!existsSync(join(directory, "manifest.json"))) return run;
  return { ...(await restoreSummary(directory)), directory };
}

async function suitePath(given: string): Promise<string> {
  try {
    return (await stat(given)).isDirectory() ? join(given, "suite.json") : given;
  } catch (cause) {
    const hint = "results/figures/<suite> of an earlier run";
    throw new ConfigError([{ where: "report", what: `there is no ${given}`, hint }], { cause });
  }
}
