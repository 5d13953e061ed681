/**
 * @module What a run directory holds: the only interface between measuring and presenting.
 *
 *   results/runs/<experiment>/<run-id>/
 *     manifest.json      RunManifest: everything resolved; written before and completed after
 *     requests.ndjson.gz AttemptRecord per attempt of a request
 *     measurements.json  Measurements: blocks, storage, platform, CPU, validity, faults
 *     latency.hlog       HdrHistogram interval log, one tag per series
 *     history.txt        plume text, so that outside checkers can judge the run too
 *     history-ids.json   what the numbers in history.txt stand for
 *     transactions.ndjson.gz RecordedTransaction per attempt
 *     checks.json        AnomalyReport and, as `isolation`, IsolationReport
 *     summary.json       RunSummary: what tables, figures and gates read
 *
 * Fields may be added, never renamed; `schemaVersion` tells old records from new. The form of the JSON
 * files is published in `schemas/` and checked when they are written and when they are read.
 */

import type { EffectReport, LimitProbe } from "./effects.ts";
import type { Measurements } from "./measurements.ts";

export type RunLabel =
  | "measured"
  | "emulated"
  | "emulator"
  | "simulated"
  | "closed-loop"
  | "open-loop"
  | "invocation-emulated"
  /** Functions ran behind the Lambda API of somebody else than AWS; `platform.place` says whose. */
  | "not-measured-on-aws";

/** One combination of factor levels. All values are plain, so that `--only factor:level` matches. */
export interface Cell {
  readonly workload: string;
  readonly platform: string;
  readonly system: string;
  readonly storage: string;
  /** Profile name, or "none". */
  readonly emulation: string;
  /** Fault plan's name, or "none". */
  readonly faults: string;
  readonly zipfTheta: number;
  readonly clients: number;
  /** Further factors of one experiment (`writes`, `batch`, …). */
  readonly [factor: string]: string | number | boolean;
}

export interface MachineDescription {
  readonly cpuModel: string;
  readonly cores: number;
  readonly memoryMiB: number;
  readonly os: string;
  readonly kernel: string;
  readonly node: string;
  readonly loadAverageAtStart: number;
}

export interface RunManifest {
  readonly schemaVersion: 1;
  readonly runId: string;
  readonly experiment: string;
  readonly profile: string;
  readonly mode: "paper" | "sound";
  readonly cell: Cell;
  readonly labels: readonly RunLabel[];
  /** `partial`: interrupted; the files hold what was measured until then. */
  readonly state: "running" | "complete" | "partial";
  readonly startedAtMs: number;
  readonly durationMs?: number;
  readonly seeds: Readonly<Record<string, number>>;
  /** Everything resolved, never the names of defaults. */
  readonly resolved: {
    readonly workload: Readonly<Record<string, string | number>>;
    readonly platform: Readonly<Record<string, unknown>>;
    readonly system: Readonly<Record<string, unknown>>;
    readonly storage: Readonly<Record<string, unknown>>;
    readonly load: Readonly<Record<string, unknown>>;
    readonly faults: Readonly<Record<string, unknown>>;
  };
  /** Of everything emulated: profile name, parameters, source. */
  readonly emulation: readonly Readonly<Record<string, unknown>>[];
  readonly versions: Readonly<Record<string, string>>;
  readonly git: { readonly commit: string; readonly dirty: boolean };
  readonly machine: MachineDescription;
  readonly command: readonly string[];
}

/** A percentile, or why it is not given (MEASURING rule 4). */
export type Percentile = number | { readonly need: number; readonly have: number };

export interface DistributionSummary {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly p50: Percentile;
  readonly p90: Percentile;
  readonly p99: Percentile;
  readonly p999: Percentile;
  /** Values above the histogram's highest trackable value, counted there. */
  readonly clipped: number;
}

export interface AnomalyCount {
  /** Transactions with at least one proven instance. */
  readonly transactions: number;
  /** Upper bound of the rate per 10,000 transactions at 95 % confidence (Clopper-Pearson). */
  readonly upperBoundPer10k: number;
}

export interface StaleReadCount extends AnomalyCount {
  /** External reads that could be judged, and how many of them were stale. */
  readonly reads: number;
  readonly stale: number;
  /** Newer versions that were surely there, over the stale reads. */
  readonly depthMax: number;
  readonly depthMean: number;
}

