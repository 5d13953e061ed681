/** @module `aft-bench sim`: seeded schedules of crashes and delays under virtual time, judged. */
import { ConfigError } from "#kit/errors.ts";
import type { RunLabel } from "#harness/record/run.ts";
import { addToBugBase, readBugBase } from "#harness/sim/bug-base.ts";
import type { SimConfig } from "#harness/sim/config.ts";
import { drawConfig } from "#harness/sim/draw.ts";
import { runSeeds, type SeedFailure, type SeedsResult } from "#harness/sim/run-seeds.ts";
import { simulate } from "#harness/sim/simulate.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { listenForStop } from "#bench/stop-signals.ts";
import type { SimFlags } from "./sim-flags.ts";

const labels: readonly RunLabel[] = ["simulated"];
const progressEveryMs = 5_000;

/** The document of `sim --json`. */
export type SimDocument = Omit<SeedsResult, "failures"> & {
  readonly labels: readonly RunLabel[];
  readonly system: SimConfig["system"];
  readonly wallSeconds: number;
  readonly eventsPerSecond: number;
  readonly failures: readonly (SeedFailure & { readonly replay: string })[];
};

/** What is simulated: numbers, and the configuration each stands for. */
interface Choice {
  readonly from: number;
  readonly to: number;
  readonly configOf: (seed: number) => SimConfig;
}

/** The exit code: 5 when something that must hold did not. */
export async function sim(flags: SimFlags): Promise<number> {
  const choice = choose(flags);
  const { from, to, configOf } = choice;
  if (flags.trace === true) await trace(choice);
  const stop = listenForStop(() => process.exit(exitCodes.interrupted));
  try {
    const startMs = performance.now();
    let toldMs = startMs;
    const result = await runSeeds({
      from,
      to,
      configOf,
      shrinks: flags.shrink && flags.system === "aft",
      maxFailures: Math.max(1, flags.failures),
      signal: stop.signal,
      onSeed: ({ seed, violations }) => {
        if (violations.length > 0) process.stderr.write(`seed ${seed}: ${violations[0]}\n`);
        if (performance.now() - toldMs < progressEveryMs) return;
        toldMs = performance.now();
        process.stderr.write(`${seed - from + 1} of ${to - from + 1} seeds\n`);
      },
    });
    const wallSeconds = (performance.now() - startMs) / 1_000;
    const document = describe(result, { flags, wallSeconds });
    const isNew = flags.keep && flags.system === "aft" && flags.bug === undefined;
    if (isNew) await keep(result.failures);
    console.log(flags.json === true ? JSON.stringify(document, undefined, 2) : format(document));
    if (result.failures.length > 0) return exitCodes.violation;
    return stop.signal.aborted ? exitCodes.interrupted : exitCodes.ok;
  } finally {
    stop.dispose();
  }
}

function choose({ seeds, seed, bug, system, trace: traced }: SimFlags): Choice {
  const change = system === "direct" ? { system } : {};
  if (traced === true && seed === undefined && bug === undefined)
    throw new ConfigError([{ where: "--trace", what: "shows one seed", hint: "--seed N" }]);
  if (bug !== undefined) {
    const known = readBugBase();
    const config = known[bug - 1]?.config;
    if (config === undefined)
      throw new ConfigError([{ where: "--bug", what: `there are ${known.length} of them` }]);
    return { from: bug, to: bug, configOf: () => ({ ...config, ...change }) };
  }
  const configOf = (one: number): SimConfig => ({ ...drawConfig(one), ...change });
  const range = seed === undefined ? parseSeeds(seeds) : { from: seed, to: seed };
  return { ...range, configOf };
}

async function trace({ from, configOf }: Choice): Promise<void> {
  const config = configOf(from);
  process.stderr.write(`${JSON.stringify(config, undefined, 2)}\n`);
  await simulate(config, { onLine: (line) => process.stderr.write(`${line}\n`) });
}

function parseSeeds(text: string): { from: number; to: number } {
  const [, first, last] = /^(\d{1,9})(?:\.\.(\d{1,9}))?$/.exec(text) ?? [];
  const from = Number(first);
  const to = Number(last ?? first);
  if (first !== undefined && from <= to) return { from, to };
  throw new ConfigError([
    { where: "--seeds", what: `no range of seeds: "${text}"`, hint: "1..100" },
  ]);
}

function describe(
  result: SeedsResult,
  { flags, wallSeconds }: { readonly flags: SimFlags; readonly wallSeconds: number },
): SimDocument {
  const { failures, ...rest } = result;
  const system = flags.system === "direct" ? " --system direct" : "";
  const which = flags.bug === undefined ? "--seed" : "--bug";
  return {
    labels,
    system: flags.system,
    ...rest,
    wallSeconds: Math.round(wallSeconds * 100) / 100,
    eventsPerSecond: Math.round(result.events / Math.max(wallSeconds, 1e-3)),
    failures: failures.map((failure) => ({
      ...failure,
      replay: `npm run bench -- sim ${which} ${flags.bug ?? failure.seed}${system} --trace`,
    })),
  };
}

/** Mended first, or the next run of the tests fails. */
async function keep(failures: readonly SeedFailure[]): Promise<void> {
  for (const { seed, violations, shrunk } of failures)
    if (shrunk !== undefined)
      await addToBugBase({
        what: `seed ${seed}: ${violations[0]?.split("\n")[0] ?? ""}`,
        config: shrunk.config,
      });
}

function format(document: SimDocument): string {
  const { seeds, events, virtualMs, transactions, operations, wallSeconds, eventsPerSecond } =
    document;
  const lines = [
    `${seeds.run} seeds of ${seeds.from}..${seeds.to}, system ${document.system}: simulated, not measured`,
    `  ${transactions.committed} transactions committed, ${transactions.aborted} aborted, ${transactions.unknown} unknown; ${operations} operations`,
    `  ${events} events, ${Math.round(virtualMs / 1_000)} s of virtual time in ${wallSeconds} s: ${eventsPerSecond} events/s`,
  ];
  for (const { seed, violations, shrunk, replay } of document.failures) {
    lines.push(`seed ${seed} FAILS`, ...violations.map((what) => `  ${what}`));
    if (shrunk !== undefined) {
      const { config, tried } = shrunk;
      const size = `${config.replicas} replicas, ${config.clients} clients, ${config.requests} requests, ${config.keys} keys, ${config.faults.length} faults`;
      lines.push(
        `  smaller, after ${tried} simulations: ${size}`,
        `  ${JSON.stringify(config.faults)}`,
      );
    }
    lines.push(`  ${replay}`);
  }
  if (document.failures.length === 0) lines.push("  no violation");
  return lines.join("\n");
}
