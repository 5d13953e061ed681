import type { Clock, Timer } from "../clock.ts";

/** A plain timer is up to a millisecond late, so the last stretch is waited for by immediates. */
const tailUs = 1_500;

/**
 * The machine's clocks. `monotonicUs` is CLOCK_MONOTONIC, whose origin all processes share.
 *
 * @param options.precise  Finish timers with an immediate loop (1-2 µs late instead of about
 *   600 µs, MEASURING rule 14) at the price of CPU during the last 1.5 ms. Off by default: only
 *   what paces load or emulates latency needs it.
 */
export function createSystemClock(options: { precise?: boolean } = {}): Clock {
  const schedule = options.precise === true ? schedulePrecisely : scheduleCoarsely;
  return {
    nowMs: () => Date.now(),
    monotonicUs,
    schedule,
    defer: (task) => {
      setImmediate(task);
    },
  };
}

function monotonicUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000_000 + Math.trunc(nanoseconds / 1_000);
}

function scheduleCoarsely(delayUs: number, task: () => void): Timer {
  const handle = setTimeout(task, delayUs / 1_000);
  return {
    cancel: () => {
      clearTimeout(handle);
    },
  };
}

function schedulePrecisely(delayUs: number, task: () => void): Timer {
  const dueUs = monotonicUs() + delayUs;
  let cancelled = false;
  const finish = (): void => {
    if (cancelled) return;
    if (monotonicUs() >= dueUs) task();
    else setImmediate(finish);
  };
  const coarseUs = delayUs - tailUs;
  const handle = coarseUs > 0 ? setTimeout(finish, Math.floor(coarseUs / 1_000)) : undefined;
  if (handle === undefined) setImmediate(finish);
  return {
    cancel: () => {
      cancelled = true;
      clearTimeout(handle);
    },
  };
}
