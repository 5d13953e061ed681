/**
 * @module Every due time of an arrival plan, computed before the load starts. Pure.
 *
 * One method for all rates: arrivals on the axis of expected requests (evenly spaced, or a Poisson
 * process of rate one) are mapped back through the integral of the rate. So a ramp is as exact as a
 * constant rate.
 */
import type { Prng } from "#kit/prng.ts";
import { type ArrivalPlan, type Stage, stagesOf } from "./plan.ts";

/** Due times in whole microseconds from the start, ascending; equal arguments give equal times. */
export function scheduleArrivals(plan: ArrivalPlan, prng: Prng): Float64Array {
  if (plan.kind === "trace") return Float64Array.from(plan.dueUs);
  const poisson = plan.kind === "poisson" || (plan.kind === "stages" && plan.gaps === "poisson");
  const due: number[] = [];
  let startUs = 0;
  /** Expected requests before this stage, and before the next arrival. */
  let before = 0;
  let next = poisson ? exponential(prng) : 0;
  for (const stage of stagesOf(plan)) {
    const expected = (stage.seconds * (stage.fromPerSecond + stage.toPerSecond)) / 2;
    while (next < before + expected) {
      due.push(Math.round(startUs + secondsInto(stage, next - before) * 1_000_000));
      next += poisson ? exponential(prng) : 1;
    }
    before += expected;
    startUs += stage.seconds * 1_000_000;
  }
  return Float64Array.from(due);
}

/** When a stage has brought so many requests: the inverse of the integral of its rate. */
function secondsInto({ seconds, fromPerSecond, toPerSecond }: Stage, requests: number): number {
  const slope = (toPerSecond - fromPerSecond) / seconds;
  // Stable for slopes near zero, where the usual root formula divides zero by zero.
  const root = Math.sqrt(Math.max(0, fromPerSecond ** 2 + 2 * slope * requests));
  return (2 * requests) / (fromPerSecond + root || Number.MIN_VALUE);
}

function exponential(prng: Prng): number {
  return -Math.log(1 - prng.next());
}
