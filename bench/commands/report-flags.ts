/** @module Flags of what shows runs that are there already: report, artifact. Actions are loaded when called. */
import type { Command } from "commander";

export const keepInvalidText = "show invalid runs all the same, stamped INVALID";

interface ArtifactFlags {
  readonly runs: string;
  readonly out: string;
  readonly raw?: boolean;
  readonly json?: boolean;
}

export function addReporting(program: Command, setExitCode: (code: number) => void): void {
  program
    .command("report")
    .description("draw figures and report again from the run directories of a suite")
    .argument("<suite>", "the suite.json of an earlier run, or its directory")
    .option("--json", "the suite document on stdout")
    .option("--keep-invalid", keepInvalidText)
    .action(async (suite: string, flags: { json?: boolean; keepInvalid?: boolean }) => {
      const { report } = await import("./report.ts");
      const keepInvalid = flags.keepInvalid === true;
      setExitCode(await report({ suite, json: flags.json === true, keepInvalid }));
    });
  program
    .command("artifact")
    .description(
      "a folder for artifact evaluation: claims, commands, ranges, times, badges, reference",
    )
    .requiredOption("--runs <suite>", "results/figures/<suite>, or a results directory with one")
    .requiredOption("--out <dir>", "the folder to make; it must not hold anything yet")
    .option("--raw", "records of single requests too, so that compare, check and replay work")
    .option("--json", "one JSON document on stdout")
    .action(async ({ runs, out, raw, json }: ArtifactFlags) => {
      const { artifact } = await import("./artifact.ts");
      setExitCode(
        await artifact({ runs, outDirectory: out, raw: raw === true, json: json === true }),
      );
    });
}
