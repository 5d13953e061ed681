/** @module CPU time of processes, from /proc; an adapter. */
import { readFileSync } from "node:fs";

/** Clock ticks per second of /proc/PID/stat; fixed on Linux as user space sees it. */
const ticksPerSecond = 100;

/** CPU seconds of a process so far; `undefined` where it is gone or there is no /proc. */
export function cpuSeconds(pid: number): number | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The name in parentheses may hold spaces; fields are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Seconds the main thread of a process was ready and waited for a core; `undefined` as above. */
export function coreWaitSeconds(pid: number): number | undefined {
  try {
    // Nanoseconds on a core, nanoseconds waiting for one, times on one.
    const [, waited = ""] = readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ");
    return Number(waited) / 1e9;
  } catch {
    return undefined;
  }
}

/** By name of a group. */
export interface CoresUsed {
  readonly used: Readonly<Record<string, number>>;
  /** Main threads waiting for a core, on average. */
  readonly waited: Readonly<Record<string, number>>;
}

/** Measures cores used by named groups of processes from now until `stop`. */
export function watchCpu(groups: Readonly<Record<string, readonly number[]>>): {
  stop(): CoresUsed;
} {
  const startedMs = performance.now();
  const usedBefore = totals(groups, cpuSeconds);
  const waitedBefore = totals(groups, coreWaitSeconds);
  return {
    stop: () => {
      const seconds = (performance.now() - startedMs) / 1_000;
      const rates = (
        before: Readonly<Record<string, number>>,
        after: Readonly<Record<string, number>>,
      ): Record<string, number> =>
        Object.fromEntries(
          Object.entries(after).map(([name, total]) => [
            name,
            Math.max(0, total - (before[name] ?? 0)) / seconds,
          ]),
        );
      return {
        used: rates(usedBefore, totals(groups, cpuSeconds)),
        waited: rates(waitedBefore, totals(groups, coreWaitSeconds)),
      };
    },
  };
}

function totals(
  groups: Readonly<Record<string, readonly number[]>>,
  secondsOf: (pid: number) => number | undefined,
): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [name, pids] of Object.entries(groups))
    sums[name] = pids.reduce((sum, pid) => sum + (secondsOf(pid) ?? 0), 0);
  return sums;
}
