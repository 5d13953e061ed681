/** @module Mishaps of a cell: what its requests are to meet with, and what has happened. */
import type { FaultPlan } from "#harness/faults/plan.ts";
import type { MishapPlan } from "#harness/loadgen/request.ts";
import type { Measurements } from "#harness/record/measurements.ts";
import { mishapKinds } from "#workloads/functions/mishaps.ts";

export class MishapCount {
  readonly #counts = new Map<string, number>(mishapKinds.map((kind) => [kind, 0]));

  /** For whoever makes the load; empty for other fault plans. */
  planOf(faults: FaultPlan, seed: number): { readonly mishaps?: MishapPlan } {
    if (faults.kind !== "mishaps") return {};
    const onInjected = (kind: string): void => {
      this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    };
    return { mishaps: { rates: faults.rates, seed, onInjected } };
  }

  /** For the record; empty for other fault plans. */
  report(faults: FaultPlan): Pick<Measurements["faults"], "mishaps"> {
    return faults.kind === "mishaps" ? { mishaps: Object.fromEntries(this.#counts) } : {};
  }
}
