/** @module From an error to what a person reads and the exit code a script branches on. */
import { CommanderError } from "commander";
import { ConfigError, NotAvailableError, ProjectError, describeError } from "#kit/errors.ts";
import { exitCodes } from "./exit-codes.ts";

/** Files that were given are not what they should be. */
const brokenInput: readonly string[] = ["artifact_record", "bad_record"];

/** Prints what went wrong and what to do; returns the exit code. */
export function reportFailure(error: unknown, print: (text: string) => void): number {
  if (error instanceof CommanderError) {
    // Commander has printed its own message; help and version are not failures.
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
  if (error instanceof ConfigError) {
    print(
      error.problems
        .map(
          ({ where, what, hint }) => `${where}: ${what}${hint === undefined ? "" : `\n  ${hint}`}`,
        )
        .join("\n"),
    );
    return exitCodes.usage;
  }
  if (error instanceof NotAvailableError) {
    print(error.message);
    return exitCodes.usage;
  }
  if (error instanceof ProjectError && error.disposition !== "bug") {
    print(`${error.code}: ${describeError(error)}`);
    return brokenInput.includes(error.code) ? exitCodes.usage : exitCodes.internal;
  }
  print(error instanceof Error ? (error.stack ?? describeError(error)) : describeError(error));
  return exitCodes.internal;
}