export interface AnomalyReport {
  /** Committed transactions that were judged. */
  readonly judged: number;
  readonly readYourWrites: AnomalyCount;
  readonly fractured: AnomalyCount;
  readonly nonRepeatable: AnomalyCount;
  readonly dirtyReads: AnomalyCount;
  /** Any of the above. */
  readonly anomalous: AnomalyCount;
  /** Overwrote a version unseen; read atomicity allows it. Absent in older records. */
  readonly lostUpdates?: AnomalyCount | undefined;
  /** Read versions that were surely outdated; allowed too. `transactions` are the readers. */
  readonly staleReads?: StaleReadCount | undefined;
  /** Pairs of versions whose order the record does not prove; never counted as anomalies. */
  readonly undecidedPairs: number;
  /** How versions were ordered: by the system's commit order, or by write intervals. */
  readonly versionOrder: "commit-order" | "write-intervals";
  /** One smallest example per kind found, as text with transactions, keys and rule. */
  readonly witnesses: readonly {
    readonly kind: string;
    readonly explanation: string;
  }[];
}

export type VerdictKind = "pass" | "violation" | "undecided" | "not-run";

/** Whether any commit order explains the run; in checks.json since records have it. */
export interface IsolationReport {
  /**
   * Of read committed, read atomic and causal consistency as Biswas and Enea define them, clients as
   * sessions; and of read atomic for transactions alone, as RAMP and AFT define it.
   */
  readonly verdicts: Readonly<Record<IsolationCheck, VerdictKind>>;
  /** Why not, of each that is undecided or was not run. */
  readonly reasons: Readonly<Partial<Record<IsolationCheck, string>>>;
  /** A minimal one of each violated check that no weaker one is violated by. */
  readonly witnesses: readonly {
    readonly check: IsolationCheck;
    readonly title: string;
    readonly explanation: string;
  }[];
  readonly coverage: {
    readonly transactions: number;
    readonly operations: number;
    /** One, or as many as a long run was judged in. */
    readonly windows: number;
    /** What windows could not see; empty for one window. */
    readonly missed: readonly string[];
  };
}

export type IsolationCheck = "rc" | "ra" | "cc" | "ra-without-sessions";

export interface TimelineSlice {
  readonly atSeconds: number;
  readonly throughputPerSecond: number;
  /** Of response times that ended in it; null where it holds too few. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  /** Transactions with a proven anomaly. */
  readonly anomalous: number;
}

/** A run over measured time; definitions in timeline.ts. */
export interface RunTimeline {
  readonly sliceSeconds: number;
  readonly slices: readonly TimelineSlice[];
  readonly events: readonly {
    readonly atSeconds: number;
    readonly kind: string;
    readonly who: string;
  }[];
  readonly collection: readonly {
    readonly atSeconds: number;
    readonly collectedTotal: number;
    readonly waiting: number;
    readonly knownTransactions: number;
  }[];
  readonly fault: {
    readonly fromSeconds: number;
    readonly toSeconds: number | null;
    readonly detectionSeconds: number | null;
    readonly replacementSeconds: number | null;
    readonly throughputBefore: number | null;
    readonly throughputDuring: number | null;
    readonly throughputAfter: number | null;
    readonly ratioAfterToBefore: number | null;
  } | null;
}

