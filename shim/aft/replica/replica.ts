/**
 * @module One AFT replica: transaction manager, write buffer, version index and data cache in
 * front of a store (AFT §3). All time, randomness and I/O come through ports.
 *
 * Invariants
 *   P1  Nothing of a transaction is readable by others before its record is durable (no dirty read).
 *   P2  What a transaction has read is an atomic read set, together with its own writes (R1, R2).
 *   P3  A transaction's outcome is decided once and answered the same for ever (`committer.ts`).
 *   P4  Memory is bounded by `ReplicaSettings`, whatever clients do.
 */
import type { Clock, Timer } from "#kit/clock.ts";
import { counted, type StorageCounters } from "#shim/storage/counted.ts";
import type { StorageEngine } from "#shim/storage/port.ts";
import { createNames, type Names } from "../protocol/names.ts";
import { planCommit } from "../protocol/plan-commit.ts";
import type { CommitRecord } from "../protocol/types.ts";
import { isTransactionUuid, uuidTimeMs } from "../protocol/types.ts";
import { createUuid } from "#kit/uuid.ts";
import { VersionIndex } from "../protocol/version-index.ts";
import { Collector } from "./collector.ts";
import { Committer, type Decision } from "./committer.ts";
import { createDataCache, type DataCache } from "./data-cache.ts";
import { GroupCommit } from "./group-commit.ts";
import { Operations } from "./operations.ts";
import { defaultReplicaSettings, type ReplicaOptions, type ReplicaSettings } from "./options.ts";
import { Outcomes } from "./outcomes.ts";
import type {
  BeginAnswer,
  CommitAnswer,
  MaybePromise,
  PutAnswer,
  ReadAnswer,
  Refusal,
  Replica,
  ReplicaStats,
  StatusAnswer,
} from "./port.ts";
import { VersionReader } from "./reader.ts";
import { deleteOrphans, readCommitSet } from "./recovery.ts";
import { refuse, refuseForStorage } from "./refuse.ts";
import { Transaction } from "./transaction.ts";

/** How often open transactions are looked at for their time-out. */
const timeoutSweepUs = 250_000;

/**
 * Starts a replica: reads the commit set, then serves.
 *
 * Rejects with a `StorageError` when the commit set cannot be read. The engine stays the caller's.
 */
export async function createReplica(options: ReplicaOptions): Promise<Replica> {
  const replica = new AftReplica(options);
  await replica.recover();
  return replica;
}

