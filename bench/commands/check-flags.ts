/** @module The flags of `check`: judging histories, and generating them. */
import { type Command, Option } from "commander";
import { ConfigError } from "#kit/errors.ts";
import { collect, fractionOption, numberOption } from "#bench/flags.ts";

interface CheckFlags {
  readonly level: readonly string[];
  readonly format?: string;
  readonly json?: boolean;
  readonly explain?: boolean;
  readonly svg?: string;
  readonly states?: number;
  readonly generate?: boolean;
  readonly seed: number;
  readonly sessions: number;
  readonly transactions: number;
  readonly operations: number;
  readonly keys: number;
  readonly theta: number;
  readonly readRatio: number;
  readonly store: "serializable" | "causal" | "read-atomic";
  readonly plant?: string;
  readonly out?: string;
}

export function addCheck(program: Command, setExitCode: (code: number) => void): void {
  const command = program
    .command("check")
    .description("judge histories: does any commit order explain them? (0 yes, 5 no, 4 undecided)")
    .argument("[files...]", "histories of any known format, run directories, or - for stdin")
    .option("--level <levels>", "rc, ra, cc, pc, si, ser, all; default rc,ra,cc", collect, [])
    .option("--format <name>", "what the files are, if their content does not tell")
    .option("--json", "one JSON document")
    .option("--explain", "the minimal witness in words")
    .option("--svg <path>", "a picture of the witness")
    .addOption(
      numberOption("--states <n>", "how far to search for PC, SI and SER before undecided"),
    );
  addGenerator(command).action(async (files: string[], flags: CheckFlags) => {
    setExitCode(flags.generate === true ? await generate(files, flags) : await judge(files, flags));
  });
}

function addGenerator(command: Command): Command {
  return command
    .option("--generate", "write a history instead (--format plume), by the flags below")
    .addOption(numberOption("--seed <n>", "seed of everything").default(1))
    .addOption(numberOption("--sessions <n>", "sessions").default(10))
    .addOption(numberOption("--transactions <n>", "transactions per session").default(100))
    .addOption(numberOption("--operations <n>", "operations per transaction").default(10))
    .addOption(numberOption("--keys <n>", "keys").default(1_000))
    .addOption(fractionOption("--theta <x>", "zipf skew, 0 uniform", [0, 3]).default(0))
    .addOption(fractionOption("--read-ratio <x>", "share of reads", [0, 1]).default(0.5))
    .addOption(
      new Option("--store <kind>", "what it runs on, and so the level it satisfies")
        .choices(["serializable", "causal", "read-atomic"])
        .default("serializable"),
    )
    .option("--plant <anomaly>", "the one anomaly in it, for instance fractured-read")
    .option("--out <path>", "a file (a directory for cobra) instead of stdout");
}

async function judge(files: readonly string[], flags: CheckFlags): Promise<number> {
  if (files.length === 0) {
    const hint = "a file, a run directory, - for stdin, or --generate";
    throw new ConfigError([{ where: "FILE", what: "nothing to check", hint }]);
  }
  const { level: levels, format, svg, states, json = false, explain = false } = flags;
  const { check } = await import("./check.ts");
  return check({
    files,
    levels,
    json,
    explain,
    ...(format !== undefined && { format }),
    ...(svg !== undefined && { svg }),
    ...(states !== undefined && { states }),
  });
}

async function generate(files: readonly string[], flags: CheckFlags): Promise<number> {
  if (files.length > 0) {
    const what = "reads no files; --out says where to write";
    throw new ConfigError([{ where: "--generate", what }]);
  }
  const { seed, sessions, transactions, operations, keys, theta, readRatio, store } = flags;
  const { format = "plume", plant, out } = flags;
  const { generateHistory } = await import("./check-generate.ts");
  return generateHistory({
    seed,
    sessions,
    transactionsPerSession: transactions,
    operations,
    keys,
    theta,
    readRatio,
    store,
    format,
    ...(plant !== undefined && { plant }),
    ...(out !== undefined && { out }),
  });
}
