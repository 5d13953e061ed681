/** @module The flags of `sim`. */
import { type Command, Option } from "commander";
import { numberOption } from "../flags.ts";

export interface SimFlags {
  readonly seeds: string;
  readonly seed?: number;
  readonly bug?: number;
  readonly system: "aft" | "direct";
  readonly trace?: boolean;
  readonly json?: boolean;
  readonly failures: number;
  readonly shrink: boolean;
  readonly keep: boolean;
}

export function addSim(program: Command, setExitCode: (code: number) => void): void {
  program
    .command("sim")
    .description("the shim under virtual time, with everything failing: one schedule per seed")
    .option("--seeds <A..B>", "seeds, both included", "1..100")
    .addOption(numberOption("--seed <n>", "this one only"))
    .addOption(numberOption("--bug <n>", "the n-th of those that failed once (bug-base.jsonl)"))
    .option("--trace", "with --seed or --bug: what happens, line by line, on stderr")
    .addOption(
      new Option("--system <name>", "direct: plain storage, which must fail")
        .choices(["aft", "direct"])
        .default("aft"),
    )
    .addOption(numberOption("--failures <n>", "end after so many failing seeds").default(3))
    .option("--no-shrink", "do not make failing seeds smaller")
    .option("--no-keep", "do not add failing seeds to the bug base")
    .option("--json", "one JSON document on stdout")
    .action(async (flags: SimFlags) => {
      const { sim } = await import("./sim.ts");
      setExitCode(await sim(flags));
    });
}
