import { expect, it } from "vitest";
import type { Clock } from "#kit/clock.ts";
import { BusyPoll } from "./busy-poll.ts";

const limitUs = 100;

/** Requests at these gaps; how often the loop was kept awake between and after them. */
function looksAt(gapsUs: readonly number[], limit = limitUs): number {
  let nowUs = 0;
  let looks = 0;
  let deferred: (() => void) | undefined;
  const clock: Clock = {
    nowMs: () => 0,
    monotonicUs: () => nowUs,
    schedule: () => ({ cancel: () => {} }),
    defer: (task) => {
      looks += 1;
      deferred = task;
    },
  };
  /** Time passes in steps of 10 us, with a turn of the loop in each. */
  const pass = (us: number): void => {
    for (let step = 0; step < us; step += 10) {
      nowUs += 10;
      const task = deferred;
      deferred = undefined;
      task?.();
    }
  };
  const poll = new BusyPoll(clock, limit);
  for (const gap of gapsUs) {
    pass(gap);
    poll.noteRequest();
  }
  pass(10 * limitUs);
  expect(deferred).toBeUndefined();
  return looks;
}

it("keeps looking while requests come close together, and stops soon after the last", () => {
  const looks = looksAt(Array.from({ length: 200 }, () => 50));
  expect(looks).toBeGreaterThan(500);
  expect(looks).toBeLessThan(1_100);
});

it("sleeps where requests are rare, also after a burst", () => {
  expect(looksAt(Array.from({ length: 200 }, () => 1_000))).toBe(0);
  const burst = Array.from({ length: 100 }, () => 50);
  const rare = Array.from({ length: 200 }, () => 1_000);
  expect(looksAt([...burst, ...rare]) - looksAt(burst)).toBeLessThan(200);
});

it("never looks with a limit of 0", () => {
  expect(
    looksAt(
      Array.from({ length: 200 }, () => 50),
      0,
    ),
  ).toBe(0);
});
