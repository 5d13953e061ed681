/** @module Limits and periods of a replica, each with its default and what happens at it. */
import type { Clock } from "#kit/clock.ts";
import type { Prng } from "#kit/prng.ts";
import type { StorageEngine } from "#shim/storage/port.ts";

/** Settings that survive JSON; every one is a bound on memory, time or work. */
export interface ReplicaSettings {
  /** Prefix of everything stored. */
  readonly namespace: string;
  /** Longer keys are refused with `key_too_large`. Code units; escaping may triple them. */
  readonly maxKeyLength: number;
  /** Larger values are refused with `value_too_large`. */
  readonly maxValueBytes: number;
  /** Keys one transaction may write or read; more are refused with `too_many_keys`. */
  readonly maxKeysPerTransaction: number;
  /** Open at once; more are refused with `too_many_transactions`. */
  readonly maxOpenTransactions: number;
  /** Buffered writes of all transactions; beyond it they spill to storage. */
  readonly maxBufferBytes: number;
  /** Values kept in memory; 0 switches the data cache off. */
  readonly cacheBytes: number;
  /**
   * When other replicas have written over keys of the data cache that were read so recently, the new
   * versions are fetched at once; 0: when they are read.
   */
  readonly refreshReadWithinMs: number;
  /** Keys that wait to be fetched anew; further ones are fetched when they are read. */
  readonly refreshKeys: number;
  /** Bytes of all that is being fetched anew or waits for it, as expected from the old versions. */
  readonly refreshBytes: number;
  /** Keys in one request for new versions. Whoever joins it waits for all of them. */
  readonly refreshBatch: number;
  /** Such requests at once. */
  readonly refreshRequests: number;
  /** A transaction open longer than this is aborted. */
  readonly transactionTimeoutMs: number;
  /** How long a call waits for writes announced by `afterWrites`. */
  readonly writesMissingAfterMs: number;
  /** How long a commit waits for a storage that does not say, before it answers `unknown`. */
  readonly commitResolveMs: number;
  /** Most transactions in one group commit. */
  readonly maxGroupCommit: number;
  /** Group commits under way at once. */
  readonly maxGroupsInFlight: number;
  /** Outcomes kept in memory; for older ones storage is asked. */
  readonly rememberedOutcomes: number;
  /** How long storage can still answer "did it commit?" after a transaction was collected. */
  readonly outcomeRetentionMs: number;
  /** `sole-replica`: this replica also deletes from storage what it has collected. */
  readonly storageGc: "sole-replica" | "off";
  /** Pause between two rounds of collection; no rounds run while there is nothing to collect. */
  readonly gcIntervalMs: number;
  /** Transactions collected in one round; a backlog makes rounds larger. */
  readonly gcBatch: number;
  /** Pause between two searches for orphaned data; 0 searches only at the start. */
  readonly orphanSweepMs: number;
}

export const defaultReplicaSettings: ReplicaSettings = {
  namespace: "aft",
  maxKeyLength: 512,
  maxValueBytes: 8 * 1_048_576,
  maxKeysPerTransaction: 10_000,
  maxOpenTransactions: 10_000,
  maxBufferBytes: 256 * 1_048_576,
  cacheBytes: 256 * 1_048_576,
  refreshReadWithinMs: 5_000,
  refreshKeys: 1_000,
  refreshBytes: 16 * 1_048_576,
  refreshBatch: 16,
  refreshRequests: 4,
  transactionTimeoutMs: 60_000,
  writesMissingAfterMs: 2_000,
  commitResolveMs: 3_000,
  maxGroupCommit: 64,
  maxGroupsInFlight: 32,
  rememberedOutcomes: 100_000,
  outcomeRetentionMs: 300_000,
  storageGc: "sole-replica",
  // Rounds small enough not to stall readers, and seldom enough to cost little each.
  gcIntervalMs: 10,
  gcBatch: 64,
  orphanSweepMs: 600_000,
};

export interface ReplicaOptions {
  readonly storage: StorageEngine;
  readonly clock: Clock;
  readonly prng: Prng;
  readonly settings?: Partial<ReplicaSettings>;
  /** Starts without reading the commit set: the cluster joins first, then has it read. */
  readonly deferRecovery?: boolean;
  /** Told about what nobody asked for: corrupt records, failed clean-ups. */
  readonly onIncident?: (incident: ReplicaIncident) => void;
}

/** Something an operator should see; the replica goes on. */
export interface ReplicaIncident {
  readonly kind: "corrupt_record" | "collection_failed" | "unresolved_commit" | "recovered";
  readonly message: string;
  readonly cause?: unknown;
}
