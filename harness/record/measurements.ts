/** @module What was measured beside the requests: the rest of what a summary is computed from. */
import type { DistributionSummary } from "./run.ts";

/** What the generator's own event loop did while it made load. */
export interface GeneratorWatch {
  /** Longest time for which the process did nothing at all: stopped, starved or busy. */
  readonly longestStallMs: number;
  /** Sum of all delays of more than 10 ms. */
  readonly stalledMs: number;
  /** 0 … 1; a precise timer waits actively, so an open loop is busy whatever it does. */
  readonly utilization: number;
}

/** The machine around the run; `null`: it does not tell. */
export interface FitnessWatch {
  readonly loadAverageBefore: number;
  /** Share of CPU time the hypervisor gave to others. */
  readonly stealShare: number | null;
  /** Cores used by processes that are not the suite's. */
  readonly foreignCores: number | null;
  readonly minFreeMemoryMiB: number;
  readonly freeDiskMiB: number | null;
  /** Lowest and highest seen of the fastest core. */
  readonly frequencyMHz: { readonly min: number; readonly max: number } | null;
}

/** What became of an open loop's schedule, over all measured blocks. */
export interface OfferedLoad {
  readonly offered: number;
  readonly sent: number;
  /** Found no free slot within the bound. */
  readonly dropped: number;
  readonly timedOut: number;
  /** Still under way when the wait at the end was over. */
  readonly unanswered: number;
  readonly late: number;
  readonly maxInFlight: number;
  /** How late the scheduler came to due times; waiting for a slot is not in it. */
  readonly dispatchLatenessUs: DistributionSummary;
}

export interface Measurements {
  /** The parts in which the load ran; a summary's throughput is requests over their time. */
  readonly blocks: readonly {
    readonly block: number;
    readonly startUs: number;
    readonly endUs: number;
  }[];
  /** Growth over the measured blocks; null where it cannot be seen. */
  readonly storage: { readonly calls: number; readonly bytes: number } | null;
  readonly platform: { readonly coldStarts: number; readonly invocations: number };
  /** CPU over the measured blocks, in cores. */
  readonly cpuCores: Readonly<Record<string, number>>;
  readonly promises: readonly string[];
  readonly invalidReasons: readonly string[];
  /** True and worth knowing, but no reason to distrust the figures. */
  readonly notes?: readonly string[];
  /** Absent in closed loops. */
  readonly load?: OfferedLoad;
  /** Of all processes that made the load: the worst of each. */
  readonly generator?: GeneratorWatch;
  /** Each of several processes by itself, as it was judged. */
  readonly generators?: readonly {
    readonly generator: GeneratorWatch;
    readonly load?: OfferedLoad;
    /** CPU of the process, in cores. */
    readonly cores: number;
  }[];
  readonly fitness?: FitnessWatch & { readonly foreignCoresBefore: number | null };
  readonly faults: { readonly attempts: number; readonly instancesKilled: number };
}
