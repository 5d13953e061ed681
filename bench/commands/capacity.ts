/** @module `aft-bench run capacity`: searches, draws and prints the highest load within an objective. */
import { join, resolve } from "node:path";
import { ConfigError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { runCapacity } from "#harness/experiment/capacity/run-capacity.ts";
import type { Validity } from "#harness/metrics/validity.ts";
import { parseSlo } from "#harness/experiment/capacity/slo.ts";
import type { CapacityCell, CapacityResult } from "#harness/record/capacity.ts";
import { stableJson } from "#harness/record/stable-json.ts";
import { capacityFigure } from "#harness/report/figures/capacity.ts";
import { storeName } from "#harness/report/format.ts";
import { removePicture, writePicture } from "#harness/report/write.ts";
import { capacity, capacitySizes } from "#bench/experiments/capacity.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { createProgress } from "#bench/progress.ts";
import { listenForStop } from "#bench/stop-signals.ts";
import { formatColumns, formatSeconds } from "#bench/text.ts";
import type { ResolvedPlan } from "./plan.ts";

export const defaultSlo = "p99<=50ms";

/** The exit code: 3 when a cell got no valid answer, 5 when a promise was broken. */
export async function searchCapacities(request: {
  readonly plan: ResolvedPlan;
  readonly slo: string;
  readonly seed: number;
  readonly outDirectory: string;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly validity?: Validity;
}): Promise<number> {
  const { plan, seed, json, quiet } = request;
  const slo = parseSlo(request.slo);
  const cells = plan.parts.flatMap((part) => part.cells);
  if (plan.parts.length !== 1)
    throw new ConfigError([
      { where: "run", what: "capacity is searched by itself", hint: "run the others without it" },
    ]);
  const stop = listenForStop(() => process.exit(exitCodes.interrupted));
  const progress = createProgress({
    stream: process.stderr,
    quiet,
    nowMs: () => performance.now(),
  });
  try {
    const outDirectory = resolve(request.outDirectory);
    const result = await runCapacity({
      definition: capacity,
      cells,
      profile: plan.profile,
      slo,
      sizes: capacitySizes[plan.profile],
      ...(request.validity !== undefined && { validity: request.validity }),
      seed,
      outDirectory,
      command: process.argv.slice(2),
      externalSystems: new Map(),
      clock: createSystemClock({ precise: true }),
      signal: stop.signal,
      note: (text) => {
        progress({ kind: "note", text });
      },
    });
    const picture = await write(result, join(outDirectory, "figures", capacity.id));
    console.log(json ? JSON.stringify(result, undefined, 2) : format(result, picture));
    return exitCodeOf(result, stop.signal.aborted);
  } finally {
    stop.dispose();
  }
}

async function write(result: CapacityResult, directory: string): Promise<string | undefined> {
  const files = { "capacity.json": stableJson(result) };
  const built = capacityFigure(result);
  if (built === undefined) {
    await removePicture({ directory, id: capacity.id, files });
    return undefined;
  }
  return writePicture({ directory, id: capacity.id, ...built, files });
}

function exitCodeOf({ cells, state }: CapacityResult, interrupted: boolean): number {
  if (cells.some(({ violated }) => violated.length > 0)) return exitCodes.violation;
  if (interrupted || state === "partial") return exitCodes.interrupted;
  return cells.some(({ valid }) => !valid) ? exitCodes.invalid : exitCodes.ok;
}

function format(result: CapacityResult, picture: string | undefined): string {
  const rows = result.cells.map((cell) => [
    `  ${cell.cell.system} over ${storeName(cell.cell)}`,
    ...describe(cell),
  ]);
  return [
    `highest offered load with ${result.slo}; open loop, Poisson; ${formatSeconds(result.durationMs / 1_000)}`,
    formatColumns(rows),
    ...result.notRun.map(({ what, why, get }) => `  ${what}: not run, ${why}; ${get}`),
    ...(picture === undefined ? [] : [picture]),
  ].join("\n");
}

function describe(found: CapacityCell): string[] {
  const { capacityPerSecond, limitedBy, violated, invalidReasons, repeats, valid } = found;
  if (violated.length > 0) return [`BROKE ${violated.join(", ")}`];
  if (!valid || capacityPerSecond === null) return [`INVALID ${invalidReasons.join("; ")}`];
  const { median, low, high, confidence } = capacityPerSecond;
  const interval =
    repeats.length < 2
      ? "one search: no interval"
      : `[${Math.round(low)}, ${Math.round(high)}], ${(confidence * 100).toFixed(1)} % interval of ${repeats.length} searches`;
  const limit = {
    slo: "",
    generator: "at least: the load generator was the limit; add --generators",
    "search-bound": "at least: the search ended here",
  };
  const sign = limitedBy === "slo" ? "" : "≥ ";
  return [`${sign}${Math.round(median)} txn/s`, interval, limit[limitedBy ?? "slo"]];
}
