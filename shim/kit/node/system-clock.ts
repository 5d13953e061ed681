import type { Clock, Timer } from "../clock.ts";
import { PreciseTimers } from "./precise-timers.ts";

/**
 * The machine's clocks. `monotonicUs` is CLOCK_MONOTONIC, whose origin all processes share.
 *
 * @param options.precise  Finish timers with an immediate loop (1-2 µs late instead of about
 *   600 µs, MEASURING rule 14) at the price of CPU during the last 1.5 ms. Off by default: only
 *   what paces load or emulates latency needs it.
 */
export function createSystemClock(options: { precise?: boolean } = {}): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicUs,
    schedule: options.precise === true ? schedulePrecisely : scheduleCoarsely,
    defer: (task) => {
      setImmediate(task);
    },
  };
}

/**
 * From the origin of `performance.now` to that of CLOCK_MONOTONIC: both count the same nanoseconds. `process.hrtime`
 * makes arrays or big integers at each call, and pollers call a hundred thousand times a second.
 */
const originUs = measureOriginUs();

/** What passes between two looks makes the origin seem earlier; of some pairs, the closest counts. */
function measureOriginUs(): number {
  let origin = -Infinity;
  for (let pair = 0; pair < 16; pair += 1) {
    const firstUs = Number(process.hrtime.bigint()) / 1_000;
    origin = Math.max(origin, firstUs - performance.now() * 1_000);
  }
  return origin;
}

function monotonicUs(): number {
  return Math.trunc(originUs + performance.now() * 1_000);
}

function scheduleCoarsely(delayUs: number, task: () => void): Timer {
  const handle = setTimeout(task, delayUs / 1_000);
  return {
    cancel: () => {
      clearTimeout(handle);
    },
  };
}

const precise = new PreciseTimers(monotonicUs);

function schedulePrecisely(delayUs: number, task: () => void): Timer {
  return precise.schedule(delayUs, task);
}
