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

export interface CoreUse {
  /** Cores by kind of process: `load`, `replicas`, `manager`, the store, `others`. */
  readonly byKind: Readonly<Record<string, number>>;
  readonly total: number;
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
  const saturated =
    total >= fullShare * cores
      ? `${total.toFixed(1)} of ${cores} cores in use`
      : busiest.used >= fullProcess
        ? `${busiest.name} uses ${busiest.used.toFixed(2)} of the one core it can`
        : undefined;
  return {
    byKind: Object.fromEntries(byKind),
    total,
    ...(saturated !== undefined && { saturated }),
  };
}

function kindOf(process: string): string {
  if (process === "replica" || process.startsWith("replica-")) return "replicas";
  return process.startsWith("manager-") ? "manager" : process;
}
