/** @module Carries a fault plan out at seeded times while a run goes on. */
import type { Clock, Timer } from "#kit/clock.ts";
import type { Prng } from "#kit/prng.ts";
import type { Platform } from "#harness/faas/port.ts";
import type { FaultPlan, ProcessFault } from "./plan.ts";

/** Processes that can be hit, of whatever system. */
export interface FaultTargets {
  running(role: ProcessFault["role"]): readonly FaultTarget[];
}

export interface FaultTarget {
  readonly name: string;
  kill(): void;
  pause(): void;
  /** Of no effect on what runs or is gone. */
  resume(): void;
}

export interface FaultReport {
  /** Kills that found a busy instance. */
  readonly instancesKilled: number;
  readonly attempts: number;
  /** Processes that were killed or stopped. */
  readonly processesHit?: number;
}

export interface RunningFaults {
  /** Stops at once; how much was broken. */
  stop(): Promise<FaultReport>;
}

/** Starts breaking things; what was paused goes on when it is stopped. Of clients, gaps are exponential, so that kills do not beat in step with anything. */
export function startFaults(options: {
  readonly plan: FaultPlan;
  readonly platform: Platform;
  readonly clock: Clock;
  readonly prng: Prng;
  /** Absent: the system has no processes to hit. */
  readonly targets?: FaultTargets;
}): RunningFaults {
  const { plan, platform, clock, prng, targets } = options;
  if (plan.kind === "processes")
    return hitProcesses({ actions: plan.actions, clock, prng, targets });
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

function hitProcesses(options: {
  readonly actions: readonly ProcessFault[];
  readonly clock: Clock;
  readonly prng: Prng;
  readonly targets: FaultTargets | undefined;
}): RunningFaults {
  const { actions, clock, prng, targets } = options;
  const timers: Timer[] = [];
  const paused = new Set<FaultTarget>();
  let attempts = 0;
  let processesHit = 0;
  const hit = ({ role, what, count, forSeconds = 0 }: ProcessFault): void => {
    attempts += count;
    const running = [...(targets?.running(role) ?? [])].filter((one) => !paused.has(one));
    const doomed = Array.from({ length: Math.min(count, running.length) }, () =>
      running.splice(prng.nextInt(running.length), 1),
    ).flat();
    processesHit += doomed.length;
    for (const one of doomed) {
      if (what === "kill") {
        one.kill();
        continue;
      }
      one.pause();
      paused.add(one);
      timers.push(
        clock.schedule(forSeconds * 1_000_000, () => {
          paused.delete(one);
          one.resume();
        }),
      );
    }
  };
  for (const action of actions)
    timers.push(
      clock.schedule(action.atSeconds * 1_000_000, () => {
        hit(action);
      }),
    );
  return {
    stop: () => {
      for (const timer of timers) timer.cancel();
      for (const one of paused) one.resume();
      return Promise.resolve({ attempts, instancesKilled: 0, processesHit });
    },
  };
}
