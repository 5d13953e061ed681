/**
 * @module The commands and their flags. Each action is one function in `commands/`, loaded when it is
 * called: `check` in a pipe must not wait for what draws figures.
 */
import { Command, Option } from "commander";
import { ConfigError } from "#kit/errors.ts";
import { addCheck } from "./commands/check-flags.ts";
import { addComparing } from "./commands/compare-flags.ts";
import { addDeploy } from "./commands/deploy-flags.ts";
import { addFleet } from "./commands/fleet-flags.ts";
import { addReporting, keepInvalidText } from "./commands/report-flags.ts";
import { addServe } from "./commands/serve-flags.ts";
import { addSim } from "./commands/sim-flags.ts";
import { collect, numberOption } from "./flags.ts";
import { profileNames } from "#harness/experiment/define.ts";
import { type Validity, validityNames } from "#harness/metrics/validity.ts";
import { addLambdaFlags, type LambdaFlags } from "./commands/lambda-flags.ts";
import type { LoadFlags } from "./commands/load-flags.ts";
import { addLoadFlags } from "./commands/load-options.ts";
import { helpText } from "./exit-codes.ts";

interface SelectionFlags {
  readonly profile?: string;
  readonly smoke?: boolean;
  readonly only: readonly string[];
  readonly use: readonly string[];
  readonly json?: boolean;
}

interface RunFlags extends SelectionFlags, LoadFlags, LambdaFlags {
  readonly slo?: string;
  readonly validity?: Validity;
  readonly seed: number;
  readonly out: string;
  readonly mode: "paper" | "sound";
  readonly quiet?: boolean;
  readonly keepInvalid?: boolean;
}

/** Builds the program; `setExitCode` receives what an action decided. */
export function createProgram(setExitCode: (code: number) => void): Command {
  const program = new Command("aft-bench")
    .description("What a stateful-serverless system costs, guarantees and survives.")
    .exitOverride()
    .showHelpAfterError("(see --help)")
    .addHelpText("after", helpText());
  addRun(program, setExitCode);
  addLookers(program);
  addReporting(program, setExitCode);
  addCheck(program, setExitCode);
  addSim(program, setExitCode);
  addComparing(program, setExitCode);
  addContract(program, setExitCode);
  addMicro(program, setExitCode);
  addCalibrate(program, setExitCode);
  addServe(program, setExitCode);
  addDeploy(program);
  addFleet(program, setExitCode);
  return program;
}

function addRun(program: Command, setExitCode: (code: number) => void): void {
  addLoadFlags(addLambdaFlags(selecting(program.command("run"))))
    .description("run experiments or a suite, check them, draw them")
    .argument("[names...]", "experiments and suites (see list)", ["quick"])
    .addOption(numberOption("--seed <n>", "seed of keys, order, payloads and faults").default(1))
    .option("--out <dir>", "where run directories and figures go", "results")
    .addOption(
      new Option("--mode <mode>", "paper: the original's method; sound: ours")
        .choices(["paper", "sound"])
        .default("sound"),
    )
    .option("--quiet", "no progress")
    .addOption(numberOption("--generators <n>", "processes that share the load (1)"))
    .addOption(
      new Option("--validity <limits>", "strict for standard and paper, else relaxed").choices([
        ...validityNames,
      ]),
    )
    .option("--slo <list>", "of capacity (p99<=50ms); also anomalies=0, failed<=1%")
    .option("--keep-invalid", keepInvalidText)
    .action(async (names: string[], flags: RunFlags) => {
      if (names.includes("capacity")) {
        setExitCode(await runCapacity(names, flags));
        return;
      }
      if (flags.slo !== undefined) {
        const what = "only a capacity search has an objective";
        throw new ConfigError([{ where: "--slo", what, hint: "run capacity --slo …" }]);
      }
      const { run } = await import("./commands/run.ts");
      const { resolvePlan } = await import("./commands/plan.ts");
      const { loadOutside } = await import("./commands/outside.ts");
      const outside = await loadOutside(flags.use);
      setExitCode(
        await run({
          plan: resolvePlan({ names, ...planFlags(flags), load: flags, lambda: flags, outside }),
          lambda: flags,
          seed: flags.seed,
          outDirectory: flags.out,
          mode: flags.mode,
          json: flags.json === true,
          quiet: flags.quiet === true,
          keepInvalid: flags.keepInvalid === true,
          ...(flags.validity !== undefined && { validity: flags.validity }),
        }),
      );
    });
}

