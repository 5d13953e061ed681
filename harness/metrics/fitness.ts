/**
 * @module Whether the machine is fit to be measured on, before and during a run; adapters over /proc,
 * /sys and the file system. What a machine does not tell is `null`, never guessed.
 */
import { readdirSync, readFileSync, statfsSync } from "node:fs";
import { availableParallelism, freemem, loadavg } from "node:os";
import type { FitnessWatch } from "#harness/record/measurements.ts";

/** Between two looks at frequency and memory. */
const sampleMs = 500;

export interface RunningFitness {
  stop(): FitnessWatch;
}

/** Watches from now on. `directory`: where the record will be written. */
export function watchFitness(directory: string): RunningFitness {
  const loadBefore = loadavg()[0] ?? 0;
  const before = cpuTimes();
  const ownBefore = ownCpuSeconds();
  let minFreeMiB = freeMemoryMiB();
  let minMHz = frequencyMHz();
  let maxMHz = minMHz;
  const timer = setInterval(() => {
    minFreeMiB = Math.min(minFreeMiB, freeMemoryMiB());
    const now = frequencyMHz();
    minMHz = lower(minMHz, now);
    maxMHz = higher(maxMHz, now);
  }, sampleMs);
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      const after = cpuTimes();
      const own = ownCpuSeconds() - ownBefore;
      const spent = before === null || after === null ? null : minus(after, before);
      return {
        loadAverageBefore: round(loadBefore),
        stealShare: spent === null || spent.total === 0 ? null : round(spent.steal / spent.total),
        foreignCores: spent === null ? null : foreignCores(spent, own),
        minFreeMemoryMiB: Math.round(Math.min(minFreeMiB, freeMemoryMiB())),
        freeDiskMiB: freeDiskMiB(directory),
        frequencyMHz: minMHz === null || maxMHz === null ? null : { min: minMHz, max: maxMHz },
      };
    },
  };
}

interface CpuTimes {
  /** Seconds over all cores. */
  readonly total: number;
  readonly busy: number;
  readonly steal: number;
}

const ticksPerSecond = 100;

function cpuTimes(): CpuTimes | null {
  const text = read("/proc/stat");
  if (text === undefined) return null;
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0] = (
    text.split("\n")[0] ?? ""
  )
    .split(/\s+/)
    .slice(1)
    .map((ticks) => Number(ticks) / ticksPerSecond);
  const busy = user + nice + system + irq + soft;
  return { total: busy + idle + wait + steal, busy, steal };
}

/** Cores that were used by processes that are not ours. */
function foreignCores(spent: CpuTimes, own: number): number {
  const seconds = spent.total / availableParallelism();
  return seconds === 0 ? 0 : round(Math.max(0, spent.busy - own) / seconds);
}

/** CPU of this process and everything it has started, also of what has ended and was waited for. */
function ownCpuSeconds(): number {
  const parents = new Map<number, number>();
  const seconds = new Map<number, number>();
  let entries: string[];
  try {
    entries = readdirSync("/proc");
  } catch {
    return 0;
  }
  for (const entry of entries) {
    const stat = /^\d+$/.test(entry) ? read(`/proc/${entry}/stat`) : undefined;
    if (stat === undefined) continue;
    // The name in parentheses may hold spaces; fields are counted from behind it.
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    parents.set(Number(entry), fields[1] ?? 0);
    const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0);
    seconds.set(Number(entry), ticks / ticksPerSecond);
  }
  let sum = 0;
  for (const [pid, own] of seconds) if (descendsFromUs(pid, parents)) sum += own;
  return sum;
}

function descendsFromUs(pid: number, parents: ReadonlyMap<number, number>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
    if (at === process.pid) return true;
  return false;
}

function freeMemoryMiB(): number {
  const available = /MemAvailable:\s+(\d+) kB/.exec(read("/proc/meminfo") ?? "")?.[1];
  return available === undefined ? freemem() / 1_048_576 : Number(available) / 1_024;
}

function freeDiskMiB(directory: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return Math.round((bavail * bsize) / 1_048_576);
  } catch {
    return null;
  }
}

/**
 * The fastest core's frequency: under load at least one core is busy, and idle ones slow down by
 * design. Virtual machines mostly do not say.
 */
function frequencyMHz(): number | null {
  let fastest: number | null = null;
  for (let core = 0; core < availableParallelism(); core += 1) {
    const text = read(`/sys/devices/system/cpu/cpu${core}/cpufreq/scaling_cur_freq`);
    if (text === undefined) return null;
    fastest = higher(fastest, Math.round(Number(text) / 1_000));
  }
  return fastest;
}

function lower(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

function higher(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

function minus(after: CpuTimes, before: CpuTimes): CpuTimes {
  return {
    total: after.total - before.total,
    busy: after.busy - before.busy,
    steal: after.steal - before.steal,
  };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
