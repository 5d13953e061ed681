/** @module Flags of what compares and decides: compare, replay, ab, gate. Actions are loaded when called. */
import { type Command, Option } from "commander";
import { dateOption, fractionOption, numberOption } from "#bench/flags.ts";
import { ConfigError } from "#kit/errors.ts";
import type { TimeFlags } from "./ab.ts";

interface GateFlags extends TimeFlags {
  readonly exact?: boolean;
  readonly time?: boolean;
  readonly base?: string;
  readonly json?: boolean;
  readonly junit?: string;
  readonly markdown?: string;
}

interface ReplayFlags {
  readonly out: string;
  readonly margin: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export function addComparing(program: Command, setExitCode: (code: number) => void): void {
  program
    .command("compare")
    .description("two recorded runs or suites as ratios, or why they must not be compared")
    .argument("<a>", "a run directory, or a suite's figures directory")
    .argument("<b>", "another")
    .option("--json", "one JSON document on stdout")
    .action(async (a: string, b: string, flags: { json?: boolean }) => {
      const { compare } = await import("./compare.ts");
      setExitCode(await compare({ a, b, json: flags.json === true }));
    });
  program
    .command("replay")
    .description(
      "the same schedule, keys, mix and faults as a recorded run, and whether it is the same",
    )
    .argument("<run>", "a run directory")
    .option("--out <dir>", "where the new run goes", "results")
    .addOption(
      fractionOption("--margin <share>", "times within this count as equal", [0.01, 10]).default(
        0.5,
      ),
    )
    .option("--json", "one JSON document on stdout")
    .option("--quiet", "no progress")
    .action(async (run: string, flags: ReplayFlags) => {
      const { replay } = await import("./replay.ts");
      const { out: outDirectory, margin, json, quiet } = flags;
      const shown = { json: json === true, quiet: quiet === true };
      setExitCode(await replay({ run, outDirectory, margin, ...shown }));
    });
  addTrend(program, setExitCode);
  timed(program.command("ab"))
    .description("two systems, configurations or revisions, interleaved in one run; with A/A")
    .argument("[sides...]", "base and candidate: aft, direct, aft:cacheBytes=0")
    .option("--base <revision>", "the base side runs this git revision's code")
    .option("--json", "one JSON document on stdout")
    .action(async (sides: string[], flags: TimeFlags & { base?: string; json?: boolean }) => {
      const { ab } = await import("./ab.ts");
      setExitCode(await ab(sides, { ...flags, json: flags.json === true }));
    });
  timed(program.command("gate"))
    .description("pass, fail or inconclusive: exact counts, and times against a base revision")
    .option("--exact", "counts of a deterministic run, by equality with results/baselines")
    .option("--time", "p50, p99, throughput against --base, as ratios of interleaved blocks")
    .option("--base <revision>", "base of --time")
    .option("--json", "one JSON document on stdout")
    .option("--junit <file>", "JUnit XML")
    .option("--markdown <file>", "Markdown, appended (for instance to $GITHUB_STEP_SUMMARY)")
    .action(async (flags: GateFlags) => {
      const { gate } = await import("./gate.ts");
      const { json, junit, markdown, base, time, exact } = flags;
      if ((time === true) !== (base !== undefined)) {
        const what = "the time gate needs both, and nothing else needs either";
        throw new ConfigError([{ where: "--time, --base", what, hint: "--time --base main" }]);
      }
      setExitCode(
        await gate({
          exact: exact === true || time !== true,
          ...(base !== undefined && { time: { ...flags, base } }),
          json: json === true,
          ...(junit !== undefined && { junit }),
          ...(markdown !== undefined && { markdown }),
        }),
      );
    });
}

interface TrendFlags {
  readonly out: string;
  readonly figure?: string;
  readonly significance: number;
  readonly threshold: number;
  readonly since?: number;
  readonly json?: boolean;
}

function addTrend(program: Command, setExitCode: (code: number) => void): void {
  program
    .command("trend")
    .description("where figures changed over the history of accepted runs (E-divisive)")
    .argument("[history]", "a history.jsonl; without it the one in --out")
    .option("--out <dir>", "where history.jsonl is, and the picture goes", "results")
    .option("--figure <text>", "only figures whose name contains this")
    .addOption(
      fractionOption(
        "--significance <p>",
        "chance of a false alarm, per figure",
        [0.005, 0.5],
      ).default(0.01),
    )
    .addOption(
      fractionOption("--threshold <share>", "a change up to this is noise", [0, 10]).default(0.1),
    )
    .addOption(dateOption("--since <date>", "older changes are shown, but do not fail"))
    .option("--json", "one JSON document on stdout")
    .action(async (history: string | undefined, flags: TrendFlags) => {
      const { trend } = await import("./trend.ts");
      const { out: outDirectory, json, since, figure, significance, threshold } = flags;
      setExitCode(
        await trend({
          ...(history !== undefined && { history }),
          ...(figure !== undefined && { figure }),
          outDirectory,
          significance,
          threshold,
          sinceMs: since ?? -Infinity,
          json: json === true,
        }),
      );
    });
}

function timed(command: Command): Command {
  return command
    .addOption(numberOption("--blocks <n>", "blocks of each side").default(40))
    .addOption(numberOption("--block-ms <n>", "length of a block").default(100))
    .addOption(numberOption("--clients <n>", "clients in a closed loop").default(1))
    .addOption(numberOption("--seed <n>", "seed of keys and block order").default(1))
    .addOption(
      fractionOption("--threshold <share>", "a difference up to this is noise", [0.01, 10]).default(
        0.2,
      ),
    )
    .addOption(
      fractionOption(
        "--tail-threshold <share>",
        "the same for p99, which varies more",
        [0.01, 100],
      ).default(1),
    )
    .addOption(
      numberOption("--attempts <n>", "with new processes, judged together, while in doubt").default(
        6,
      ),
    )
    .addOption(
      new Option("--storage <name>", "a fresh one for each side")
        .choices(["memory", "lmdb", "redis"])
        .default("memory"),
    );
}
