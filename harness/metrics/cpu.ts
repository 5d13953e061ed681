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

/** Measures cores used by named groups of processes from now until `stop`. */
export function watchCpu(groups: Readonly<Record<string, readonly number[]>>): {
  stop(): Record<string, number>;
} {
  const startedMs = performance.now();
  const before = totals(groups);
  return {
    stop: () => {
      const seconds = (performance.now() - startedMs) / 1_000;
      const after = totals(groups);
      const cores: Record<string, number> = {};
      for (const name of Object.keys(groups))
        cores[name] = Math.max(0, (after[name] ?? 0) - (before[name] ?? 0)) / seconds;
      return cores;
    },
  };
}

function totals(groups: Readonly<Record<string, readonly number[]>>): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [name, pids] of Object.entries(groups))
    sums[name] = pids.reduce((sum, pid) => sum + (cpuSeconds(pid) ?? 0), 0);
  return sums;
}
