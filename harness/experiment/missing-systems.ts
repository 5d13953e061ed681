/** @module Which systems cannot run here because an npm package of theirs is not installed. */
import type { NotAvailableError } from "#kit/errors.ts";
import { missingFor } from "#shim/state/registry.ts";
import type { CellPlan } from "./define.ts";

/** By name, in the order of the cells. `external`: systems from outside, which bring what they need. */
export async function missingSystems(
  cells: readonly Pick<CellPlan, "system">[],
  external: { has(system: string): boolean },
  why: typeof missingFor = missingFor,
): Promise<ReadonlyMap<string, NotAvailableError>> {
  const missing = new Map<string, NotAvailableError>();
  for (const system of new Set(cells.map((cell) => cell.system))) {
    if (external.has(system)) continue;
    const error = await why(system);
    if (error !== undefined) missing.set(system, error);
  }
  return missing;
}
