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

function environmentKey({ storage, platform }: CellPlan): string {
  return [storage.service, storage.emulation, platform.name, platform.invocation].join(" ");
}

function interleavingKey({ cell }: CellPlan): string {
  return JSON.stringify({ ...cell, system: "" });
}
