/** @module `--platform`, `--lambda-…`, `--max-cost-usd`, `--dry-run` as flags; their meaning: lambda-target.ts. */
import { type Command, Option } from "commander";
import { numberOption } from "#bench/flags.ts";

export interface LambdaFlags {
  readonly platform?: string;
  readonly lambdaEndpoint?: string;
  readonly lambdaRole?: string;
  readonly lambdaMemory?: number;
  readonly lambdaSubnets?: string;
  readonly lambdaSecurityGroups?: string;
  readonly lambdaStore?: string;
  readonly lambdaAft?: string;
  readonly maxCostUsd?: number;
  readonly dryRun?: boolean;
}

/** `cells: false`: of a command whose functions are not those of cells. */
export function addLambdaFlags(command: Command, { cells = true } = {}): Command {
  command
    .option("--lambda-endpoint <url>", "of the Lambda API; local: our own platform behind it")
    .option("--lambda-role <name>", "role that functions run as, by name or ARN")
    .addOption(numberOption("--lambda-memory <mib>", "of a function (1769: one processor)"))
    .option("--lambda-subnets <ids>", "functions in a VPC: subnets, with commas")
    .option("--lambda-security-groups <ids>", "and their security groups")
    .addOption(
      new Option("--max-cost-usd <n>", "refuse or stop a run that costs more on AWS").argParser(
        Number,
      ),
    )
    .option("--dry-run", "print every call to Lambda, start nothing");
  if (!cells) return command;
  return command
    .option("--platform <name>", "functions of all cells on this platform (see list)")
    .option(
      "--lambda-store <url>",
      "store that functions reach, and is up (else ours, on loopback)",
    )
    .option("--lambda-aft <host:port>", "replica that functions reach, and is up");
}