class AftReplica implements Replica {
  readonly #settings: ReplicaSettings;
  readonly #clock: Clock;
  readonly #options: ReplicaOptions;
  readonly #engine: StorageEngine;
  readonly #counters: Readonly<StorageCounters>;
  readonly #names: Names;
  readonly #index = new VersionIndex();
  readonly #cache: DataCache;
  readonly #committer: Committer;
  readonly #groups: GroupCommit;
  readonly #collector: Collector;
  readonly #operations: Operations;
  readonly #reader: VersionReader;
  readonly #outcomes: Outcomes;
  /** Open transactions in the order they began. */
  readonly #open = new Map<string, Transaction>();
  /** Commits whose outcome is not known yet. */
  readonly #deciding = new Set<Promise<unknown>>();
  #beginSequence = 0;
  #lastTimestampUs = 0;
  #timeoutTimer: Timer | undefined;
  #orphanTimer: Timer | undefined;
  #closing = false;
  #committedTotal = 0;
  #abortedTotal = 0;
  #timedOutTotal = 0;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#settings = { ...defaultReplicaSettings, ...options.settings };
    this.#clock = options.clock;
    const { engine, counters } = counted(options.storage);
    this.#engine = engine;
    this.#counters = counters;
    const settings = this.#settings;
    this.#names = createNames(settings.namespace);
    this.#cache = createDataCache(settings.cacheBytes);
    this.#reader = new VersionReader(engine, this.#cache);
    this.#outcomes = new Outcomes(settings.rememberedOutcomes);
    this.#groups = new GroupCommit({
      engine,
      clock: this.#clock,
      maxGroup: settings.maxGroupCommit,
      maxInFlight: settings.maxGroupsInFlight,
    });
    const shared = { engine, names: this.#names, clock: this.#clock };
    this.#committer = new Committer({ ...shared, groups: this.#groups });
    this.#collector = new Collector({
      ...shared,
      index: this.#index,
      cache: this.#cache,
      settings,
      oldestOpenBegin: () => this.#oldestOpenBegin(),
      onIncident: (incident) => options.onIncident?.(incident),
    });
    this.#operations = new Operations({
      ...shared,
      settings,
      index: this.#index,
      reader: this.#reader,
      closedRefusal: (uuid) => this.#refuseNotOpen(uuid),
      isOpen: (transaction) => this.#open.get(transaction.uuid) === transaction,
    });
  }

  begin(call: { readonly transactionId?: string; readonly requestId: string }): BeginAnswer {
    if (this.#closing) return refuse("shutting_down", "this replica is stopping");
    const uuid = call.transactionId ?? createUuid(this.#clock.nowMs(), this.#options.prng);
    if (!isTransactionUuid(uuid))
      return refuse("unknown_transaction", "a transaction id is a UUIDv7 in lower case");
    if (
      this.#open.has(uuid) ||
      this.#outcomes.get(uuid) !== undefined ||
      this.#index.find(uuid) !== undefined
    )
      return refuse("transaction_exists", `transaction ${uuid} was begun before`);
    const { maxOpenTransactions } = this.#settings;
    if (this.#open.size >= maxOpenTransactions)
      return refuse("too_many_transactions", `${maxOpenTransactions} transactions are open`);
    this.#beginSequence += 1;
    this.#open.set(
      uuid,
      new Transaction({
        uuid,
        requestId: call.requestId,
        beginSequence: this.#beginSequence,
        beganAtUs: this.#clock.monotonicUs(),
      }),
    );
    this.#watchTimeouts();
    return { kind: "begun", transactionId: uuid };
  }

  get(call: {
    readonly transactionId: string;
    readonly key: string;
    readonly afterWrites?: number;
  }): MaybePromise<ReadAnswer> {
    const transaction = this.#open.get(call.transactionId);
    if (transaction === undefined) return this.#refuseNotOpen(call.transactionId);
    return this.#operations.get(transaction, call.key, call.afterWrites ?? 0);
  }

  getMany(call: {
    readonly transactionId: string;
    readonly keys: readonly string[];
    readonly afterWrites?: number;
  }): MaybePromise<readonly ReadAnswer[]> {
    const transaction = this.#open.get(call.transactionId);
    if (transaction === undefined) {
      const refusal = this.#refuseNotOpen(call.transactionId);
      return call.keys.map(() => refusal);
    }
    return this.#operations.getMany(transaction, call.keys, call.afterWrites ?? 0);
  }

  put(call: {
    readonly transactionId: string;
    readonly key: string;
    readonly value: Uint8Array;
    readonly sequence?: number;
  }): MaybePromise<PutAnswer> {
    const transaction = this.#open.get(call.transactionId);
    if (transaction === undefined) return this.#refuseNotOpen(call.transactionId);
    return this.#operations.put(transaction, call);
  }

  commit(call: {
    readonly transactionId: string;
    readonly afterWrites?: number;
  }): MaybePromise<CommitAnswer> {
    const { transactionId: uuid, afterWrites = 0 } = call;
    const transaction = this.#open.get(uuid);
    if (transaction === undefined) return this.#settled(this.status({ transactionId: uuid }));
    if (transaction.committing !== undefined) return this.#withinBound(transaction.committing);
    const ready = this.#operations.awaitWrites(transaction, afterWrites);
    if (ready instanceof Promise)
      return ready.then((refusal) => this.#commitWhenReady(transaction, refusal));
    return this.#commitWhenReady(transaction, ready);
  }

  abort(call: { readonly transactionId: string }): { readonly kind: "aborted" } | Refusal {
    const transaction = this.#open.get(call.transactionId);
    if (transaction === undefined) {
      const ended = this.#outcomes.get(call.transactionId);
      return ended?.kind === "aborted"
        ? { kind: "aborted" }
        : this.#refuseNotOpen(call.transactionId);
    }
    if (transaction.committing !== undefined)
      return refuse("transaction_committing", `transaction ${transaction.uuid} is committing`);
    this.#end(transaction, refuse("transaction_aborted", "the transaction was aborted"));
    return { kind: "aborted" };
  }

  async status(call: { readonly transactionId: string }): Promise<StatusAnswer> {
    const { transactionId: uuid } = call;
    const transaction = this.#open.get(uuid);
    if (transaction !== undefined)
      return transaction.committing === undefined
        ? { kind: "open" }
        : this.#withinBound(transaction.committing);
    const ended = this.#outcomes.get(uuid);
    if (ended?.kind === "committed") return ended.answer;
    if (ended?.kind === "aborted") return { kind: "aborted", refusal: ended.refusal };
    const record = this.#index.find(uuid);
    if (record !== undefined)
      return { kind: "committed", timestampUs: record.id.timestampUs, transactionId: uuid };
    if (!isTransactionUuid(uuid)) {
      const refusal = refuse("unknown_transaction", `${JSON.stringify(uuid)} is no transaction id`);
      return { kind: "aborted", refusal };
    }
    return this.#statusFromStorage(uuid);
  }

  stats(): ReplicaStats {
    return {
      openTransactions: this.#open.size,
      committedTotal: this.#committedTotal,
      abortedTotal: this.#abortedTotal,
      timedOutTotal: this.#timedOutTotal,
      readsTotal: this.#operations.readsTotal,
      cacheHitsTotal: this.#reader.hits,
      noValidVersionTotal: this.#operations.noValidVersionTotal,
      spilledBytesTotal: this.#operations.spilledBytesTotal,
      bufferedBytes: this.#operations.bufferedBytes,
      cachedBytes: this.#cache.bytes,
      knownTransactions: this.#index.transactionCount,
      knownKeys: this.#index.keyCount,
      collectedTransactionsTotal: this.#collector.collectedTotal,
      groupCommitsTotal: this.#groups.groupsTotal,
      storage: {
        calls: this.#counters.calls,
        bytesRead: this.#counters.bytesRead,
        bytesWritten: this.#counters.bytesWritten,
        errors: this.#counters.errors,
      },
    };
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#timeoutTimer?.cancel();
    this.#orphanTimer?.cancel();
    this.#collector.close();
    const bound = new Promise<void>((resolve) => {
      this.#clock.schedule(this.#settings.commitResolveMs * 1_000, resolve);
    });
    await Promise.race([Promise.all(this.#deciding), bound]);
    this.#committer.close();
    const stopping = refuse("shutting_down", "this replica has stopped");
    for (const transaction of this.#open.values())
      if (transaction.committing === undefined) this.#end(transaction, stopping);
  }

  /** Reads the commit set into the index and starts the periodic work. */
  async recover(): Promise<void> {
    const { commit } = this.#names;
    const retainUntilMs = this.#clock.nowMs() + this.#settings.outcomeRetentionMs;
    await readCommitSet({
      engine: this.#engine,
      names: this.#names,
      onOutcome: (outcome) => {
        if (outcome.kind === "committed") this.#learn(outcome.record);
        else this.#collector.retain(commit(outcome.uuid), retainUntilMs);
      },
      onCorrupt: (error) => {
        const { message } = error;
        this.#options.onIncident?.({ kind: "corrupt_record", message, cause: error });
      },
    });
    if (this.#settings.storageGc === "sole-replica") this.#sweepOrphans();
  }

  /** Makes a durable commit visible; atomically, as nothing is awaited. */
  #learn(record: CommitRecord): void {
    this.#lastTimestampUs = Math.max(this.#lastTimestampUs, record.id.timestampUs);
    this.#collector.supersede(this.#index.add(record), this.#beginSequence);
  }

  #commitWhenReady(
    transaction: Transaction,
    missing: Refusal | undefined,
  ): MaybePromise<CommitAnswer> {
    // While it waited, another call may have committed or ended it.
    if (transaction.committing !== undefined) return this.#withinBound(transaction.committing);
    if (this.#open.get(transaction.uuid) !== transaction)
      return this.#settled(this.status({ transactionId: transaction.uuid }));
    if (missing !== undefined) return this.#abortWith(transaction, missing);
    if (transaction.buffered.size === 0 && transaction.spilled.size === 0)
      return this.#commitReadOnly(transaction);
    transaction.committing = this.#commitWrites(transaction);
    this.#deciding.add(transaction.committing);
    void transaction.committing.finally(() => {
      if (transaction.committing !== undefined) this.#deciding.delete(transaction.committing);
    });
    return this.#withinBound(transaction.committing);
  }

  /** No record is written: there is nothing to make visible (ARCHITECTURE, Deviation 1). */
  #commitReadOnly(transaction: Transaction): CommitAnswer {
    const answer: CommitAnswer = {
      kind: "committed",
      timestampUs: 0,
      transactionId: transaction.uuid,
    };
    this.#committedTotal += 1;
    this.#close(transaction);
    this.#outcomes.set(transaction.uuid, { kind: "committed", answer });
    return answer;
  }

  async #commitWrites(transaction: Transaction): Promise<CommitAnswer> {
    const { uuid, requestId } = transaction;
    await transaction.spilling;
    if (transaction.poison !== undefined) return this.#abortWith(transaction, transaction.poison);

    const timestampUs = this.#nextTimestampUs();
    const record: CommitRecord = {
      id: { timestampUs, uuid },
      writeSet: transaction.writeSet(),
      requestId,
    };
    const decision = await this.#committer.decide({
      uuid,
      timestampUs,
      write: planCommit(this.#names, record, transaction.buffered),
      onDoubt: (cause) => {
        const message = `the outcome of ${uuid} is not known yet`;
        transaction.doubt = refuseForStorage(cause);
        this.#options.onIncident?.({ kind: "unresolved_commit", message, cause });
      },
    });
    if (decision.kind === "aborted")
      return this.#abortWith(transaction, refuseForStorage(decision.cause));

    for (const [key, value] of transaction.buffered)
      this.#cache.set(this.#names.version(key, uuid), value);
    this.#learn({ ...record, id: { timestampUs: decision.timestampUs, uuid } });
    this.#committedTotal += 1;
    this.#close(transaction);
    const answer: CommitAnswer = {
      kind: "committed",
      timestampUs: decision.timestampUs,
      transactionId: uuid,
    };
    this.#outcomes.set(uuid, { kind: "committed", answer });
    return answer;
  }

  #abortWith(transaction: Transaction, refusal: Refusal): CommitAnswer {
    this.#end(transaction, refusal);
    return { kind: "aborted", refusal };
  }

  /** Ends a transaction that did not commit; spilled data is left to the orphan search. */
  #end(transaction: Transaction, refusal: Refusal): void {
    this.#abortedTotal += 1;
    this.#outcomes.set(transaction.uuid, { kind: "aborted", refusal });
    this.#close(transaction);
  }

  #close(transaction: Transaction): void {
    this.#open.delete(transaction.uuid);
    this.#operations.release(transaction);
    transaction.wakeAll();
  }

  /** The answer, or "unknown" when storage keeps us waiting; the commit itself goes on. */
  async #withinBound(committing: Promise<CommitAnswer>): Promise<CommitAnswer> {
    let timer: Timer | undefined;
    const bound = new Promise<undefined>((resolve) => {
      timer = this.#clock.schedule(this.#settings.commitResolveMs * 1_000, () => {
        resolve(undefined);
      });
    });
    const answer = await Promise.race([committing, bound]);
    timer?.cancel();
    if (answer !== undefined) return answer;
    const waiting = [...this.#open.values()].find((one) => one.committing === committing);
    const message = "storage did not say in time whether the commit happened; ask again";
    const refusal = refuse("storage_unavailable", message);
    return { kind: "unknown", refusal: waiting?.doubt ?? refusal };
  }

  async #settled(status: Promise<StatusAnswer>): Promise<CommitAnswer> {
    const answer = await status;
    if (answer.kind !== "open") return answer;
    const refusal = refuse("transaction_exists", "the transaction was begun again meanwhile");
    return { kind: "unknown", refusal };
  }

  async #statusFromStorage(uuid: string): Promise<CommitAnswer> {
    const { outcomeRetentionMs, transactionTimeoutMs } = this.#settings;
    const askableMs = outcomeRetentionMs + transactionTimeoutMs;
    try {
      if (uuidTimeMs(uuid) < this.#clock.nowMs() - askableMs) return await this.#statusOfOld(uuid);
      const decision = await this.#committer.decideForeign(uuid);
      if (decision.kind === "aborted") {
        const until = this.#clock.nowMs() + askableMs;
        this.#collector.retain(this.#names.commit(uuid), until);
      }
      return this.#answerOf(uuid, decision);
    } catch (error) {
      return { kind: "unknown", refusal: refuseForStorage(error) };
    }
  }

  /** So old that its record may have been collected: absence proves nothing any more. */
  async #statusOfOld(uuid: string): Promise<CommitAnswer> {
    const decision = await this.#committer.find(uuid);
    if (decision !== undefined) return this.#answerOf(uuid, decision);
    const message = `the outcome of ${uuid} is no longer kept`;
    return { kind: "unknown", refusal: refuse("unknown_transaction", message) };
  }

  #answerOf(uuid: string, decision: Decision): CommitAnswer {
    if (decision.kind === "committed") {
      const { timestampUs } = decision;
      return { kind: "committed", timestampUs, transactionId: uuid };
    }
    const refusal = refuse(
      "unknown_transaction",
      `transaction ${uuid} is not open here and never committed`,
    );
    this.#outcomes.set(uuid, { kind: "aborted", refusal });
    return { kind: "aborted", refusal };
  }

  #refuseNotOpen(uuid: string): Refusal {
    const ended = this.#outcomes.get(uuid);
    if (ended?.kind === "aborted") return ended.refusal;
    if (ended?.kind === "committed" || this.#index.find(uuid) !== undefined)
      return refuse("transaction_committed", `transaction ${uuid} has committed`);
    return refuse("unknown_transaction", `transaction ${uuid} is not open here`);
  }

  /** Later than every timestamp given or learnt, whatever the wall clock does. */
  #nextTimestampUs(): number {
    const nowUs = Math.trunc(this.#clock.nowMs()) * 1_000;
    this.#lastTimestampUs = Math.max(this.#lastTimestampUs + 1, nowUs);
    return this.#lastTimestampUs;
  }

  #oldestOpenBegin(): number {
    const oldest = this.#open.values().next();
    return oldest.done === true ? Infinity : oldest.value.beginSequence;
  }

  /** One timer for all, and none while nothing is open. */
  #watchTimeouts(): void {
    if (this.#timeoutTimer !== undefined) return;
    this.#timeoutTimer = this.#clock.schedule(timeoutSweepUs, () => {
      this.#timeoutTimer = undefined;
      this.#abortTimedOut();
      if (this.#open.size > 0 && !this.#closing) this.#watchTimeouts();
    });
  }

  #abortTimedOut(): void {
    const { transactionTimeoutMs } = this.#settings;
    const latestUs = this.#clock.monotonicUs() - transactionTimeoutMs * 1_000;
    for (const transaction of this.#open.values()) {
      if (transaction.beganAtUs > latestUs) return;
      if (transaction.committing !== undefined) continue;
      this.#timedOutTotal += 1;
      const message = `open for more than ${transactionTimeoutMs} ms, and aborted`;
      this.#end(transaction, refuse("transaction_timeout", message));
    }
  }

  #sweepOrphans(): void {
    const { orphanSweepMs, transactionTimeoutMs, outcomeRetentionMs } = this.#settings;
    void deleteOrphans({
      engine: this.#engine,
      names: this.#names,
      committer: this.#committer,
      clock: this.#clock,
      // Twice the time-out: a transaction may begin late and commit slowly.
      beforeMs: this.#clock.nowMs() - 2 * transactionTimeoutMs,
      isKnown: (uuid) => this.#open.has(uuid) || this.#index.find(uuid) !== undefined,
      onFenced: (uuid) => {
        const untilMs = this.#clock.nowMs() + outcomeRetentionMs;
        this.#collector.retain(this.#names.commit(uuid), untilMs);
      },
    }).then(
      () => {
        this.#scheduleOrphanSweep(orphanSweepMs);
      },
      (cause: unknown) => {
        const message = "the search for orphaned data will be tried again";
        this.#options.onIncident?.({ kind: "collection_failed", message, cause });
        this.#scheduleOrphanSweep(orphanSweepMs);
      },
    );
  }

  #scheduleOrphanSweep(afterMs: number): void {
    if (this.#closing || afterMs === 0) return;
    this.#orphanTimer = this.#clock.schedule(afterMs * 1_000, () => {
      this.#sweepOrphans();
    });
  }
}
