/**
 * @module A clock for counting: time moves only when told to, and only while nothing is under way.
 *
 * With it real engines, whose answers take as long as they take, are called the same number of
 * times in every run: no timer can fire between a request and its answer.
 */
import type { Clock, Timer } from "#kit/clock.ts";

export interface SteppedClock extends Clock {
  /** Moves time on, running due timers in order; before each and at the end `settle` is awaited. */
  advance(us: number, settle: () => Promise<void>): Promise<void>;
}

interface Pending {
  readonly dueUs: number;
  readonly order: number;
  readonly task: () => void;
}

export function createSteppedClock(startMs = 1_700_000_000_000): SteppedClock {
  let elapsedUs = 0;
  let order = 0;
  const pending = new Set<Pending>();
  const earliest = (untilUs: number): Pending | undefined =>
    [...pending]
      .filter(({ dueUs }) => dueUs <= untilUs)
      .toSorted((a, b) => a.dueUs - b.dueUs || a.order - b.order)[0];
  return {
    nowMs: () => startMs + Math.floor(elapsedUs / 1_000),
    monotonicUs: () => elapsedUs,
    schedule: (delayUs, task): Timer => {
      order += 1;
      const entry = { dueUs: elapsedUs + delayUs, order, task };
      pending.add(entry);
      return {
        cancel: () => {
          pending.delete(entry);
        },
      };
    },
    defer: (task) => {
      setImmediate(task);
    },
    advance: async (us, settle) => {
      const untilUs = elapsedUs + us;
      await settle();
      for (let next = earliest(untilUs); next !== undefined; next = earliest(untilUs)) {
        pending.delete(next);
        elapsedUs = Math.max(elapsedUs, next.dueUs);
        next.task();
        await settle();
      }
      elapsedUs = untilUs;
    },
  };
}
