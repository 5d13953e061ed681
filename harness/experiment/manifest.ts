/** @module The manifest of a run: everything resolved, before it begins. */
import { join } from "node:path";
import type { Prng } from "#kit/prng.ts";
import { shortEventPausesMs } from "#harness/faas/local/platform.ts";
import { describeFaultPlan } from "#harness/faults/plan.ts";
import { describeLoad } from "#harness/loadgen/load.ts";
import { describeGit, describeMachine, describeVersions } from "#harness/metrics/machine.ts";
import type { RunLabel, RunManifest } from "#harness/record/run.ts";
import { withoutSecrets } from "#shim/storage/target.ts";
import type { CellPlan } from "./define.ts";
import type { Environment } from "./environment.ts";

/** What is the same for all runs of a process. */
export type Here = Pick<RunManifest, "git" | "machine" | "versions">;

export function describeHere(): Here {
  return { git: describeGit(), machine: describeMachine(), versions: describeVersions() };
}

/** `prng`: makes run ids of one millisecond different. */
export function describeRun(options: {
  readonly experiment: string;
  readonly about: Here;
  readonly profile: string;
  readonly mode: RunManifest["mode"];
  readonly seed: number;
  readonly command: readonly string[];
  readonly plan: CellPlan;
  readonly environment: Environment;
  readonly startedAtMs: number;
  readonly prng: Prng;
}): RunManifest {
  const { experiment, about, profile, mode, seed, command, plan, environment } = options;
  const { startedAtMs, prng } = options;
  const { place } = environment.platform;
  const time = new Date(startedAtMs).toISOString().replaceAll(/[-:.Z]/g, "");
  const suffix = prng
    .nextInt(36 ** 4)
    .toString(36)
    .padStart(4, "0");
  return {
    schemaVersion: 1,
    runId: `${time}-${plan.system}-${plan.storage.service}-${suffix}`,
    experiment,
    profile,
    mode,
    cell: plan.cell,
    labels: labelsOf(plan, environment),
    state: "running",
    startedAtMs: Math.round(startedAtMs),
    seeds: { seed },
    resolved: {
      workload: plan.workload.parameters,
      platform: {
        ...plan.platform,
        ...(plan.retriedBy === "platform" && {
          retriedBy: plan.retriedBy,
          // Of whoever else's endpoint they are not known.
          ...((place === undefined || place.details["emulator"] !== undefined) && {
            eventRetryPausesMs: [...shortEventPausesMs],
            lambdaWaitsMs: [60_000, 120_000],
          }),
        }),
        ...(place !== undefined && { ...place.details, place: place.name, onAws: place.onAws }),
      },
      system: { name: plan.system, ...environment.systems.get(plan.system)?.description },
      storage: {
        ...environment.storage.description,
        ...withoutSecrets({ target: environment.storage.target }).target,
      },
      load: describeLoad(plan.load),
      faults: {
        plan: describeFaultPlan(plan.faults),
        ...(plan.countEffects === true && { countEffects: true }),
      },
    },
    emulation: environment.emulation,
    versions: about.versions,
    git: about.git,
    machine: about.machine,
    command: command.length > 0 ? command : ["run"],
  };
}

/** `<outDirectory>/runs/<experiment>/<run-id>`. */
export function runDirectoryOf(outDirectory: string, manifest: RunManifest): string {
  return join(outDirectory, "runs", manifest.experiment, manifest.runId);
}

function labelsOf(
  { storage, platform, load }: CellPlan,
  environment: Pick<Environment, "platform" | "storage">,
): RunLabel[] {
  const { place } = environment.platform;
  const { target } = environment.storage;
  const isAwsApi = target.engine === "dynamodb" || target.engine === "s3";
  const emulatedStore = isAwsApi && target.endpoint !== undefined;
  const elsewhere = place !== undefined && !place.onAws;
  const isEmulator = emulatedStore || elsewhere;
  const kind: RunLabel =
    storage.emulation !== "none" ? "emulated" : isEmulator ? "emulator" : "measured";
  return [
    kind,
    load.model === "closed" ? "closed-loop" : "open-loop",
    ...(platform.invocation === "none" ? [] : ["invocation-emulated" as const]),
    ...(elsewhere ? ["not-measured-on-aws" as const] : []),
  ];
}
