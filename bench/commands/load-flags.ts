/** @module `--rate`, `--stages`, `--trace` …: another load for the cells that were selected. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { ConfigError, type ConfigProblem, describeError } from "#kit/errors.ts";
import type { CellPlan } from "#harness/experiment/define.ts";
import { concurrencyOf, type LoadPlan, openLoad } from "#harness/loadgen/load.ts";
import {
  type ArrivalPlan,
  arrivalsUs,
  expectedArrivals,
  type Stage,
} from "#workloads/arrivals/plan.ts";
import { parseTrace } from "#workloads/arrivals/trace.ts";

export interface LoadFlags {
  readonly rate?: number;
  readonly arrivals?: "poisson" | "constant";
  readonly duration?: number;
  readonly stages?: string;
  readonly trace?: string;
  readonly slots?: number;
  readonly timeoutMs?: number;
  readonly thinkMs?: number;
}

/** A slot of the inline platform costs nothing; one of an isolated instance may cost a cold start. */
const inlineSlots = 256;
const instanceSlots = 16;

/** Of starting servers and filling a store; for plans only. */
const setUpSeconds = 3;

/**
 * The cells under the load that was asked for; the same cells when none was.
 *
 * @throws ConfigError listing everything that does not go together.
 */
export function withLoad(cells: readonly CellPlan[], flags: LoadFlags): CellPlan[] {
  const problems: ConfigProblem[] = conflicts(flags);
  if (problems.length > 0) throw new ConfigError(problems);
  const arrivals = arrivalsOf(flags);
  if (arrivals === undefined) return cells.map((cell) => withThinkTime(cell, flags.thinkMs));
  const { slots, timeoutMs } = flags;
  const timeoutUs = timeoutMs === undefined ? undefined : timeoutMs * 1_000;
  const loadOn = (platform: string): LoadPlan =>
    openLoad({
      arrivals,
      slots: slots ?? (platform === "inline" ? inlineSlots : instanceSlots),
      ...(timeoutUs !== undefined && {
        timeoutUs,
        drainUs: timeoutUs,
        slotWaitUs: Math.min(timeoutUs, 1_000_000),
      }),
    });
  return cells.map((plan) => {
    const load = loadOn(plan.platform.name);
    return {
      ...plan,
      load,
      cell: { ...plan.cell, clients: concurrencyOf(load), arrivals: nameOf(arrivals) },
      estimateSeconds: arrivalsUs(arrivals) / 1_000_000 + setUpSeconds,
    };
  });
}

function withThinkTime(plan: CellPlan, thinkMs: number | undefined): CellPlan {
  if (thinkMs === undefined || plan.load.model === "open") return plan;
  const cell = { ...plan.cell, thinkMs };
  return { ...plan, cell, load: { ...plan.load, thinkTimeUs: thinkMs * 1_000 } };
}

function conflicts(flags: LoadFlags): ConfigProblem[] {
  const { rate, stages, trace, duration, arrivals, slots, timeoutMs, thinkMs } = flags;
  const problems: ConfigProblem[] = [];
  const sources = [rate, stages, trace].filter((source) => source !== undefined).length;
  const open = sources > 0;
  const refuse = (where: string, what: string, hint: string): void => {
    problems.push({ where, what, hint });
  };
  if (sources > 1) refuse("--rate", "only one of --rate, --stages and --trace", "choose one");
  if (duration !== undefined && rate === undefined)
    refuse("--duration", "belongs to --rate", "stages and traces have their own length");
  if (arrivals !== undefined && trace !== undefined)
    refuse("--arrivals", "a trace has its own due times", "leave it out");
  if (thinkMs !== undefined && open)
    refuse("--think-ms", "an open loop does not wait for answers", "leave out one of them");
  for (const [flag, value] of Object.entries({ slots, timeoutMs, arrivals })) {
    if (value === undefined || open) continue;
    const where = `--${flag.replace("Ms", "-ms")}`;
    refuse(where, "belongs to an open loop", "add --rate, --stages or --trace");
  }
  for (const [where, value] of Object.entries({
    "--rate": rate,
    "--duration": duration,
    "--slots": slots,
    "--timeout-ms": timeoutMs,
  }))
    if (value === 0) refuse(where, "must be more than zero", "a whole number from 1 up");
  return problems;
}

function arrivalsOf(flags: LoadFlags): ArrivalPlan | undefined {
  const { rate, stages, trace, duration = 10, arrivals = "poisson" } = flags;
  if (rate !== undefined) return { kind: arrivals, perSecond: rate, seconds: duration };
  if (stages !== undefined) {
    const gaps = arrivals === "poisson" ? "poisson" : "even";
    return { kind: "stages", gaps, stages: parseStages(stages) };
  }
  if (trace === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(trace, "utf8");
  } catch (cause) {
    const what = `cannot read ${trace}: ${describeError(cause)}`;
    throw new ConfigError([{ where: "--trace", what }], { cause });
  }
  const sha256 = createHash("sha256").update(text).digest("hex");
  return { kind: "trace", source: trace, sha256, dueUs: parseTrace(trace, text) };
}

/** `10s:0-200,30s:200`: a ramp from 0 to 200 per second in 10 s, then 200 for 30 s. */
function parseStages(text: string): Stage[] {
  const problems: ConfigProblem[] = [];
  const stages = text.split(",").flatMap((part): Stage[] => {
    const found = /^(\d+(?:\.\d+)?)s:(\d+)(?:-(\d+))?$/.exec(part.trim());
    const [seconds, from, to = from] = (found ?? [])
      .slice(1)
      .map((value) => value && Number(value));
    if (typeof seconds === "number" && seconds > 0 && typeof from === "number")
      return [{ seconds, fromPerSecond: from, toPerSecond: typeof to === "number" ? to : from }];
    const hint = "10s:0-200,30s:200 ramps up in 10 s and stays for 30 s";
    problems.push({ where: "--stages", what: `"${part}" is not SECONDSs:FROM-TO`, hint });
    return [];
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return stages;
}

function nameOf(arrivals: ArrivalPlan): string {
  const { kind } = arrivals;
  if (kind === "constant" || kind === "poisson") return `${kind} ${arrivals.perSecond}/s`;
  return `${kind} of ${expectedArrivals(arrivals)}`;
}
