/** @module `aft-bench fleet merge`: all parts, checked, as one run with its report. */
import { resolve } from "node:path";
import { describeError, type ProjectError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import {
  DamagedPartError,
  DuplicatePartError,
  ForeignPartError,
  MissingPartError,
} from "#harness/experiment/fleet/remote/errors.ts";
import { mergeRun, type MergedRun } from "#harness/experiment/fleet/remote/merge-run.ts";
import type { FleetPlan } from "#harness/experiment/fleet/remote/plan.ts";
import { certificatePath, readCertificate, referenceTo } from "#harness/calibrate/certificate.ts";
import type { SuiteResult } from "#harness/record/run.ts";
import { appendHistory, historyLineOf, historyPath } from "#harness/record/trend-history.ts";
import { evaluateClaims } from "#harness/report/claims.ts";
import { formatResult } from "#harness/report/table.ts";
import { writeReport } from "#harness/report/write.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import type { MergeFlags } from "./fleet-flags.ts";
import { openPlan } from "./fleet-open.ts";

/** The exit code: 2 where parts are refused, and then nothing is written; else as of `run`. */
export async function mergeFleet(flags: MergeFlags): Promise<number> {
  const clock = createSystemClock();
  const { plan, objects } = await openPlan(flags.plan, clock);
  const outDirectory = resolve(flags.out);
  try {
    const merged = await mergeRun({
      plan,
      objects,
      outDirectory,
      allowMissing: flags.allowMissing === true,
      command: process.argv.slice(2),
    });
    return await reportMerged(plan, merged, { flags, outDirectory });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    process.stderr.write(`${error.code}: ${describeError(error)}\n`);
    return exitCodes.usage;
  } finally {
    objects.close();
  }
}

function isRefusal(error: unknown): error is ProjectError {
  return [MissingPartError, DuplicatePartError, ForeignPartError, DamagedPartError].some(
    (kind) => error instanceof kind,
  );
}

async function reportMerged(
  plan: FleetPlan,
  { directory, manifest, summary }: MergedRun,
  options: { readonly flags: MergeFlags; readonly outDirectory: string },
): Promise<number> {
  const { flags, outDirectory } = options;
  const keepInvalid = flags.keepInvalid === true;
  const line = historyLineOf(manifest, summary);
  if (line !== undefined) await appendHistory(historyPath(outDirectory), [line]);
  const certificate = await readCertificate(certificatePath(outDirectory));
  const { machine } = manifest;
  const measured = {
    schemaVersion: 1,
    suite: `${plan.experiment}-fleet`,
    profile: plan.profile,
    startedAtMs: manifest.startedAtMs,
    durationMs: manifest.durationMs ?? 0,
    state: manifest.state === "complete" ? "complete" : "partial",
    runs: [{ ...summary, directory }],
    comparisons: [],
    claims: [],
    notRun: [],
    machine,
  } as const;
  const runs = measured.runs.filter(({ valid }) => valid || keepInvalid);
  const suite: SuiteResult = {
    ...measured,
    claims: evaluateClaims({ ...measured, runs }),
    calibration: certificate === undefined ? null : referenceTo(certificate, machine),
  };
  const report = await writeReport({ suite, outDirectory, keepInvalid });
  const width = process.stdout.columns ?? 100;
  console.log(
    flags.json === true
      ? JSON.stringify(suite, undefined, 2)
      : formatResult({ suite, report, width, keepInvalid }),
  );
  if (summary.violated.length > 0) return exitCodes.violation;
  return summary.valid ? exitCodes.ok : exitCodes.invalid;
}
