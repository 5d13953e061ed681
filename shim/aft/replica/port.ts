/**
 * @module What an AFT replica offers to the server in front of it: the five calls of AFT §3.1 and
 * the question "did it commit?".
 *
 * Calls answer with values; none throws, whatever the arguments, the order or the repetition
 * (the authors' server dies of a second commit, specs/aft.md §3.2). An answer is returned directly
 * where nothing must be waited for, so that a read from the cache costs no promise.
 *
 * `afterWrites` is the number of writes the transaction's functions have issued before this call.
 * A write needs no answer, and the next function may talk over another connection: the replica
 * holds the call back until it has seen that many writes, or answers `writes_missing` after a
 * bounded wait. This is how "put does not wait" stays read-your-writes.
 */
import type { Bytes } from "#kit/bytes.ts";
import type { ProjectError } from "#kit/errors.ts";

import type { PeerView } from "./peer-view.ts";

export type MaybePromise<T> = T | Promise<T>;

/** Stable codes; on the wire they are the error's first word in upper case, `AFT_` before it. */
export type RefusalCode =
  /** Never heard of, or forgotten after a restart: start the request again. */
  | "unknown_transaction"
  /** Open longer than the limit, and aborted. */
  | "transaction_timeout"
  /** Aborted before. */
  | "transaction_aborted"
  /** Committed before: no further reads or writes. */
  | "transaction_committed"
  /** A commit is under way or its outcome is not known yet. */
  | "transaction_committing"
  /** The id given to `begin` is in use or was used. */
  | "transaction_exists"
  /** Versions exist but each would fracture the read set (AFT §3.6): abort and retry. */
  | "no_valid_version"
  /** Writes announced by `afterWrites` did not arrive in time. */
  | "writes_missing"
  | "key_too_large"
  | "value_too_large"
  | "too_many_keys"
  | "too_many_transactions"
  /** Spilling could not keep up; try again. */
  | "write_buffer_full"
  | "storage_unavailable"
  | "storage_limit"
  /** The replica is stopping. */
  | "shutting_down"
  /** The replica reads the commit set before it serves: begin on another one. */
  | "joining"
  /** The replica finishes what is open and leaves: begin on another one. */
  | "draining";

export interface Refusal {
  readonly kind: "refused";
  readonly code: RefusalCode;
  /** One sentence with key, limit, engine and cause as they apply. */
  readonly message: string;
  /** `retry`: start the transaction again; `abort`: it will fail again; `bug`: caller's mistake. */
  readonly disposition: "retry" | "abort" | "bug";
  readonly cause?: ProjectError;
}

export type BeginAnswer = { readonly kind: "begun"; readonly transactionId: string } | Refusal;

export type ReadAnswer =
  | { readonly kind: "value"; readonly value: Bytes }
  /** No committed version is known and none is required. */
  | { readonly kind: "absent" }
  | Refusal;

export type PutAnswer = { readonly kind: "buffered" } | Refusal;

export type CommitAnswer =
  /**
   * Durable and visible. `timestampUs` 0 for a transaction without writes. Another `transactionId`
   * than the one asked about: its request was committed by that attempt, and this one left nothing.
   */
  | { readonly kind: "committed"; readonly timestampUs: number; readonly transactionId: string }
  /** Surely not committed, now or ever. */
  | { readonly kind: "aborted"; readonly refusal: Refusal }
  /** The storage did not say; `status` or a repeated commit will, later. */
  | { readonly kind: "unknown"; readonly refusal: Refusal };

export type StatusAnswer =
  | CommitAnswer
  /** Open here, not committed yet. */
  | { readonly kind: "open" };

export interface ReplicaStats {
  readonly openTransactions: number;
  readonly committedTotal: number;
  readonly abortedTotal: number;
  readonly timedOutTotal: number;
  readonly readsTotal: number;
  readonly cacheHitsTotal: number;
  /** Versions fetched ahead because another replica had written over a key that is read here. */
  readonly cacheRefreshedTotal: number;
  /** Of those: read later; the reads that waited for one are in it. */
  readonly cacheRefreshUsedTotal: number;
  /** Of those: gone without having been read. */
  readonly cacheRefreshWastedTotal: number;
  /** Not fetched ahead, because of a bound. */
  readonly cacheRefreshSkippedTotal: number;
  readonly noValidVersionTotal: number;
  readonly spilledBytesTotal: number;
  readonly bufferedBytes: number;
  readonly cachedBytes: number;
  /** Commit records in the index. */
  readonly knownTransactions: number;
  readonly knownKeys: number;
  readonly collectedTransactionsTotal: number;
  readonly groupCommitsTotal: number;
  /** Requests, round trips and bytes to the storage since the start, by kind of operation. */
  readonly storage: {
    readonly calls: number;
    /** Values and records, however many a call carried. */
    readonly itemsRead: number;
    readonly itemsWritten: number;
    readonly bytesRead: number;
    readonly bytesWritten: number;
    readonly errors: number;
    /** Reads and writes, summed up. */
    readonly waitedUs: number;
  };
}

export interface Replica {
  /**
   * `transactionId`: chosen by the client (`isTransactionUuid`) so that begin can ride on the first
   * call. `once`: an id made here carries the request's tag, so that of all attempts of the request,
   * on whichever replica, at most one commits and the others answer with its outcome.
   */
  begin(options: {
    readonly transactionId?: string;
    readonly requestId: string;
    readonly once?: boolean;
  }): BeginAnswer;
  get(call: {
    readonly transactionId: string;
    readonly key: string;
    readonly afterWrites?: number;
  }): MaybePromise<ReadAnswer>;
  /** One answer per key, chosen one after another as if read in that order. */
  getMany(call: {
    readonly transactionId: string;
    readonly keys: readonly string[];
    readonly afterWrites?: number;
  }): MaybePromise<readonly ReadAnswer[]>;
  /**
   * Buffers a write; nothing is visible before commit. `sequence` (1, 2, …) numbers the writes of
   * a transaction over all its functions; a repeated number replaces the earlier write.
   */
  put(call: {
    readonly transactionId: string;
    readonly key: string;
    readonly value: Bytes;
    readonly sequence?: number;
  }): MaybePromise<PutAnswer>;
  /** Idempotent: a repetition, also after a restart, answers as the first did. */
  commit(call: {
    readonly transactionId: string;
    readonly afterWrites?: number;
  }): MaybePromise<CommitAnswer>;
  /** Idempotent; answers `transaction_committed` if it is too late. */
  abort(call: { readonly transactionId: string }): { readonly kind: "aborted" } | Refusal;
  /** What became of a transaction; final when it says committed or aborted. */
  status(call: { readonly transactionId: string }): Promise<StatusAnswer>;
  /** The outcome of a tagged request that has committed, on whichever replica; from storage. */
  outcomeOfRequest(requestId: string): Promise<CommitAnswer | undefined>;
  stats(): ReplicaStats;
  /** For the cluster this replica belongs to. */
  readonly peers: PeerView;
  /** Refuses new transactions, finishes commits under way, stops timers; leaves the engine open. */
  close(): Promise<void>;
}
