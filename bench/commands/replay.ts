/** @module `aft-bench replay RUN`: the same schedule, keys, mix and faults again, and whether it is the same run. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { ConfigError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import type { CellPlan, ExperimentDefinition } from "#harness/experiment/define.ts";
import { profileNames } from "#harness/experiment/define.ts";
import { runSuite } from "#harness/experiment/run-suite.ts";
import { describeLoad, type LoadPlan } from "#harness/loadgen/load.ts";
import { parseFaultPlan } from "#harness/faults/plan.ts";
import { cellKey } from "#harness/gate/compare.ts";
import { worstOutcome } from "#harness/gate/outcome.ts";
import { judgeReplay, type ReplayCheck } from "#harness/gate/replay.ts";
import { readRun } from "#harness/record/run-directory.ts";
import type { RunManifest } from "#harness/record/run.ts";
import { experiments } from "#bench/experiments/registry.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { createProgress } from "#bench/progress.ts";
import { listenForStop } from "#bench/stop-signals.ts";
import { formatColumns } from "#bench/text.ts";

const codeOf = {
  pass: exitCodes.ok,
  fail: exitCodes.replayMismatch,
  inconclusive: exitCodes.inconclusive,
} as const;

/** The exit code: 0 the same run, 6 another one, 4 cannot tell from so few blocks. */
export async function replay(options: {
  readonly run: string;
  readonly outDirectory: string;
  readonly margin: number;
  readonly json: boolean;
  readonly quiet: boolean;
}): Promise<number> {
  const directory = resolve(options.run);
  if (!existsSync(join(directory, "manifest.json"))) {
    const hint = "results/runs/<experiment>/<run>";
    throw new ConfigError([{ where: "replay", what: `no run in ${options.run}`, hint }]);
  }
  const recorded = await readRun(directory);
  const { definition, plan, profile } = planOf(recorded.manifest);
  const stop = listenForStop(() => process.exit(exitCodes.interrupted));
  try {
    const { runs, notRun } = await runSuite({
      suite: definition.id,
      profile,
      mode: recorded.manifest.mode,
      parts: [{ definition, cells: [plan] }],
      seed: recorded.manifest.seeds["seed"] ?? 1,
      outDirectory: resolve(options.outDirectory),
      command: process.argv.slice(2),
      externalSystems: new Map(),
      clock: createSystemClock({ precise: true }),
      signal: stop.signal,
      onEvent: createProgress({
        stream: process.stderr,
        quiet: options.quiet,
        nowMs: () => performance.now(),
      }),
    });
    if (stop.signal.aborted) return exitCodes.interrupted;
    const [replayed] = runs;
    if (replayed === undefined) {
      const [missing] = notRun;
      const what = missing === undefined ? "nothing ran" : `${missing.what}: ${missing.why}`;
      throw new ConfigError([{ where: "replay", what, hint: missing?.get ?? "see doctor" }]);
    }
    const checks = judgeReplay({
      recorded,
      replayed: await readRun(replayed.directory),
      margin: options.margin,
      prng: createPrng(1),
    });
    const outcome = worstOutcome(checks.map((check) => check.outcome));
    const document = { outcome, recorded: directory, replayed: replayed.directory, checks };
    console.log(options.json ? JSON.stringify(document, undefined, 2) : format(document));
    return codeOf[outcome];
  } finally {
    stop.dispose();
  }
}

/** The cell as it was resolved then, whatever the experiment says today. */
function planOf(manifest: RunManifest): {
  definition: ExperimentDefinition;
  plan: CellPlan;
  profile: (typeof profileNames)[number];
} {
  const definition = experiments.find(({ id }) => id === manifest.experiment);
  const profile = profileNames.find((name) => name === manifest.profile);
  const { experiment, cell, resolved } = manifest;
  const known =
    profile === undefined
      ? undefined
      : definition
          ?.cells(profile)
          .find((candidate) => cellKey({ experiment, cell: candidate.cell }) === cellKey(manifest));
  if (definition === undefined || profile === undefined || known === undefined) {
    const what = `no ${experiment} cell of profile ${manifest.profile} has these factors: ${JSON.stringify(cell)}`;
    const hint = "was it run with --use, or by a version with other experiments?";
    throw new ConfigError([{ where: "replay", what, hint }]);
  }
  const load = loadOf(resolved.load, known.load);
  const faults = parseFaultPlan(String(resolved.faults["plan"]));
  const workload = { ...known.workload, parameters: resolved.workload };
  return { definition, profile, plan: { ...known, load, faults, workload } };
}

/** An open loop's arrivals are recorded as a description, so that one must be today's. */
function loadOf(recorded: RunManifest["resolved"]["load"], today: LoadPlan): LoadPlan {
  if (JSON.stringify(describeLoad(today)) === JSON.stringify(recorded)) return today;
  const { clients, requestsPerClient, warmUpRequestsPerClient, blocks } = recorded;
  const numbers = [clients, requestsPerClient, warmUpRequestsPerClient, blocks];
  // The first records say "closed loop", and had no think time.
  if (
    !String(recorded["model"]).startsWith("closed") ||
    numbers.some((n) => typeof n !== "number")
  ) {
    const what = `its load is not one this version plans: ${JSON.stringify(recorded)}`;
    throw new ConfigError([{ where: "replay", what, hint: "replay it with the commit it names" }]);
  }
  return { thinkTimeUs: 0, ...recorded, model: "closed" } as LoadPlan;
}

function format(document: {
  readonly outcome: keyof typeof codeOf;
  readonly replayed: string;
  readonly checks: readonly ReplayCheck[];
}): string {
  const verdict = { pass: "the same run", fail: "ANOTHER run", inconclusive: "cannot tell" };
  const rows = document.checks.map(({ name, outcome, explanation }) => [
    `  ${outcome === "fail" ? "DIFFERS" : outcome}`,
    name,
    explanation,
  ]);
  return [`replay: ${verdict[document.outcome]}`, formatColumns(rows), document.replayed].join(
    "\n",
  );
}
