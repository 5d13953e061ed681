/**
 * @module `aft-bench`: the command line. Selects and overrides; everything is checked before
 * anything starts. Results go to stdout, progress and errors to stderr.
 */
import { createProgram } from "./program.ts";
import { exitCodes } from "./exit-codes.ts";
import { reportFailure } from "./failure.ts";

const defaultArguments = ["run", "quick"];

const given = process.argv.slice(2);
try {
  await createProgram((code) => {
    process.exitCode = code;
  }).parseAsync(given.length === 0 ? defaultArguments : given, { from: "user" });
} catch (error) {
  process.exitCode = reportFailure(error, (text) => process.stderr.write(`${text}\n`));
}
process.exitCode ??= exitCodes.ok;
