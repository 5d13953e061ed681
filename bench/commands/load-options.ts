/** @module Flags of another load than the experiments' own; their meaning: load-flags.ts. */
import { type Command, Option } from "commander";
import { numberOption } from "#bench/flags.ts";

export function addLoadFlags(command: Command): Command {
  return command
    .addOption(numberOption("--rate <n>", "open loop: requests per second, for --duration"))
    .addOption(numberOption("--duration <s>", "seconds of --rate (10), or of a closed loop"))
    .addOption(
      new Option("--arrivals <kind>", "gaps of an open loop").choices(["poisson", "constant"]),
    )
    .option("--stages <list>", "open loop in stages: 10s:0-200,30s:200")
    .option("--trace <file>", "open loop from a file: one due time a line, in ms")
    .addOption(
      numberOption("--slots <n>", "open loop: requests under way at once (256 inline, else 16)"),
    )
    .addOption(numberOption("--timeout-ms <n>", "open loop: from the due time (10000)"))
    .addOption(numberOption("--clients <n>", "closed loop: clients"))
    .addOption(numberOption("--requests <n>", "closed loop: measured requests of each client"))
    .addOption(numberOption("--think-ms <n>", "closed loop: pause between requests (0)"));
}