async function runCapacity(names: readonly string[], flags: RunFlags): Promise<number> {
  const { defaultSlo, searchCapacities } = await import("./commands/capacity.ts");
  const { resolvePlan } = await import("./commands/plan.ts");
  const { rate, stages, trace, clients, requests, thinkMs } = flags;
  const fixed = [rate, stages, trace, clients, requests, thinkMs];
  if (fixed.some((value) => value !== undefined) || flags.use.length > 0) {
    const what = "a capacity search chooses its load itself, for systems of this repository";
    throw new ConfigError([
      { where: "run capacity", what, hint: "leave out load flags and --use" },
    ]);
  }
  return searchCapacities({
    plan: resolvePlan({ names, ...planFlags(flags), load: flags }),
    slo: flags.slo ?? defaultSlo,
    seed: flags.seed,
    outDirectory: flags.out,
    json: flags.json === true,
    quiet: flags.quiet === true,
    ...(flags.validity !== undefined && { validity: flags.validity }),
  });
}

function addLookers(program: Command): void {
  program
    .command("list")
    .description("what there is to run")
    .option("--json", "one JSON document")
    .action(async (flags: { json?: boolean }) => {
      const { list } = await import("./commands/list.ts");
      console.log(await list({ json: flags.json === true }));
    });
  selecting(program.command("plan"))
    .description("what would run, and for how long")
    .argument("[names...]", "experiments and suites", ["quick"])
    .action(async (names: string[], flags: SelectionFlags) => {
      const { formatPlan, planSeconds, resolvePlan } = await import("./commands/plan.ts");
      const { loadOutside } = await import("./commands/outside.ts");
      const plan = resolvePlan({
        names,
        ...planFlags(flags),
        outside: await loadOutside(flags.use),
      });
      const document = {
        suite: plan.suite,
        profile: plan.profile,
        estimateSeconds: planSeconds(plan),
        cells: plan.parts.flatMap(({ cells }) => cells),
      };
      console.log(flags.json === true ? JSON.stringify(document, undefined, 2) : formatPlan(plan));
    });
  program
    .command("doctor")
    .description("what this machine can and cannot do, and how to get the rest")
    .option("--json", "one JSON document")
    .action(async (flags: { json?: boolean }) => {
      const { doctor, formatFindings } = await import("./commands/doctor.ts");
      const findings = await doctor();
      console.log(
        flags.json === true ? JSON.stringify({ findings }, undefined, 2) : formatFindings(findings),
      );
    });
}

function addContract(program: Command, setExitCode: (code: number) => void): void {
  program
    .command("contract")
    .description(
      "judge something of your own: does it keep the contract of its port? (0 yes, 5 no)",
    )
    .argument("<module>", "a file that exports it, as for run --use")
    .option("--json", "one JSON document")
    .action(async (path: string, flags: { json?: boolean }) => {
      const { contract } = await import("./commands/contract.ts");
      setExitCode(await contract({ path, json: flags.json === true }));
    });
}

function addMicro(program: Command, setExitCode: (code: number) => void): void {
  program
    .command("micro")
    .description("a micro-benchmark: ratios from interleaved blocks, with intervals")
    .argument("<name>", "see list")
    .option("--json", "one JSON document")
    .option("--smoke", "only to see that it works; the numbers mean nothing")
    .addOption(numberOption("--seed <n>", "seed of keys and block order").default(1))
    .action(async (name: string, flags: { json?: boolean; smoke?: boolean; seed: number }) => {
      const { micro } = await import("./commands/micro.ts");
      setExitCode(
        await micro({
          name,
          json: flags.json === true,
          smoke: flags.smoke === true,
          seed: flags.seed,
        }),
      );
    });
}

function addCalibrate(program: Command, setExitCode: (code: number) => void): void {
  program
    .command("calibrate")
    .description("prove generator, timers and statistics on this machine; reports name the result")
    .option("--json", "the certificate on stdout")
    .option("--out <dir>", "where the certificate goes", "results")
    .action(async (flags: { json?: boolean; out: string }) => {
      const { calibrate } = await import("./commands/calibrate.ts");
      setExitCode(await calibrate({ json: flags.json === true, outDirectory: flags.out }));
    });
}

function selecting(command: Command): Command {
  return command
    .addOption(new Option("--profile <size>", "how much").choices([...profileNames]))
    .option("--smoke", "smallest size, to see that it works (= --profile smoke)")
    .option("--only <factor:level>", "only these cells (repeatable)", collect, [])
    .option("--use <module>", "something of your own: see `Bring your own`", collect, [])
    .option("--json", "one JSON document on stdout");
}

function planFlags(flags: SelectionFlags): { profile?: string; only: readonly string[] } {
  const profile = flags.smoke === true ? "smoke" : flags.profile;
  return { only: flags.only, ...(profile !== undefined && { profile }) };
}
