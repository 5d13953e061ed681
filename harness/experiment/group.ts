/**
 * @module Which cells share an environment and which are interleaved. Pure.
 *
 * Cells that differ only in their system are run as alternating blocks (MEASURING rule 7), so both
 * systems' processes are up at the same time. Groups that need the same environment follow one
 * another, so that servers are started once.
 */
import type { CellPlan } from "./define.ts";

/** Cells that differ only in `system`: compared as a ratio, run in alternating blocks. */
export interface CellGroup {
  readonly plans: readonly CellPlan[];
}

/** Groups that use the same store, emulation and platform. */
export interface EnvironmentGroup {
  readonly key: string;
  readonly groups: readonly CellGroup[];
}

/** Sorts cells into environments, keeping the order of first appearance. */
export function groupCells(plans: readonly CellPlan[]): EnvironmentGroup[] {
  const environments = new Map<string, Map<string, CellPlan[]>>();
  for (const plan of plans) {
    const key = environmentKey(plan);
    const groups = environments.get(key) ?? new Map<string, CellPlan[]>();
    environments.set(key, groups);
    const groupKey = interleavingKey(plan);
    groups.set(groupKey, [...(groups.get(groupKey) ?? []), plan]);
  }
  return [...environments].map(([key, groups]) => ({
    key,
    groups: [...groups.values()].map((members) => ({ plans: members })),
  }));
}

/** Everything that can run in one environment, over several experiments, in the order of appearance. */
export function shareEnvironments<Definition>(
  parts: readonly { readonly definition: Definition; readonly cells: readonly CellPlan[] }[],
): { readonly definition: Definition; readonly groups: readonly CellGroup[] }[][] {
  const shared = new Map<
    string,
    { readonly definition: Definition; readonly groups: readonly CellGroup[] }[]
  >();
  for (const { definition, cells } of parts)
    for (const { key, groups } of groupCells(cells)) {
      const users = shared.get(key) ?? [];
      users.push({ definition, groups });
      shared.set(key, users);
    }
  return [...shared.values()];
}

function environmentKey(plan: CellPlan): string {
  const {
    storage,
    platform,
    cluster,
    coarseTimers,
    exactlyOnce,
    coldBlocks,
    retriedBy = "",
  } = plan;
  const { replicas = 0, preload = 0, beside = "" } = cluster ?? {};
  const size = `${replicas} ${preload} ${beside}`;
  const timers = coarseTimers === true ? "coarse" : "";
  const once = exactlyOnce === true ? "once" : "";
  const cold = coldBlocks === true ? "cold" : "";
  const { name, invocation } = platform;
  return [
    storage.service,
    storage.emulation,
    name,
    invocation,
    size,
    timers,
    once,
    cold,
    retriedBy,
  ].join(" ");
}

function interleavingKey({ cell }: CellPlan): string {
  return JSON.stringify({ ...cell, system: "" });
}
