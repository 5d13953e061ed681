/** Goal  Tasks run once, in the order in which they are due, never early, never at once; cancelled ones never. */
import { expect, it } from "vitest";
import { PreciseTimers } from "./precise-timers.ts";
import { createSystemClock } from "./system-clock.ts";

const nowUs = (): number => performance.now() * 1_000;

/** Runs them all; the delays in the order in which they came, each with how early it was. */
async function run(delaysUs: readonly number[]): Promise<{ delayUs: number; earlyUs: number }[]> {
  const timers = new PreciseTimers(nowUs);
  const ran: { delayUs: number; earlyUs: number }[] = [];
  await new Promise<void>((resolve) => {
    for (const delayUs of delaysUs) {
      const dueUs = nowUs() + delayUs;
      timers.schedule(delayUs, () => {
        ran.push({ delayUs, earlyUs: dueUs - nowUs() });
        if (ran.length === delaysUs.length) resolve();
      });
    }
    expect(ran).toEqual([]);
  });
  return ran;
}

it("runs what is due first first, and nothing early", async () => {
  const ran = await run([20_000, 900, 0, 5_000, 1_600, 300]);
  expect(ran.map(({ delayUs }) => delayUs)).toEqual([0, 300, 900, 1_600, 5_000, 20_000]);
  // The scheduler's own look at the clock comes a little after the one here.
  for (const { earlyUs } of ran) expect(earlyUs).toBeLessThanOrEqual(0);
});

it("runs nothing that was cancelled, whether far or near", async () => {
  const timers = new PreciseTimers(nowUs);
  const ran: string[] = [];
  timers.schedule(30_000, () => ran.push("far")).cancel();
  const near = timers.schedule(400, () => ran.push("near"));
  timers.schedule(100, () => {
    near.cancel();
    ran.push("first");
  });
  await run([2_000]);
  expect(ran).toEqual(["first"]);
});

it("runs what a task schedules, after it", async () => {
  const timers = new PreciseTimers(nowUs);
  const ran: number[] = [];
  await new Promise<void>((resolve) => {
    timers.schedule(0, () => {
      timers.schedule(0, () => {
        ran.push(2);
        resolve();
      });
      ran.push(1);
    });
  });
  expect(ran).toEqual([1, 2]);
});

it("shares the origin of CLOCK_MONOTONIC with all processes", () => {
  const clock = createSystemClock();
  const before = Number(process.hrtime.bigint()) / 1_000;
  const between = clock.monotonicUs();
  const after = Number(process.hrtime.bigint()) / 1_000;
  // Whole microseconds, from an origin that is known to a part of one.
  expect(between).toBeGreaterThan(before - 3);
  expect(between).toBeLessThan(after + 3);
});