export interface RunSummary {
  readonly schemaVersion: 1;
  readonly runId: string;
  readonly experiment: string;
  readonly cell: Cell;
  readonly labels: readonly RunLabel[];
  readonly valid: boolean;
  readonly invalidReasons: readonly string[];
  /** True and worth knowing, but no reason to distrust the figures. */
  readonly notes?: readonly string[];
  /** What became of an open loop's schedule. */
  readonly load?: Measurements["load"];
  readonly generator?: Measurements["generator"];
  readonly fitness?: Measurements["fitness"];
  readonly transactions: {
    readonly committed: number;
    readonly aborted: number;
    readonly failed: number;
    readonly unknown: number;
  };
  /** Attempts beyond the first, by reason. */
  readonly retries: Readonly<Record<string, number>>;
  readonly measuredSeconds: number;
  /** Committed requests per second: goodput. */
  readonly throughputPerSecond: number;
  /** From due time (open loop) or first start (closed loop) to the end of the last attempt. */
  readonly responseTimeUs: DistributionSummary;
  /** Of attempts that committed, from their start. */
  readonly serviceTimeUs: DistributionSummary;
  readonly anomalies: AnomalyReport;
  /** What the system promises; the run is a violation if one of these was found. */
  readonly promises: readonly string[];
  readonly violated: readonly string[];
  /** Why no commit order explains a run that breaks a promise; absent otherwise, and in old records. */
  readonly unexplained?: IsolationReport["witnesses"];
  readonly verdicts: Readonly<Record<string, VerdictKind>>;
  readonly platform: {
    readonly coldStarts: number;
    readonly invocations: number;
    /** Whose endpoint it was, where functions ran behind the Lambda API. */
    readonly place?: string;
  };
  /** From the engine in front of the store, system side; null where it cannot be seen. */
  readonly storage: {
    readonly callsPerTransaction: number;
    readonly bytesPerTransaction: number;
    /** Values, however many a call carried; absent in older records. */
    readonly itemsReadPerTransaction?: number;
    readonly itemsWrittenPerTransaction?: number;
    readonly bytesReadPerTransaction?: number;
    readonly bytesWrittenPerTransaction?: number;
  } | null;
  /** What functions asked for, all attempts of a request; absent in older records. */
  readonly operations?: {
    readonly readsPerTransaction: number;
    readonly writesPerTransaction: number;
    /** Of one value, as the workload was resolved. */
    readonly valueBytes?: number;
  };
  /** CPU of every process over the measured window, in cores. */
  readonly cpuCores: Readonly<Record<string, number>>;
  /** Main threads that were ready and waited for a core, on average; absent in older records. */
  readonly coreWaits?: Readonly<Record<string, number>>;
  /** Of a system of several processes. */
  readonly timeline?: RunTimeline;
  readonly durability?: Measurements["durability"];
  readonly drain?: Measurements["drain"];
  /** Of runs whose functions fail on purpose, and of those beside them. */
  readonly effects?: EffectReport;
  /** The same counts with every function as a transaction of its own. */
  readonly perFunction?: AnomalyReport;
  /** How often each kind of mishap has happened. */
  readonly mishaps?: Readonly<Record<string, number>>;
  /** What became of requests beyond the usual size. */
  readonly limits?: readonly LimitProbe[];
  /** Of runs that were asked where their time went. */
  readonly split?: TimeSplit;
}

/** Where the time of requests went, cold and warm apart. Means, because only they add up. */
export interface TimeSplit {
  /** Requests with a cold start among their functions; null: none. */
  readonly cold: SplitTimes | null;
  readonly warm: SplitTimes | null;
}

/** Null: nobody tells. */
export interface SplitTimes {
  readonly requests: number;
  readonly totalUs: {
    readonly mean: number;
    readonly p25: number;
    readonly p50: number;
    readonly p75: number;
  };
  readonly clientUs: number | null;
  readonly platformUs: number | null;
  readonly functionUs: number;
  /** `shimUs` and `storageUs` together. */
  readonly stateUs: number;
  readonly shimUs: number | null;
  readonly storageUs: number | null;
  /** As the service reports them. */
  readonly initMs: number | null;
  readonly billedMs: number | null;
}

/** Why a planned thing did not run, and how to have it. */
export interface NotRun {
  readonly what: string;
  readonly why: string;
  readonly get: string;
}

export interface Comparison {
  readonly name: string;
  readonly ratio: { readonly median: number; readonly low: number; readonly high: number };
  readonly blocks: number;
  /** Of the interval: 0.95, or less where there are too few blocks. Absent in older documents. */
  readonly confidence?: number;
  /** The runs whose blocks are compared, the baseline last. Absent in older documents. */
  readonly runIds?: readonly string[];
}

export interface ClaimVerdict {
  readonly id: string;
  readonly text: string;
  readonly verdict: "reproduced" | "not-reproduced" | "not-testable";
  readonly ours: number | string | null;
  readonly paper: number | string;
  readonly source: string;
  /** The rest is absent in older documents. `text` says what the paper claims; this is what is judged. */
  readonly rule?: string;
  readonly section?: string;
  readonly figure?: string;
  /** Why it is not testable here, as a fact. */
  readonly reason?: string;
  /** From the record; they explain what was found. */
  readonly facts?: readonly string[];
  /** The runs it rests on. */
  readonly runIds?: readonly string[];
}

/** By which calibration a suite's numbers stand. */
export interface CalibrationReference {
  readonly hash: string;
  readonly createdAtMs: number;
  readonly passed: boolean;
  /** Made with the same processor, cores and Node. */
  readonly sameMachine: boolean;
}

/** The document of `run --json`, and what a report is made of. */
export interface SuiteResult {
  readonly schemaVersion: 1;
  readonly suite: string;
  readonly profile: string;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly state: "complete" | "partial";
  readonly runs: readonly (RunSummary & { readonly directory: string })[];
  readonly comparisons: readonly Comparison[];
  readonly claims: readonly ClaimVerdict[];
  readonly notRun: readonly NotRun[];
  readonly machine: MachineDescription;
  /** `null`: never calibrated. Absent in older documents. */
  readonly calibration?: CalibrationReference | null;
}
