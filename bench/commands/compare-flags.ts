/** @module Flags of what compares and decides: gate. Actions are loaded when called. */
import type { Command } from "commander";

interface GateFlags {
  readonly exact?: boolean;
  readonly json?: boolean;
  readonly junit?: string;
  readonly markdown?: string;
}

export function addComparing(program: Command, setExitCode: (code: number) => void): void {
  program
    .command("gate")
    .description("pass, fail or inconclusive: exact counts against the baseline")
    .option("--exact", "counts of a deterministic run, by equality with results/baselines")
    .option("--json", "one JSON document on stdout")
    .option("--junit <file>", "JUnit XML")
    .option("--markdown <file>", "Markdown, appended (for instance to $GITHUB_STEP_SUMMARY)")
    .action(async (flags: GateFlags) => {
      const { gate } = await import("./gate.ts");
      const { json, junit, markdown } = flags;
      setExitCode(
        await gate({
          exact: true,
          json: json === true,
          ...(junit !== undefined && { junit }),
          ...(markdown !== undefined && { markdown }),
        }),
      );
    });
}
