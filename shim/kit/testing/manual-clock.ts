/** @module A clock that only moves when told to, for tests. */
import type { Clock, Timer } from "../clock.ts";

export interface ManualClock extends Clock {
  /** Moves time on, running what is due in order; waits for promises in between. */
  advance(us: number): Promise<void>;
  /** Runs what was deferred and lets promises settle, without moving time. */
  settle(): Promise<void>;
}

interface Pending {
  readonly dueUs: number;
  readonly order: number;
  readonly task: () => void;
}

/** Rounds of promise callbacks waited for between two timers. */
const microtaskRounds = 30;

export function createManualClock(startMs = 1_700_000_000_000): ManualClock {
  let elapsedUs = 0;
  let order = 0;
  let pending: Pending[] = [];
  const add = (dueUs: number, task: () => void): Timer => {
    order += 1;
    const entry: Pending = { dueUs, order, task };
    pending.push(entry);
    return {
      cancel: () => {
        pending = pending.filter((other) => other !== entry);
      },
    };
  };
  const drain = async (): Promise<void> => {
    for (let round = 0; round < microtaskRounds; round += 1) await Promise.resolve();
  };
  const runUntil = async (untilUs: number): Promise<void> => {
    await drain();
    for (;;) {
      const [next] = pending
        .filter(({ dueUs }) => dueUs <= untilUs)
        .toSorted((a, b) => a.dueUs - b.dueUs || a.order - b.order);
      if (next === undefined) break;
      pending = pending.filter((other) => other !== next);
      elapsedUs = Math.max(elapsedUs, next.dueUs);
      next.task();
      await drain();
    }
    elapsedUs = untilUs;
  };
  return {
    nowMs: () => startMs + elapsedUs / 1_000,
    monotonicUs: () => elapsedUs,
    schedule: (delayUs, task) => add(elapsedUs + delayUs, task),
    defer: (task) => {
      add(elapsedUs, task);
    },
    advance: (us) => runUntil(elapsedUs + us),
    settle: () => runUntil(elapsedUs),
  };
}
