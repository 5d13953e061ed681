/**
 * @module What one simulation is: everything that can differ, as data that survives JSON. A seed draws one
 * (`draw.ts`), a failing one is made smaller (`shrink.ts`), and those that failed once are kept.
 */
import type { EngineSettings, StorageTrouble } from "./engine.ts";
import type { LinkSettings, NetworkTrouble } from "./network.ts";

/** Processes that run functions: f1, f2, … */
export const functionHosts = 3;

/** How functions fail, as shares of attempts. */
export interface FunctionFaults {
  /** The function's process ends before some operation, or after its commit, and it is tried again. */
  readonly crash: number;
  /** The request is delivered twice at the same time. */
  readonly duplicate: number;
  /** It stops before some operation, is given up and tried again, and then goes on. */
  readonly zombie: number;
  /** Longest such stop. */
  readonly zombieMs: number;
  /** It takes its time before some operation, and is waited for. */
  readonly slow: number;
  readonly slowMs: number;
}

/** Something that goes wrong at an instant, mostly for a while. Replicas are r1, r2, …; managers m1, … */
export type Fault =
  | {
      readonly kind: "crash";
      readonly atMs: number;
      readonly target: string;
      readonly restartMs: number;
      readonly silent: boolean;
    }
  | {
      readonly kind: "pause";
      readonly atMs: number;
      readonly target: string;
      readonly forMs: number;
    }
  /** `from` and `to` in this direction only; `store` is the storage service. */
  | {
      readonly kind: "cut";
      readonly atMs: number;
      readonly from: string;
      readonly to: string;
      readonly forMs: number;
    }
  | {
      readonly kind: "network";
      readonly atMs: number;
      readonly forMs: number;
      readonly trouble: NetworkTrouble;
    }
  | {
      readonly kind: "storage";
      readonly atMs: number;
      readonly forMs: number;
      readonly trouble: StorageTrouble;
    }
  | {
      readonly kind: "clock";
      readonly atMs: number;
      readonly target: string;
      readonly byMs: number;
    }
  | { readonly kind: "reset"; readonly atMs: number; readonly target: string };

export interface SimConfig {
  readonly seed: number;
  readonly system: "aft" | "direct";
  readonly replicas: number;
  /** 0: one replica without a cluster, which collects its own garbage. */
  readonly managers: number;
  readonly clients: number;
  readonly requests: number;
  readonly keys: number;
  readonly zipfTheta: number;
  /** Operations of a function. */
  readonly reads: number;
  readonly writes: number;
  readonly thinkMs: number;
  /** All keys are written first; otherwise they are absent until somebody does. */
  readonly prefilled: boolean;
  readonly exactlyOnce: boolean;
  /** Connections of a function's host to a replica. */
  readonly connections: number;
  readonly clientTimeoutMs: number;
  /** Writes beyond so many are sent ahead of their commit, each with an answer of its own. */
  readonly maxRidingWrites: number;
  /** Clients say AFT.LATER, as ours do; otherwise they are answered in order, as any Redis client. */
  readonly lateAnswers: boolean;
  /** What falls on one instant happens in an order that is drawn. */
  readonly shuffleTies: boolean;
  readonly peersAsText: boolean;
  readonly skewMs: number;
  readonly driftPpm: number;
  readonly engine: EngineSettings;
  readonly link: LinkSettings;
  readonly settings: {
    readonly cacheBytes: number;
    readonly maxBufferBytes: number;
    readonly transactionTimeoutMs: number;
    readonly writesMissingAfterMs: number;
    readonly commitResolveMs: number;
    readonly maxGroupCommit: number;
    readonly maxGroupsInFlight: number;
    readonly outcomeRetentionMs: number;
    readonly gcIntervalMs: number;
    readonly gcBatch: number;
    readonly orphanSweepMs: number;
    readonly refreshReadWithinMs: number;
    readonly rememberedOutcomes: number;
  };
  readonly cluster: {
    readonly multicastMs: number;
    readonly deadAfterMs: number;
    readonly maxBatch: number;
    readonly maxKept: number;
    readonly scanMs: number;
    readonly launchMs: number;
  };
  readonly functions: FunctionFaults;
  readonly faults: readonly Fault[];
}

/** Nothing but latency happens in it, so nobody may be refused a version of a key. */
export function isCalm({ faults, functions, engine, prefilled }: SimConfig): boolean {
  return (
    prefilled &&
    faults.length === 0 &&
    functions.zombie + functions.crash === 0 &&
    engine.lagUs === 0
  );
}
