/**
 * @module From a cell of an experiment and what is up already to a fleet's plan; refuses what a fleet cannot
 * do before anything is written.
 */
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";
import { concurrencyOf } from "#harness/loadgen/load.ts";
import { type Validity, validityOf } from "#harness/metrics/validity.ts";
import type { RunManifest } from "#harness/record/run.ts";
import type { StateSystemSpec } from "#shim/state/registry.ts";
import type { StorageTarget } from "#shim/storage/target.ts";
import type { CellPlan } from "../../define.ts";
import type { ObjectStore } from "./objects.ts";
import {
  type FleetPlan,
  type FleetStart,
  hashOfPlan,
  loadSeconds,
  mostParts,
  parseFleetPlan,
} from "./plan.ts";

/** A system that is up: its replicas, or the store itself. */
export interface GivenSystem {
  /** What functions of `direct` open, and what a record says of the store behind `aft`. */
  readonly store?: StorageTarget;
  /** Replicas of `aft`, `host:port`. */
  readonly endpoints: readonly string[];
  readonly username?: string;
  /** Files of the parts' machines. */
  readonly passwordFile?: string;
  readonly caFile?: string;
}

export interface FleetPlanRequest {
  readonly experiment: string;
  readonly profile: string;
  readonly plan: CellPlan;
  readonly given: GivenSystem;
  readonly seed: number;
  readonly parts: number;
  readonly start: FleetStart;
  readonly lateLimitMs: number;
  readonly clockToleranceMs?: number;
  readonly gatherSeconds: number;
  readonly validity?: Validity;
  readonly objects: string;
  readonly git: RunManifest["git"];
  readonly command: readonly string[];
  readonly nowMs: number;
  /** Makes plans of one millisecond different: a few letters and digits. */
  readonly suffix: string;
}

/** Of opening connections, of writing and uploading a record: generous, for it only bounds hangs. */
const aroundSeconds = 90;
/** Replicas of a cluster: as the suite's own clients do it. */
const clusterClient = { timeoutMs: 3_000, refreshMs: 500 };

/** @throws ConfigError with every problem */
export function makeFleetPlan(request: FleetPlanRequest): FleetPlan {
  const problems = problemsOf(request);
  if (problems.length > 0) throw new ConfigError(problems);
  const { experiment, profile, plan, parts, gatherSeconds, given, nowMs, clockToleranceMs } =
    request;
  const time = new Date(nowMs).toISOString().replaceAll(/[-:.Z]/g, "");
  const load = { ...plan.load, blocks: 1, generators: parts };
  const { target } = { target: given.store };
  return {
    schemaVersion: 1,
    runId: `${time}-${plan.system}-${plan.storage.service}-${request.suffix}`,
    experiment,
    profile,
    createdAtMs: nowMs,
    cell: { ...plan.cell, platform: "inline", parts },
    workload: plan.workload,
    seed: request.seed,
    load,
    slices: plan.load.blocks,
    system: systemOf(request),
    storage: {
      ...(target ?? { engine: plan.storage.service }),
      startedBy: "somebody else",
    },
    invocation: plan.platform.invocation,
    parts,
    start: request.start,
    lateLimitMs: request.lateLimitMs,
    ...(clockToleranceMs !== undefined && { clockToleranceMs }),
    gatherSeconds,
    timeLimitSeconds: Math.ceil(
      waitSeconds(request) + loadSeconds(plan.load, plan.estimateSeconds) + aroundSeconds,
    ),
    validity: request.validity ?? validityOf(profile),
    objects: request.objects,
    git: request.git,
    command: request.command,
  };
}

/** From a part's start to the agreed one, at most. */
function waitSeconds({ start, gatherSeconds, nowMs }: FleetPlanRequest): number {
  if (start.kind === "when-ready") return gatherSeconds + start.graceMs / 1_000;
  return Math.max(gatherSeconds, (start.atMs - nowMs) / 1_000);
}

function systemOf({ plan, given }: FleetPlanRequest): StateSystemSpec {
  const { endpoints, username, passwordFile, caFile, store } = given;
  if (plan.system === "direct")
    return { system: "direct", options: { storage: { target: store } } };
  const [endpoint] = endpoints;
  const isCluster = endpoints.length > 1 || plan.cluster !== undefined;
  return {
    system: plan.system,
    options: {
      ...(isCluster ? { endpoints, ...clusterClient } : { endpoint }),
      ...(plan.exactlyOnce === true && !isCluster && { exactlyOnce: true }),
      ...(username !== undefined && { username }),
      ...(passwordFile !== undefined && { passwordFile }),
      ...(caFile !== undefined && { tls: { caFile } }),
    },
  };
}

