/** @module The flags of `sim`. */
import { type Command, Option } from "commander";
import { collect, numberOption } from "../flags.ts";
import type { ScaleFlags } from "./sim-scale.ts";

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

interface CalibrateFlags {
  readonly scale?: boolean;
  readonly calibrate?: string;
  readonly to?: string;
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
    .option("--scale", "throughput and its limits over the number of replicas; nothing fails")
    .option("--replicas <counts>", "with --scale: 1..256 (doubling), or 4,8,100", "1..256")
    .addOption(numberOption("--clients-per-replica <n>", "with --scale").default(40))
    .addOption(
      new Option("--emulation <name>", "with --scale: latencies of a service")
        .choices(["dynamodb", "elasticache", "s3"])
        .default("dynamodb"),
    )
    .option("--multicast <kinds>", "with --scale: all-to-all,relays", "all-to-all,relays")
    .option(
      "--holdout <run>",
      "with --scale: a real run to predict (repeatable; default: those of the reference run)",
      collect,
      [],
    )
    .option("--no-holdout", "with --scale: predict none")
    .option("--calibration <file>", "with --scale: what things cost (--calibrate)")
    .option("--calibrate <run>", "costs for --scale from a real run of one replica, with --to")
    .option("--to <file>", "with --calibrate: where they go")
    .option("--out <dir>", "with --scale: where its figure goes", "results")
    .action(async (flags: SimFlags & ScaleFlags & CalibrateFlags) => {
      if (flags.calibrate !== undefined) {
        const { simCalibrate } = await import("./sim-scale.ts");
        setExitCode(await simCalibrate({ ...flags, run: flags.calibrate }));
        return;
      }
      if (flags.scale === true) {
        const { simScale } = await import("./sim-scale.ts");
        setExitCode(await simScale(flags));
        return;
      }
      const { sim } = await import("./sim.ts");
      setExitCode(await sim(flags));
    });
}
