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
  readonly clients?: number;
  readonly requests?: number;
  readonly generators?: number;
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
  const { generators } = flags;
  const loaded = withArrivals(cells, flags);
  return generators === undefined ? loaded : withGenerators(loaded, generators);
}

function withArrivals(cells: readonly CellPlan[], flags: LoadFlags): CellPlan[] {
  const arrivals = arrivalsOf(flags);
  if (arrivals === undefined) return cells.map((cell) => withClosedLoad(cell, flags));
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

/** Closed loops: clients, requests of each or seconds of all, think time. */
function withClosedLoad(plan: CellPlan, flags: LoadFlags): CellPlan {
  const { load } = plan;
  const { thinkMs, clients, requests, duration } = flags;
  const changed = [thinkMs, clients, requests, duration].some((value) => value !== undefined);
  if (!changed || load.model === "open") return plan;
  return {
    ...plan,
    cell: {
      ...plan.cell,
      ...(clients !== undefined && { clients }),
      ...(thinkMs !== undefined && { thinkMs }),
      ...(requests !== undefined && { requests }),
      ...(duration !== undefined && { seconds: duration }),
    },
    load: {
      ...load,
      ...(thinkMs !== undefined && { thinkTimeUs: thinkMs * 1_000 }),
      ...(clients !== undefined && { clients }),
      ...(requests !== undefined && { requestsPerClient: requests }),
      ...(duration !== undefined && {
        seconds: duration,
        requestsPerClient: requests ?? endlessRequests,
      }),
    },
    ...(duration !== undefined && { estimateSeconds: duration + setUpSeconds }),
  };
}

/** More than a client can send in the longest duration anybody waits for; ids of warm-ups begin above. */
const endlessRequests = 900_000;

/** @throws ConfigError when a cell cannot be shared by so many processes. */
function withGenerators(cells: readonly CellPlan[], generators: number): CellPlan[] {
  const problems: ConfigProblem[] = [];
  const refuse = (what: string, hint: string): void => {
    if (!problems.some((problem) => problem.what === what))
      problems.push({ where: "--generators", what, hint });
  };
  for (const { load, platform, system, storage, faults } of cells) {
    if (concurrencyOf(load) < generators)
      refuse(
        `${generators} processes cannot share ${concurrencyOf(load)} clients or slots`,
        "every process needs one at least",
      );
    const inProcess = platform.name === "inline";
    if (inProcess && system !== "aft" && storage.service === "memory")
      refuse(
        `the memory store of ${system} lives in one process`,
        "add --only system:aft or another --only storage:…",
      );
    if (inProcess && faults.kind !== "none")
      refuse("functions in several processes cannot be killed", "add --only faults:none");
    if (generators > 1 && ["mishaps", "fail-operations"].includes(faults.kind))
      refuse("failures on purpose are drawn by one process", "add --only faults:none");
  }
  if (problems.length > 0) throw new ConfigError(problems);
  if (generators === 1) return [...cells];
  return cells.map((plan) => ({
    ...plan,
    cell: { ...plan.cell, generators },
    load: { ...plan.load, generators },
  }));
}

function conflicts(flags: LoadFlags): ConfigProblem[] {
  const { rate, stages, trace, duration, arrivals, slots, timeoutMs, thinkMs } = flags;
  const { clients, requests, generators } = flags;
  const problems: ConfigProblem[] = [];
  const sources = [rate, stages, trace].filter((source) => source !== undefined).length;
  const open = sources > 0;
  const refuse = (where: string, what: string, hint: string): void => {
    problems.push({ where, what, hint });
  };
  if (sources > 1) refuse("--rate", "only one of --rate, --stages and --trace", "choose one");
  if (duration !== undefined && open && rate === undefined)
    refuse("--duration", "does not go with it", "stages and traces have their own length");
  if (arrivals !== undefined && trace !== undefined)
    refuse("--arrivals", "a trace has its own due times", "leave it out");
  if (thinkMs !== undefined && open)
    refuse("--think-ms", "an open loop does not wait for answers", "leave out one of them");
  for (const [where, value] of Object.entries({ "--clients": clients, "--requests": requests }))
    if (value !== undefined && open)
      refuse(where, "belongs to a closed loop", "an open loop has --slots, and a schedule");
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
    "--clients": clients,
    "--requests": requests,
    "--generators": generators,
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
