/** @module `aft-bench run`: plans, runs, checks, reports. */
import { resolve } from "node:path";
import { createSystemClock } from "#kit/node/system-clock.ts";
import type { LambdaPlace } from "#harness/experiment/lambda-place.ts";
import type { NotRun, SuiteResult } from "#harness/record/run.ts";
import { evaluateClaims } from "#harness/report/claims.ts";
import { formatResult } from "#harness/report/table.ts";
import { writeReport } from "#harness/report/write.ts";
import { certificatePath, readCertificate, referenceTo } from "#harness/calibrate/certificate.ts";
import { withoutWarmUp as unwarmed } from "#harness/loadgen/load.ts";
import type { Validity } from "#harness/metrics/validity.ts";
import { runSuite } from "#harness/experiment/run-suite.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { createProgress } from "#bench/progress.ts";
import { listenForStop } from "#bench/stop-signals.ts";
import { dryRun } from "./dry-run.ts";
import type { LambdaFlags } from "./lambda-flags.ts";
import { announceCost, lambdaPlaceOf } from "./lambda-target.ts";
import type { ResolvedPlan } from "./plan.ts";

export interface RunRequest {
  readonly plan: ResolvedPlan;
  readonly seed: number;
  readonly outDirectory: string;
  readonly mode: "paper" | "sound";
  readonly json: boolean;
  readonly quiet: boolean;
  /** Show invalid runs all the same, stamped. */
  readonly keepInvalid: boolean;
  readonly validity?: Validity;
  readonly lambda?: LambdaFlags;
}

/** The exit code; the result is on stdout, progress on stderr, everything else in files. */
export async function run(request: RunRequest): Promise<number> {
  const { plan, json, keepInvalid } = request;
  const { parts, externalSystems } = plan;
  const { lambda: flags = {} } = request;
  const cells = parts.flatMap((part) => part.cells);
  const place = lambdaPlaceOf(flags, process.env);
  if (flags.dryRun === true) {
    if (place !== undefined) announceCost(cells, place, say);
    if (!cells.some(({ platform }) => platform.name === "lambda"))
      say("no cell runs on lambda, so Lambda would not be called; see --platform lambda");
    await dryRun({ cells, place, print: (line) => console.log(line) });
    return exitCodes.ok;
  }
  if (place !== undefined) announceCost(cells, place, say);
  const stop = listenForStop(() => process.exit(exitCodes.interrupted));
  const ceiling = new CostCeiling(place);
  try {
    const outDirectory = resolve(request.outDirectory);
    const certificate = await readCertificate(certificatePath(outDirectory));
    const measured = await runSuite({
      suite: plan.suite,
      profile: plan.profile,
      mode: request.mode,
      ...(request.validity !== undefined && { validity: request.validity }),
      parts: request.mode === "paper" ? parts.map(withoutWarmUp) : parts,
      seed: request.seed,
      outDirectory,
      command: process.argv.slice(2),
      externalSystems,
      ...(ceiling.place !== undefined && { lambda: ceiling.place }),
      clock: createSystemClock({ precise: true }),
      signal: AbortSignal.any([stop.signal, ceiling.signal]),
      onEvent: createProgress({
        stream: process.stderr,
        quiet: request.quiet,
        nowMs: () => performance.now(),
      }),
    });
    const notRun = [...measured.notRun, ...ceiling.notRun];
    const calibration =
      certificate === undefined ? null : referenceTo(certificate, measured.machine);
    const suite: SuiteResult = {
      ...measured,
      notRun,
      claims: evaluateClaims({ ...measured, notRun }, { keepInvalid }),
      calibration,
    };
    const report = await writeReport({ suite, outDirectory, keepInvalid });
    const width = process.stdout.columns ?? 100;
    console.log(
      json
        ? JSON.stringify(suite, undefined, 2)
        : formatResult({ suite, report, width, keepInvalid }),
    );
    if (ceiling.signal.aborted && !stop.signal.aborted) return exitCodes.invalid;
    return exitCodeOf(suite, stop.signal.aborted);
  } finally {
    stop.dispose();
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Stops the run when an invocation could pass the sum that was named. */
class CostCeiling {
  readonly place: LambdaPlace | undefined;
  readonly #stop = new AbortController();
  #spentUsd: number | undefined;

  constructor(place: LambdaPlace | undefined) {
    const onCeiling = (spentUsd: number): void => {
      this.#spentUsd = spentUsd;
      this.#stop.abort(new Error("the cost ceiling is reached"));
    };
    this.place = place && { ...place, target: { ...place.target, onCeiling, say } };
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get notRun(): readonly NotRun[] {
    if (this.#spentUsd === undefined) return [];
    const why = `stopped at the cost ceiling, ${this.#spentUsd.toFixed(4)} USD by the price table`;
    return [{ what: "the rest of the run", why, get: "a higher --max-cost-usd" }];
  }
}

function exitCodeOf(suite: SuiteResult, interrupted: boolean): number {
  if (suite.runs.some(({ violated }) => violated.length > 0)) return exitCodes.violation;
  if (interrupted) return exitCodes.interrupted;
  return suite.runs.some(({ valid }) => !valid) ? exitCodes.invalid : exitCodes.ok;
}

/** The paper's method counts cold starts: nothing is excluded. */
function withoutWarmUp(part: ResolvedPlan["parts"][number]): ResolvedPlan["parts"][number] {
  return { ...part, cells: part.cells.map((cell) => ({ ...cell, load: unwarmed(cell.load) })) };
}
