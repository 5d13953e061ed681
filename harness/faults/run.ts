/** @module Carries a fault plan out at seeded times while a run goes on. */
import type { Clock, Timer } from "#kit/clock.ts";
import type { Prng } from "#kit/prng.ts";
import type { Platform } from "#harness/faas/port.ts";
import type { FaultPlan } from "./plan.ts";

export interface FaultReport {
  /** Kills that found a busy instance. */
  readonly instancesKilled: number;
  readonly attempts: number;
}

export interface RunningFaults {
  /** Stops at once; how much was broken. */
  stop(): Promise<FaultReport>;
}

/** Starts breaking things. Gaps are exponential, so that kills do not beat in step with anything. */
export function startFaults(options: {
  readonly plan: FaultPlan;
  readonly platform: Platform;
  readonly clock: Clock;
  readonly prng: Prng;
}): RunningFaults {
  const { plan, platform, clock, prng } = options;
  let timer: Timer | undefined;
  let stopped = false;
  let attempts = 0;
  let instancesKilled = 0;
  let killing: Promise<void> = Promise.resolve();

  const scheduleNext = (perSecond: number): void => {
    const gapUs = (-Math.log(1 - prng.next()) / perSecond) * 1_000_000;
    timer = clock.schedule(gapUs, () => {
      attempts += 1;
      killing = platform.killBusyInstances(1).then((killed) => {
        instancesKilled += killed;
        if (!stopped) scheduleNext(perSecond);
      });
    });
  };
  if (plan.kind === "kill-clients") scheduleNext(plan.perSecond);

  return {
    stop: async () => {
      stopped = true;
      timer?.cancel();
      await killing;
      return { attempts, instancesKilled };
    },
  };
}
