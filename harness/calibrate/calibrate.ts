/** @module Runs every calibration check, one after another, and certifies the results. */
import { describeGit, describeMachine, describeVersions } from "#harness/metrics/machine.ts";
import { type Certificate, certify } from "./certificate.ts";
import type { CalibrationCheck, CheckResult, GeneratorUnderTest } from "./check.ts";
import { computedChecks } from "./computed.ts";
import { trafficChecks } from "./traffic.ts";

export const calibrationChecks: readonly CalibrationCheck[] = [...computedChecks, ...trafficChecks];

/** Rejects when a target server does not start. Stops between checks when aborted. */
export async function calibrate(options: {
  readonly generator: GeneratorUnderTest;
  readonly signal: AbortSignal;
  readonly onResult: (result: CheckResult) => void;
  readonly checks?: readonly CalibrationCheck[];
}): Promise<Certificate> {
  const { generator, signal, onResult, checks = calibrationChecks } = options;
  const createdAtMs = Math.round(generator.clock.nowMs());
  const machine = describeMachine();
  const results: CheckResult[] = [];
  for (const check of checks) {
    if (signal.aborted) break;
    const result = await runCheck(check, generator, signal);
    results.push(result);
    onResult(result);
  }
  return certify({
    createdAtMs,
    machine,
    versions: describeVersions(),
    git: describeGit(),
    checks: results,
  });
}

export async function runCheck(
  check: CalibrationCheck,
  generator: GeneratorUnderTest,
  signal: AbortSignal,
): Promise<CheckResult> {
  const { id, title } = check;
  const { failures, figures } = await check.run({ generator, signal });
  return { id, title, passed: failures.length === 0, failures, figures };
}
