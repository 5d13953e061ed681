/** @module `aft-bench calibrate`: proves the generator and the statistics on this machine. */
import { resolve } from "node:path";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { calibrate as runCalibration, calibrationChecks } from "#harness/calibrate/calibrate.ts";
import {
  type Certificate,
  certificatePath,
  writeCertificate,
} from "#harness/calibrate/certificate.ts";
import { type CheckResult, ownGenerator } from "#harness/calibrate/check.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { listenForStop } from "#bench/stop-signals.ts";

/** The exit code: 0 passed, 3 when measurements on this machine would not be valid. */
export async function calibrate(options: {
  readonly json: boolean;
  readonly outDirectory: string;
}): Promise<number> {
  const stop = listenForStop(() => process.exit(exitCodes.interrupted));
  try {
    let done = 0;
    const certificate = await runCalibration({
      generator: ownGenerator(createSystemClock({ precise: true })),
      signal: stop.signal,
      onResult: (result) => {
        done += 1;
        process.stderr.write(`[${done}/${calibrationChecks.length}] ${formatCheck(result)}\n`);
      },
    });
    // A certificate of half the checks would be worth less than the one before.
    if (stop.signal.aborted) return exitCodes.interrupted;
    const path = certificatePath(resolve(options.outDirectory));
    await writeCertificate(path, certificate);
    console.log(
      options.json
        ? JSON.stringify(certificate, undefined, 2)
        : formatCertificate(certificate, path),
    );
    return certificate.passed ? exitCodes.ok : exitCodes.invalid;
  } finally {
    stop.dispose();
  }
}

function formatCheck({ id, title, passed, failures, figures }: CheckResult): string {
  const values = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  const lines = [`${passed ? "passed" : "FAILED"}  ${id}: ${title}`, `  ${values.join(", ")}`];
  return [...lines, ...failures.map((failure) => `  ${failure}`)].join("\n");
}

function formatCertificate({ checks, passed, hash }: Certificate, path: string): string {
  const failed = checks.filter((check) => !check.passed).map(({ id }) => id);
  const verdict = passed
    ? `calibrated: ${checks.length} checks passed`
    : `NOT calibrated: ${failed.join(", ")} failed; is the machine quiet?`;
  return `${verdict}\ncertificate ${hash.slice(0, 12)}\n  ${path}`;
}
