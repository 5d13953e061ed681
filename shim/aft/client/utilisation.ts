/** @module How busy a process is; an adapter. */
import { type EventLoopUtilization, performance } from "node:perf_hooks";

/** Share of the time since the last call in which this process' event loop was busy; 0…1. */
export type Utilisation = () => number;

/** Starts looking at this process; each use is to have a watch of its own. */
export function watchUtilisation(): Utilisation {
  let last: EventLoopUtilization | undefined;
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}
