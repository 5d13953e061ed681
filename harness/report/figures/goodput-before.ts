/** @module What goodput was before a fault: 100 % of the curves around it. Pure. */
import type { RunTimeline } from "#harness/record/run.ts";

/**
 * As the timeline has it; where the fault came too early for that, the mean of the whole slices before it, and
 * undefined without any.
 */
export function goodputBefore(timeline: RunTimeline | undefined): number | undefined {
  const { fault, slices = [], sliceSeconds = 0 } = timeline ?? {};
  if (fault === undefined || fault === null) return undefined;
  if (fault.throughputBefore !== null && fault.throughputBefore > 0) return fault.throughputBefore;
  const whole = slices.filter(({ atSeconds }) => atSeconds + sliceSeconds <= fault.fromSeconds);
  const sum = whole.reduce((total, { throughputPerSecond }) => total + throughputPerSecond, 0);
  return sum === 0 ? undefined : Math.round((sum / whole.length) * 10) / 10;
}
