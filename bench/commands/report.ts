/** @module `aft-bench report`: figures and report again, from what a suite left. */
import { readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ConfigError } from "#kit/errors.ts";
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
  const suite = parseSuite(JSON.parse(await readFile(path, "utf8")));
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

async function suitePath(given: string): Promise<string> {
  try {
    return (await stat(given)).isDirectory() ? join(given, "suite.json") : given;
  } catch (cause) {
    const hint = "results/figures/<suite> of an earlier run";
    throw new ConfigError([{ where: "report", what: `there is no ${given}`, hint }], { cause });
  }
}