function problemsOf(request: FleetPlanRequest): ConfigProblem[] {
  const { plan, given, parts, start, nowMs } = request;
  const problems: ConfigProblem[] = [];
  const refuse = (where: string, what: string, hint: string): void => {
    problems.push({ where, what, hint });
  };
  const { system, storage, faults, load } = plan;
  if (!["direct", "aft"].includes(system))
    refuse("--only", `a fleet opens direct or aft, not ${system}`, "--only system:aft");
  if (storage.emulation !== "none")
    refuse("--only", "what is up already is not emulated", "--only emulation:none");
  if (faults.kind !== "none")
    refuse("--only", "a fleet breaks nothing", "--only faults:none, or run on one machine");
  if (plan.coldBlocks === true || plan.retriedBy !== undefined)
    refuse("fleet plan", "a fleet runs functions in its parts", "another experiment");
  if (!Number.isInteger(parts) || parts < 1 || parts > mostParts)
    refuse("--parts", `must be a whole number from 1 to ${mostParts}`, "machines that make load");
  else if (concurrencyOf(load) < parts)
    refuse(
      "--parts",
      `${parts} parts cannot share ${concurrencyOf(load)} clients or slots`,
      "every part needs one at least: --clients or --slots",
    );
  if (start.kind === "at" && start.atMs <= nowMs)
    refuse("--start-at", "is over already", "a time to come, or leave it out");
  problems.push(...systemProblems(plan, given));
  return problems;
}

function systemProblems({ system, storage }: CellPlan, given: GivenSystem): ConfigProblem[] {
  const { store, endpoints } = given;
  const problems: ConfigProblem[] = [];
  const engine = storage.service === "redis-cluster" ? "redis" : storage.service;
  if (store !== undefined && store.engine !== engine) {
    const what = `is ${store.engine}, and the cell is about ${storage.service}`;
    problems.push({ where: "--store", what, hint: `--only storage:${store.engine}` });
  }
  if (system === "direct") {
    if (store === undefined || store.engine === "memory") {
      const what = "functions of direct need a store that all parts reach";
      problems.push({
        where: "--store",
        what,
        hint: "redis://HOST:PORT, dynamodb:TABLE, s3://BUCKET",
      });
    }
    return problems;
  }
  if (endpoints.length === 0) {
    const what = "functions of aft need replicas that are up";
    problems.push({ where: "--aft", what, hint: "HOST:PORT,HOST:PORT" });
  }
  for (const endpoint of endpoints)
    if (!/^[A-Za-z0-9.-]+:\d{1,5}$/.test(endpoint))
      problems.push({ where: "--aft", what: `"${endpoint}" is not HOST:PORT` });
  return problems;
}

const planName = "plan.json";

/** Puts the plan where its parts will meet. Rejects with `ConfigError` if another plan's are there. */
export async function publishPlan(plan: FleetPlan, objects: ObjectStore): Promise<void> {
  const there = await objects.get(planName);
  if (there !== undefined) {
    const earlier = parseFleetPlan(
      Buffer.from(there).toString(),
      `${planName} in ${objects.place}`,
    );
    if (hashOfPlan(earlier) === hashOfPlan(plan)) return;
    const what = `${objects.place} holds the parts of another plan, ${earlier.runId}`;
    throw new ConfigError([{ where: "--to", what, hint: "every plan needs a prefix of its own" }]);
  }
  await objects.put(planName, `${JSON.stringify(plan, undefined, 2)}\n`);
}

/** From where parts meet. Rejects with `ConfigError` if there is none. */
export async function fetchPlan(objects: ObjectStore): Promise<FleetPlan> {
  const where = `${planName} in ${objects.place}`;
  const content = await objects.get(planName);
  if (content !== undefined) return parseFleetPlan(Buffer.from(content).toString(), where);
  throw new ConfigError([
    { where, what: "is not there", hint: "aft-bench fleet plan … puts it there" },
  ]);
}
