/**
 * @module Whether the machine's cores were used up while a run was measured, and by whom. Pure.
 *
 * Beyond that point a figure shows the machine: whatever is added only takes from the rest.
 */
import type { RunSummary } from "#harness/record/run.ts";

/** From here on whoever becomes ready waits for a core several times as long as it works. */
const fullShare = 0.85;
/** One event loop can use one core. */
const fullProcess = 0.95;
/** From this share of a transaction's time on, waiting for a core is what adding more would add to. */
const waitShare = 0.05;

export interface CoreUse {
  /** Cores by kind of process: `load`, `replicas`, `manager`, the store, `others`. */
  readonly byKind: Readonly<Record<string, number>>;
  readonly total: number;
  /** Time a transaction's processes were ready and waited for a core; absent in older records. */
  readonly waitMsPerTransaction?: number;
  /** Why nothing more fits; absent while there is room. */
  readonly saturated?: string;
}

export function coreUse(run: RunSummary, cores: number): CoreUse {
  const byKind = new Map<string, number>();
  let busiest = { name: "", used: 0 };
  for (const [name, used] of Object.entries(run.cpuCores)) {
    const kind = kindOf(name);
    byKind.set(kind, (byKind.get(kind) ?? 0) + used);
    if (used > busiest.used) busiest = { name, used };
  }
  byKind.set("others", run.fitness?.foreignCores ?? 0);
  const total = [...byKind.values()].reduce((sum, used) => sum + used, 0);
  const waitMs = waitOf(run);
  const saturated =
    total >= fullShare * cores
      ? `${total.toFixed(1)} of ${cores} cores in use`
      : busiest.used >= fullProcess
        ? `${busiest.name} uses ${busiest.used.toFixed(2)} of the one core it can`
        : waitMs !== undefined && waitMs * 1_000 >= waitShare * run.responseTimeUs.mean
          ? `a transaction waits ${waitMs.toFixed(1)} ms for one of ${cores} cores`
          : undefined;
  return {
    byKind: Object.fromEntries(byKind),
    total,
    ...(waitMs !== undefined && { waitMsPerTransaction: waitMs }),
    ...(saturated !== undefined && { saturated }),
  };
}

/** Of load and replicas, whose work a transaction waits for. */
function waitOf({ coreWaits, throughputPerSecond }: RunSummary): number | undefined {
  if (coreWaits === undefined || throughputPerSecond === 0) return undefined;
  const waited = Object.entries(coreWaits)
    .filter(([name]) => ["load", "replicas"].includes(kindOf(name)))
    .reduce((sum, [, seconds]) => sum + seconds, 0);
  return (waited / throughputPerSecond) * 1_000;
}

function kindOf(process: string): string {
  if (process === "replica" || process.startsWith("replica-")) return "replicas";
  return process.startsWith("manager-") ? "manager" : process;
}
