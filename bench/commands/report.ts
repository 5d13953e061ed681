/** @module `aft-bench report`: figures and report again, from what a suite left. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { restoreSummary } from "#harness/record/run-directory.ts";
import type { SuiteResult } from "#harness/record/run.ts";
import { evaluateClaims } from "#harness/report/claims.ts";
import { formatResult } from "#harness/report/table.ts";
import { writeReport } from "#harness/report/write.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { readSuite } from "./suite-input.ts";

/** Rejects with `ConfigError` when there is no suite, with `SchemaError` when it is unreadable. */
export async function report(options: {
  readonly suite: string;
  readonly json: boolean;
  readonly keepInvalid: boolean;
}): Promise<number> {
  const { keepInvalid } = options;
  const { suite: recorded, outDirectory, isRelative } = await readSuite(options.suite, "report");
  const runs = await Promise.all(recorded.runs.map(fromDirectory));
  // Claims too follow from runs: an older document gets those of today.
  const claims = evaluateClaims({ ...recorded, runs }, { keepInvalid });
  const suite = { ...recorded, runs, claims };
  // Files go back to where they were.
  const written = await writeReport({ suite, outDirectory, keepInvalid, isRelative });
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
