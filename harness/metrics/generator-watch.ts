/**
 * @module Watches the load generator's own event loop while it makes load (MEASURING rule 6); an adapter.
 *
 * A timer that should fire every few milliseconds tells how long the process stood still: stopped,
 * starved of CPU, or busy with something long. It costs about 0.1 % of a core.
 */
import { performance } from "node:perf_hooks";
import type { GeneratorWatch } from "#harness/record/measurements.ts";

const tickMs = 10;

export interface RunningWatch {
  /** Since the start. May be called once. */
  stop(): GeneratorWatch;
}

export function watchGenerator(): RunningWatch {
  const before = performance.eventLoopUtilization();
  let lastMs = performance.now();
  let longestMs = 0;
  let stoodStillMs = 0;
  const look = (): void => {
    const nowMs = performance.now();
    const delayMs = nowMs - lastMs - tickMs;
    lastMs = nowMs;
    longestMs = Math.max(longestMs, delayMs);
    if (delayMs > tickMs) stoodStillMs += delayMs;
  };
  const timer = setInterval(look, tickMs);
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      look();
      const { utilization } = performance.eventLoopUtilization(before);
      return {
        longestStallMs: round(Math.max(0, longestMs)),
        stalledMs: round(stoodStillMs),
        utilization: round(utilization),
      };
    },
  };
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
