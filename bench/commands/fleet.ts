/** @module `aft-bench fleet plan`, `run-part` and `merge`. */
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Clock } from "#kit/clock.ts";
import { ConfigError, describeError, type ProjectError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import {
  DamagedPartError,
  DuplicatePartError,
  ForeignPartError,
  MissingPartError,
  partName,
  PartStoppedError,
  StartMissedError,
} from "#harness/experiment/fleet/remote/errors.ts";
import {
  fetchPlan,
  makeFleetPlan,
  publishPlan,
} from "#harness/experiment/fleet/remote/make-plan.ts";
import { mergeRun, type MergedRun } from "#harness/experiment/fleet/remote/merge-run.ts";
import {
  type ObjectStore,
  openObjects,
  parseObjectsAddress,
} from "#harness/experiment/fleet/remote/objects.ts";
import { attemptPattern } from "#harness/experiment/fleet/remote/part.ts";
import { type FleetPlan, parseFleetPlan } from "#harness/experiment/fleet/remote/plan.ts";
import { runPart } from "#harness/experiment/fleet/remote/run-part.ts";
import { describeHere } from "#harness/experiment/manifest.ts";
import { certificatePath, readCertificate, referenceTo } from "#harness/calibrate/certificate.ts";
import { describeGit } from "#harness/metrics/machine.ts";
import type { SuiteResult } from "#harness/record/run.ts";
import { appendHistory, historyLineOf, historyPath } from "#harness/record/trend-history.ts";
import { evaluateClaims } from "#harness/report/claims.ts";
import { formatResult } from "#harness/report/table.ts";
import { writeReport } from "#harness/report/write.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { listenForStop } from "#bench/stop-signals.ts";
import { formatSeconds } from "#bench/text.ts";
import { givenBy, oneCell } from "./fleet-cell.ts";
import type { FleetPlanFlags, MergeFlags, PartFlags } from "./fleet-flags.ts";

/** Prints the plan, and puts it where its parts will meet. */
export async function planFleet(experiment: string, flags: FleetPlanFlags): Promise<void> {
  const { definition, cell, profile } = oneCell(experiment, flags);
  const address = parseObjectsAddress(flags.to, "--to");
  const clock = createSystemClock();
  const { startAt, clockToleranceMs, validity } = flags;
  const plan = makeFleetPlan({
    experiment: definition.id,
    profile,
    plan: cell,
    given: givenBy(flags),
    seed: flags.seed,
    parts: flags.parts,
    start:
      startAt === undefined
        ? { kind: "when-ready", graceMs: Math.max(100, flags.graceSeconds * 1_000) }
        : { kind: "at", atMs: startAt },
    lateLimitMs: flags.lateLimitMs,
    ...(clockToleranceMs !== undefined && { clockToleranceMs }),
    gatherSeconds: flags.gatherSeconds,
    ...(validity !== undefined && { validity }),
    objects: address.kind === "directory" ? `dir:${address.path}` : flags.to,
    git: describeGit(),
    command: process.argv.slice(2),
    nowMs: clock.nowMs(),
    suffix: randomUUID().slice(0, 4),
  });
  // What parts will read is checked before they do.
  const text = JSON.stringify(parseFleetPlan(JSON.stringify(plan), "fleet plan"), undefined, 2);
  const objects = await openObjects(plan.objects, { clock, where: "--to" });
  try {
    await publishPlan(plan, objects);
  } finally {
    objects.close();
  }
  say(
    `${plan.parts} parts, up to ${formatSeconds(plan.timeLimitSeconds)} each; the plan is in ${objects.place}`,
  );
  console.log(text);
}

export interface OpenedPlan {
  readonly plan: FleetPlan;
  readonly text: string;
  readonly objects: ObjectStore;
}

/** From a file, or from where parts meet. Rejects with `ConfigError`. */
export async function openPlan(source: string, clock: Clock): Promise<OpenedPlan> {
  if (/^(s3:\/\/|dir:)/.test(source)) {
    const objects = await openObjects(source, { clock, where: "--plan" });
    try {
      const plan = await fetchPlan(objects);
      return { plan, text: JSON.stringify(plan, undefined, 2), objects };
    } catch (error) {
      objects.close();
      throw error;
    }
  }
  let text: string;
  try {
    text = await readFile(source, "utf8");
  } catch (cause) {
    const what = `${source} cannot be read: ${describeError(cause)}`;
    throw new ConfigError([{ where: "--plan", what }], { cause });
  }
  const plan = parseFleetPlan(text, source);
  return { plan, text, objects: await openObjects(plan.objects, { clock, where: source }) };
}

/** The exit code: 3 after the start, 130 when it was stopped; nothing is left then. */
export async function runOnePart(flags: PartFlags): Promise<number> {
  const clock = createSystemClock({ precise: true });
  const { plan, objects } = await openPlan(flags.plan, clock);
  const stop = listenForStop(() => process.exit(exitCodes.interrupted));
  const directory = await mkdtemp(join(tmpdir(), "aft-bench-part-"));
  try {
    const index = indexOf(flags, plan);
    const attempt = flags.attempt ?? randomUUID();
    if (!attemptPattern.test(attempt)) {
      const what = "is no name: letters, digits and -, at most 64";
      throw new ConfigError([{ where: "--attempt", what }]);
    }
    const { kind } = await runPart({
      plan,
      index,
      attempt,
      objects,
      clock,
      signal: AbortSignal.any([stop.signal, AbortSignal.timeout(plan.timeLimitSeconds * 1_000)]),
      directory,
      here: describeHere(),
      say: flags.quiet === true ? () => {} : say,
    });
    const done = kind === "uploaded" ? "is" : "was already";
    if (flags.quiet !== true) say(`${partName(index, plan.parts)} ${done} in ${objects.place}`);
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof PartStoppedError && stop.signal.aborted) {
      say(describeError(error));
      return exitCodes.interrupted;
    }
    if (!(error instanceof StartMissedError)) throw error;
    say(`${error.code}: ${error.message}`);
    return exitCodes.invalid;
  } finally {
    stop.dispose();
    objects.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function indexOf({ index }: PartFlags, { parts }: FleetPlan): number {
  const given = process.env["JOB_COMPLETION_INDEX"];
  const chosen = index ?? (given === undefined || given === "" ? undefined : Number(given));
  if (chosen !== undefined && Number.isInteger(chosen) && chosen >= 0 && chosen < parts)
    return chosen;
  const where = index === undefined ? "JOB_COMPLETION_INDEX" : "--index";
  const what =
    chosen === undefined
      ? "which part is not said"
      : `${index ?? given} is none of the parts 0 to ${parts - 1}`;
  throw new ConfigError([{ where, what, hint: "--index N, as an Indexed Job sets it" }]);
}

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
    say(`${error.code}: ${describeError(error)}`);
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

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
