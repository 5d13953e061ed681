/** @module What a capacity search found: the document of `run capacity --json`. */
import type { Cell, MachineDescription, NotRun, Percentile } from "./run.ts";

/**
 * `generator`: the load could not be made as planned, so nothing is known about the system there.
 * `unfit`: the machine was busy with something else.
 */
export type ProbeVerdict = "kept" | "missed" | "generator" | "unfit";

/** One offered load, tried once. */
export interface CapacityProbe {
  readonly ratePerSecond: number;
  readonly verdict: ProbeVerdict;
  /** Which term was missed, or why it was not valid. */
  readonly reasons: readonly string[];
  readonly runId: string;
  readonly directory: string;
  readonly responseTimeUsP50: Percentile;
  readonly responseTimeUsP99: Percentile;
  readonly throughputPerSecond: number;
  readonly anomalous: number;
}

/** One search from bracket to precision. */
export interface CapacityRepeat {
  /** Highest rate that kept the SLO; 0: none did. */
  readonly ratePerSecond: number;
  /** Lowest rate above it that did not; null: the search ended at its upper bound. */
  readonly ceilingPerSecond: number | null;
  readonly limitedBy: "slo" | "generator" | "search-bound";
  readonly probes: readonly CapacityProbe[];
}

export interface CapacityCell {
  readonly cell: Cell;
  readonly valid: boolean;
  readonly invalidReasons: readonly string[];
  readonly violated: readonly string[];
  /** Of the repeats; null where there is none. */
  readonly capacityPerSecond: {
    readonly median: number;
    readonly low: number;
    readonly high: number;
    readonly confidence: number;
  } | null;
  /** `generator` or `search-bound`: the system's capacity is at least what stands above. */
  readonly limitedBy: CapacityRepeat["limitedBy"] | null;
  readonly repeats: readonly CapacityRepeat[];
}

export interface CapacityResult {
  readonly schemaVersion: 1;
  readonly slo: string;
  readonly profile: string;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly state: "complete" | "partial";
  readonly precision: number;
  readonly cells: readonly CapacityCell[];
  readonly notRun: readonly NotRun[];
  readonly machine: MachineDescription;
}
