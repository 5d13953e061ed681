/** @module What latencies must have been, from the schedule and what the server itself did. Pure. */

export interface StalledServer {
  readonly delayUs: number;
  /** Monotonic. */
  readonly stall: { readonly startUs: number; readonly endUs: number };
}

/**
 * Response times of requests that came due at `dueUs`, if nothing but the server took time: its delay,
 * and standing still. A request whose answer falls into the standstill is answered at its end; one that
 * arrives in it is taken up then.
 */
export function trueResponseTimes(dueUs: readonly number[], server: StalledServer): number[] {
  const { delayUs, stall } = server;
  const duringStall = (at: number): boolean => at >= stall.startUs && at < stall.endUs;
  return dueUs.map((due) => {
    const takenUp = duringStall(due) ? stall.endUs : due;
    const answered = takenUp + delayUs;
    return (duringStall(answered) ? stall.endUs : answered) - due;
  });
}

/** The value at a quantile as HdrHistogram counts it: the smallest that so many are at or below. */
export function exactPercentile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}
