/** @module What was measured beside the requests: the rest of what a summary is computed from. */
import type { LimitProbe } from "./effects.ts";
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

/** Something that happened to the system's processes, on the requests' own time axis. */
export interface SystemEvent {
  readonly atUs: number;
  /**
   * `kill`, `pause`, `resume`: done to it by the fault plan. `dead`: a fault manager declared it so.
   * `launch`: the manager asked for another one. `started`: a process says that it serves. `serving`: a
   * transaction committed through it. `exited`, `rejoining`, …
   */
  readonly kind: string;
  /** Name or address of the process. */
  readonly who: string;
}

/** What the fault manager said of its collection, once a second. */
export interface CollectionSample {
  readonly atUs: number;
  readonly collectedTotal: number;
  /** Superseded, and not yet collected. */
  readonly waiting: number;
  readonly knownTransactions: number;
}

/** Whether what was acknowledged is still there, asked of every replica after the load. */
export interface DurabilityCheck {
  /** Requests of this run that were told "committed", warm-up and fill included. */
  readonly acknowledged: number;
  /** Replicas asked. */
  readonly replicas: number;
  /** Keys read at each of them. */
  readonly keys: number;
  /** Acknowledged commits that some replica has no trace of: neither they nor what superseded them. */
  readonly lost: number;
  readonly examples: readonly string[];
}

/** Objects in storage. */
export interface StorageSize {
  readonly versions: number;
  /** Names in the commit set, of whatever kind. */
  readonly records: number;
}

/** Storage behind each block, and how long it took to drain after the load. */
export interface StorageDrain {
  readonly behindBlocks: readonly StorageSize[];
  /** From the end of the load until nothing superseded was left; null: not within the limit. */
  readonly seconds: number | null;
  readonly limitSeconds: number;
  /** At the end of that time. */
  readonly left: StorageSize;
  /** Transactions that wrote the newest version of a key, and all versions that these wrote. */
  readonly live: StorageSize;
  readonly replicas: number;
}

export interface Measurements {
  /** The parts in which the load ran; a summary's throughput is requests over their time. */
  readonly blocks: readonly {
    readonly block: number;
    readonly startUs: number;
    readonly endUs: number;
  }[];
  /** Growth over the measured blocks; null where it cannot be seen. */
  readonly storage: {
    readonly calls: number;
    readonly bytes: number;
    /** Reads and writes, summed up; absent in older records. */
    readonly waitedUs?: number;
    /** What the calls carried, by direction; absent in older records. */
    readonly itemsRead?: number;
    readonly itemsWritten?: number;
    readonly bytesRead?: number;
    readonly bytesWritten?: number;
  } | null;
  readonly platform: { readonly coldStarts: number; readonly invocations: number };
  /** CPU over the measured blocks, in cores. */
  readonly cpuCores: Readonly<Record<string, number>>;
  /** Main threads that were ready and waited for a core, on average; absent in older records. */
  readonly coreWaits?: Readonly<Record<string, number>>;
  readonly promises: readonly string[];
  readonly invalidReasons: readonly string[];
  /** By which limits it was judged; absent in older records, which were relaxed. */
  readonly validity?: string;
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
  readonly faults: {
    readonly attempts: number;
    readonly instancesKilled: number;
    readonly processesHit?: number;
    /** How often each kind of mishap has happened. */
    readonly mishaps?: Readonly<Record<string, number>>;
  };
  /** Of a system of several processes. */
  readonly events?: readonly SystemEvent[];
  readonly collection?: readonly CollectionSample[];
  readonly durability?: DurabilityCheck;
  readonly drain?: StorageDrain;
  readonly limits?: readonly LimitProbe[];
}
