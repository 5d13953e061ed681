/**
 * @module What a fleet is told before it starts: one document that fixes everything, so that parts on
 * machines that know nothing of each other make one load.
 *
 * Pure. Invariants:
 *   P1  Whatever two parts must agree on is in the plan; what is recorded names the plan by its hash.
 *   P2  A plan holds no secret: passwords are files of the part's machine, stores have none in their URL.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { ConfigError } from "#kit/errors.ts";
import type { LoadPlan } from "#harness/loadgen/load.ts";
import type { Validity } from "#harness/metrics/validity.ts";
import type { Cell, RunManifest } from "#harness/record/run.ts";
import type { StateSystemSpec } from "#shim/state/registry.ts";
import { arrivalsUs } from "#workloads/arrivals/plan.ts";
import type { WorkloadChoice } from "../../define.ts";

/** When all parts begin. */
export type FleetStart =
  /** Wall clock, fixed in advance: nobody waits for anybody. */
  | { readonly kind: "at"; readonly atMs: number }
  /** So long after the last part said that it is ready; the first part decides and writes it down. */
  | { readonly kind: "when-ready"; readonly graceMs: number };

export interface FleetPlan {
  readonly schemaVersion: 1;
  /** Of the merged run. */
  readonly runId: string;
  readonly experiment: string;
  readonly profile: string;
  readonly createdAtMs: number;
  readonly cell: Cell;
  readonly workload: WorkloadChoice;
  readonly seed: number;
  /** In one piece: nobody tells parts when a block ends. `slices` cut the record instead. */
  readonly load: LoadPlan;
  readonly slices: number;
  /** How functions open what is measured; it is up, and not the fleet's. */
  readonly system: StateSystemSpec;
  /** What is known of the store behind it, for the record. */
  readonly storage: Readonly<Record<string, unknown>>;
  readonly invocation: "lambda" | "none";
  readonly parts: number;
  readonly start: FleetStart;
  /** A part that began later makes the run invalid; so does a clock that is further off. */
  readonly lateLimitMs: number;
  /** Stated by whoever made the plan: no two clocks differ by more. Absent: what was measured counts. */
  readonly clockToleranceMs?: number;
  /** From a part's start until all have come. */
  readonly gatherSeconds: number;
  /** From a part's start to its end. */
  readonly timeLimitSeconds: number;
  readonly validity: Validity;
  /** Where parts meet: `s3://BUCKET/PREFIX?region=R&endpoint=URL` or `dir:PATH`. */
  readonly objects: string;
  readonly git: RunManifest["git"];
  readonly command: readonly string[];
}

const count = z.number().int().min(1);
const micros = z.number().min(0);
const stage = z.strictObject({
  seconds: z.number().positive(),
  fromPerSecond: micros,
  toPerSecond: micros,
});
const steady = { perSecond: z.number().positive(), seconds: z.number().positive() };
const arrivals = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("constant"), ...steady }),
  z.strictObject({ kind: z.literal("poisson"), ...steady }),
  z.strictObject({
    kind: z.literal("stages"),
    gaps: z.enum(["even", "poisson"]),
    stages: z.array(stage).min(1),
  }),
  z.strictObject({
    kind: z.literal("trace"),
    source: z.string(),
    sha256: z.string(),
    dueUs: z.array(z.number().int().min(0)),
  }),
]);
const load = z.discriminatedUnion("model", [
  z.strictObject({
    model: z.literal("closed"),
    clients: count,
    requestsPerClient: count,
    seconds: z.number().positive().exactOptional(),
    thinkTimeUs: micros,
    warmUpRequestsPerClient: z.number().int().min(0),
    blocks: z.literal(1),
    generators: count,
  }),
  z.strictObject({
    model: z.literal("open"),
    arrivals,
    slots: count,
    slotWaitUs: micros,
    timeoutUs: micros,
    drainUs: micros,
    warmUpSeconds: micros,
    blocks: z.literal(1),
    generators: count,
  }),
]);
const factor = z.union([z.string(), z.number(), z.boolean()]);

/** More would be a fleet nobody has tried, and an index file nobody reads. */
export const mostParts = 1_000;

const fleetPlan = z.strictObject({
  schemaVersion: z.literal(1),
  runId: z.string().regex(/^[A-Za-z0-9-]{1,100}$/),
  experiment: z.string().regex(/^[a-z0-9-]+$/),
  profile: z.string(),
  createdAtMs: z.number(),
  cell: z
    .looseObject({
      workload: z.string(),
      platform: z.string(),
      system: z.string(),
      storage: z.string(),
      emulation: z.string(),
      faults: z.string(),
      zipfTheta: z.number(),
      clients: z.number().int(),
    })
    .catchall(factor),
  workload: z.strictObject({
    name: z.string(),
    parameters: z.record(z.string(), z.union([z.string(), z.number()])),
  }),
  seed: z.number().int(),
  load,
  slices: count.max(100),
  system: z.strictObject({ system: z.string(), options: z.record(z.string(), z.unknown()) }),
  storage: z.record(z.string(), z.unknown()),
  invocation: z.enum(["lambda", "none"]),
  parts: count.max(mostParts),
  start: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("at"), atMs: z.number().positive() }),
    z.strictObject({ kind: z.literal("when-ready"), graceMs: z.number().min(100) }),
  ]),
  lateLimitMs: z.number().positive(),
  clockToleranceMs: z.number().min(0).exactOptional(),
  gatherSeconds: z.number().positive(),
  timeLimitSeconds: z.number().positive(),
  validity: z.enum(["strict", "relaxed"]),
  objects: z.string(),
  git: z.strictObject({ commit: z.string(), dirty: z.boolean() }),
  command: z.array(z.string()),
});

/** `where`: the file or address it was read from. @throws ConfigError with every problem */
export function parseFleetPlan(text: string, where: string): FleetPlan {
  const hint = "made by aft-bench fleet plan, and not changed since";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ConfigError([{ where, what: "is no JSON", hint }], { cause });
  }
  const parsed = fleetPlan.safeParse(value);
  if (!parsed.success) {
    const what = `is no fleet plan: ${z.prettifyError(parsed.error)}`;
    throw new ConfigError([{ where, what, hint }]);
  }
  const plan = value as FleetPlan;
  const { generators } = plan.load;
  if (generators !== plan.parts) {
    const what = `its load is for ${generators} generators, and it has ${plan.parts} parts`;
    throw new ConfigError([{ where, what, hint }]);
  }
  return plan;
}

/** Of what the plan says, whatever the order or spacing of its text. */
export function hashOfPlan(plan: FleetPlan): string {
  return createHash("sha256").update(canonicalJson(plan)).digest("hex");
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`);
  return `{${fields.join(",")}}`;
}

/** Of the load itself, from the start to the last answer; a closed loop of requests: as estimated. */
export function loadSeconds(plan: LoadPlan, estimateSeconds: number): number {
  if (plan.model === "closed") return plan.seconds ?? estimateSeconds;
  return (arrivalsUs(plan.arrivals) + plan.drainUs) / 1_000_000;
}

/** Length of the load by its schedule, in which `slices` are cut; `undefined`: it has none. */
export function scheduledUs({ load: of }: FleetPlan): number | undefined {
  if (of.model === "open") return arrivalsUs(of.arrivals);
  return of.seconds === undefined ? undefined : of.seconds * 1_000_000;
}
