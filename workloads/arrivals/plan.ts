/**
 * @module How open-loop load arrives, as data. Pure.
 *
 * A plan and a seed fix every due time in advance (MEASURING rule 1): what the system does cannot
 * change what it is offered.
 */

/** A stretch of time over which the rate goes linearly from one value to another. */
export interface Stage {
  readonly seconds: number;
  readonly fromPerSecond: number;
  readonly toPerSecond: number;
}

export type ArrivalPlan =
  | { readonly kind: "constant"; readonly perSecond: number; readonly seconds: number }
  /** Exponential gaps: what many independent callers look like. */
  | { readonly kind: "poisson"; readonly perSecond: number; readonly seconds: number }
  /** Ramps and steps; `gaps` says whether arrivals are evenly spaced or a Poisson process. */
  | {
      readonly kind: "stages";
      readonly gaps: "even" | "poisson";
      readonly stages: readonly Stage[];
    }
  /** Due times taken from a file. */
  | {
      readonly kind: "trace";
      readonly source: string;
      /** Of the file's bytes, so that a record says which trace it was. */
      readonly sha256: string;
      /** Whole microseconds from the start, ascending. */
      readonly dueUs: readonly number[];
    };

/** What a manifest says of a plan: everything but a trace's own due times, which every request records. */
export function describeArrivals(plan: ArrivalPlan): Readonly<Record<string, unknown>> {
  if (plan.kind !== "trace") return { ...plan };
  const { dueUs, ...rest } = plan;
  return { ...rest, requests: dueUs.length };
}

/** Length of the load. A trace ends just behind its last due time. */
export function arrivalsUs(plan: ArrivalPlan): number {
  if (plan.kind === "trace") return (plan.dueUs.at(-1) ?? 0) + 1;
  const seconds = stagesOf(plan).reduce((sum, stage) => sum + stage.seconds, 0);
  return Math.round(seconds * 1_000_000);
}

/** Every plan but a trace is a row of stages. */
export function stagesOf(plan: Exclude<ArrivalPlan, { kind: "trace" }>): readonly Stage[] {
  if (plan.kind === "stages") return plan.stages;
  const { perSecond, seconds } = plan;
  return [{ seconds, fromPerSecond: perSecond, toPerSecond: perSecond }];
}

/** Requests to expect; exact for evenly spaced ones and traces. */
export function expectedArrivals(plan: ArrivalPlan): number {
  if (plan.kind === "trace") return plan.dueUs.length;
  const mean = stagesOf(plan).reduce(
    (sum, stage) => sum + (stage.seconds * (stage.fromPerSecond + stage.toPerSecond)) / 2,
    0,
  );
  return Math.round(mean);
}
