/**
 * @module What an experiment is: typed data that says which cells to run at which size.
 *
 * An experiment never runs anything itself; the command line selects and overrides, `run-suite.ts`
 * performs. Adding one is a file in bench/experiments and a line in its registry.
 */
import type { FaultPlan } from "#harness/faults/plan.ts";
import type { LoadPlan } from "#harness/loadgen/load.ts";
import type { Cell } from "#harness/record/run.ts";
import type { ManagerSettings } from "#shim/aft/cluster/manager.ts";
import type { ClusterSettings } from "#shim/aft/cluster/port.ts";
import type { ReplicaSettings } from "#shim/aft/replica/options.ts";
import type { EmulationProfileName } from "#shim/storage/emulated/profiles.ts";

export type ProfileName = "smoke" | "quick" | "standard" | "paper";
export const profileNames: readonly ProfileName[] = ["smoke", "quick", "standard", "paper"];

export interface WorkloadChoice {
  /** Registered name. */
  readonly name: string;
  readonly parameters: Readonly<Record<string, string | number>>;
  /** Absolute path of a module outside this repository; absent for registered ones. */
  readonly modulePath?: string;
}

/** AFT as processes that share the store. */
export interface ClusterPlan {
  readonly replicas: number;
  /** None: nothing is deleted from storage, and nobody is replaced. */
  readonly managers: number;
  readonly settings?: Partial<ReplicaSettings>;
  readonly cluster?: Partial<Omit<ClusterSettings, "seeds">>;
  readonly manager?: Partial<ManagerSettings>;
  /**
   * Clusters of one size are the same one, however many cells use it. Those that differ in settings and
   * are to be compared in alternating blocks share this name, and have systems of different names.
   */
  readonly beside?: string;
  /** Live commit records that are in the store before the cluster starts. */
  readonly preload?: number;
}

/** What is looked at after the load, beside what every run is judged by. */
export type AfterLoad =
  /** Whether every acknowledged commit, or what superseded it, is there at every replica. */
  | "durability"
  /** How long storage takes to drain to live versions, and its size behind every block. */
  | "drain";

/** One cell and everything needed to run it, before seeds. */
export interface CellPlan {
  readonly cell: Cell;
  readonly storage: {
    /** Registered name, or that of the module. */
    readonly service: string;
    readonly emulation: EmulationProfileName | "none";
    readonly modulePath?: string;
  };
  readonly system: string;
  /** Absent: one replica, which collects garbage itself. */
  readonly cluster?: ClusterPlan;
  /**
   * Emulated latencies end up to a millisecond late instead of costing the last 1.5 ms in CPU: for
   * cells with so many emulated waits at once that they would measure nothing else.
   */
  readonly coarseTimers?: boolean;
  readonly after?: readonly AfterLoad[];
  /**
   * Counts are read off this cell and no times: what makes its times untrustworthy is noted, and does
   * not make it invalid. It is not compared in time either.
   */
  readonly countsOnly?: boolean;
  readonly platform: {
    readonly name: string;
    /** Emulated latency of one invocation, laid over the platform. */
    readonly invocation: "lambda" | "none";
    readonly modulePath?: string;
  };
  readonly workload: WorkloadChoice;
  readonly load: LoadPlan;
  readonly faults: FaultPlan;
  /** Of `aft` on one replica: all attempts of a request are one. On a cluster they always are. */
  readonly exactlyOnce?: boolean;
  /** Requests are sent as events, and the platform tries them again; absent: the driver does. */
  readonly retriedBy?: "platform";
  /** Functions are deployed anew before every block, and of each request it is recorded where its time went. */
  readonly coldBlocks?: boolean;
  /** Of each request it is recorded where its time went; costs two looks at the clock a function. */
  readonly timed?: boolean;
  /** Torn and repeated effects are counted, also where nothing fails on purpose. */
  readonly countEffects?: boolean;
  /** Storage calls and bytes are counted where functions make them, if the system can tell. */
  readonly countCalls?: boolean;
  /** After the load, requests of unusual sizes are sent. */
  readonly probeLimits?: boolean;
  /** For the plan and the time left; refined by what is measured. */
  readonly estimateSeconds: number;
}

export interface ExperimentDefinition {
  readonly id: string;
  readonly title: string;
  /** What a reader wants to know, as a question. */
  readonly question: string;
  readonly reproduces: { readonly source: string; readonly deviations: readonly string[] };
  /** What the figure cannot tell. */
  readonly notShown: string;
  readonly cells: (profile: ProfileName) => readonly CellPlan[];
}

/** Checks a definition's form; throws for a mistake in this repository, not of the user. */
export function defineExperiment(definition: ExperimentDefinition): ExperimentDefinition {
  return definition;
}
