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
import type { Clock } from "#kit/clock.ts";
import { counted, type StorageCounters } from "#shim/storage/counted.ts";
import type { SealedWrite, StorageEngine } from "#shim/storage/port.ts";
import { createNames, type Names } from "../protocol/names.ts";
import { planCommit } from "../protocol/plan-commit.ts";
import type { CommitRecord } from "../protocol/types.ts";
import { isTransactionUuid } from "../protocol/types.ts";
import { VersionIndex } from "../protocol/version-index.ts";
import { Collector } from "./collector.ts";
import { Committer, type Decision } from "./committer.ts";
import { createDataCache, type DataCache } from "./data-cache.ts";
import { Endings, settled, toAnswer } from "./endings.ts";
import { Commits, type CommitUnderWay } from "./commits.ts";
import { GroupCommit } from "./group-commit.ts";
import { Housekeeping } from "./housekeeping.ts";
import { newTransactionId } from "./new-id.ts";
import { OpenTransactions } from "./open-transactions.ts";
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
import { PeerView } from "./peer-view.ts";
import { VersionReader } from "./reader.ts";
import { CacheRefresher } from "./refresher.ts";
import { refuse, refuseForStorage } from "./refuse.ts";
import { Timestamps } from "./timestamps.ts";
import { Transaction } from "./transaction.ts";

/**
 * Starts a replica: reads the commit set, then serves.
 *
 * Rejects with a `StorageError` when the commit set cannot be read. The engine stays the caller's.
 */
export async function createReplica(options: ReplicaOptions): Promise<Replica> {
  const replica = new AftReplica(options);
  if (options.deferRecovery !== true) await replica.recover();
  return replica;
}

class AftReplica implements Replica {
  readonly peers: PeerView;
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
  readonly #refresher: CacheRefresher;
  readonly #timestamps: Timestamps;
  readonly #outcomes: Outcomes;
  readonly #endings: Endings;
  readonly #housekeeping: Housekeeping;
  readonly #open = new OpenTransactions();
  readonly #commits: Commits;
  #beginSequence = 0;
  #closing = false;
  #committedTotal = 0;
  #abortedTotal = 0;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#settings = { ...defaultReplicaSettings, ...options.settings };
    this.#clock = options.clock;
    this.#timestamps = new Timestamps(options.clock);
    const { engine, counters } = counted(options.storage, options.clock);
    this.#engine = engine;
    this.#counters = counters;
    const settings = this.#settings;
    this.#names = createNames(settings.namespace);
    this.#cache = createDataCache(settings.cacheBytes);
    this.#reader = new VersionReader({ engine, cache: this.#cache, names: this.#names });
    this.#outcomes = new Outcomes(settings.rememberedOutcomes);
    this.#commits = new Commits({ clock: this.#clock, boundMs: settings.commitResolveMs });
    this.#groups = new GroupCommit({ engine, clock: this.#clock, settings });
    const shared = { engine, names: this.#names, clock: this.#clock };
    this.#committer = new Committer({ ...shared, groups: this.#groups, settings });
    const known = { index: this.#index, cache: this.#cache, reader: this.#reader };
    this.#refresher = new CacheRefresher({ ...shared, ...known, settings });
    this.#collector = new Collector({
      ...shared,
      ...known,
      settings,
      oldestOpenBegin: () => this.#open.oldestBegin,
      onIncident: (incident) => options.onIncident?.(incident),
    });
    this.peers = new PeerView({
      ...shared,
      ...known,
      onMerged: (records) => {
        this.#refresher.superseding(records);
      },
      learn: (record) => {
        this.#learn(record);
      },
      openCount: () => this.#open.size,
      onIncident: (incident) => options.onIncident?.(incident),
    });
    const isCommitted = (uuid: string): boolean => this.#index.find(uuid) !== undefined;
    this.#endings = new Endings({
      ...shared,
      settings,
      committer: this.#committer,
      collector: this.#collector,
      outcomes: this.#outcomes,
      isCommitted,
    });
    this.#housekeeping = new Housekeeping({
      ...shared,
      settings,
      committer: this.#committer,
      collector: this.#collector,
      open: this.#open,
      isCommitted,
      end: (transaction, refusal) => {
        this.#end(transaction, refusal);
      },
      onIncident: (incident) => options.onIncident?.(incident),
    });
    this.#operations = new Operations({
      ...shared,
      settings,
      ...known,
      closedRefusal: (uuid) => this.#endings.refuseNotOpen(uuid),
      isOpen: (transaction) => this.#open.get(transaction.uuid) === transaction,
      onMissing: () => this.peers.onMissing?.(),
    });
  }

  begin(call: Parameters<Replica["begin"]>[0]): BeginAnswer {
    if (this.#closing) return refuse("shutting_down", "this replica is stopping");
    if (this.peers.admission !== undefined) return this.peers.admission;
    const uuid = call.transactionId ?? newTransactionId(this.#options, call);
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
    this.#open.add(
      new Transaction({
        uuid,
        requestId: call.requestId,
        beginSequence: this.#beginSequence,
        beganAtUs: this.#clock.monotonicUs(),
      }),
    );
    this.#housekeeping.watchTimeouts();
    return { kind: "begun", transactionId: uuid };
  }

  get(call: Parameters<Replica["get"]>[0]): MaybePromise<ReadAnswer> {
    const transaction = this.#open.get(call.transactionId);
    if (transaction === undefined) return this.#endings.refuseNotOpen(call.transactionId);
    return this.#operations.get(transaction, call.key, call.afterWrites ?? 0);
  }

  getMany(call: Parameters<Replica["getMany"]>[0]): MaybePromise<readonly ReadAnswer[]> {
    const transaction = this.#open.get(call.transactionId);
    if (transaction === undefined)
      return call.keys.map(() => this.#endings.refuseNotOpen(call.transactionId));
    return this.#operations.getMany(transaction, call.keys, call.afterWrites ?? 0);
  }

  put(call: Parameters<Replica["put"]>[0]): MaybePromise<PutAnswer> {
    const transaction = this.#open.get(call.transactionId);
    if (transaction === undefined) return this.#endings.refuseNotOpen(call.transactionId);
    return this.#operations.put(transaction, call);
  }

  commit(call: Parameters<Replica["commit"]>[0]): MaybePromise<CommitAnswer> {
    const { transactionId: uuid, afterWrites = 0 } = call;
    const transaction = this.#open.get(uuid);
    if (transaction === undefined) return settled(this.status({ transactionId: uuid }));
    if (transaction.committing !== undefined) return this.#commits.wait(transaction.committing);
    const ready = this.#operations.awaitWrites(transaction, afterWrites);
    if (ready instanceof Promise)
      return ready.then((refusal) => this.#commitWhenReady(transaction, refusal));
    return this.#commitWhenReady(transaction, ready);
  }

  abort(call: { readonly transactionId: string }): { readonly kind: "aborted" } | Refusal {
    const transaction = this.#open.get(call.transactionId);
    if (transaction === undefined) {
      const aborted = this.#outcomes.get(call.transactionId)?.kind === "aborted";
      return aborted ? { kind: "aborted" } : this.#endings.refuseNotOpen(call.transactionId);
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
        : this.#commits.wait(transaction.committing);
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
    return this.#endings.ask(uuid);
  }

  stats(): ReplicaStats {
    return {
      openTransactions: this.#open.size,
      committedTotal: this.#committedTotal,
      abortedTotal: this.#abortedTotal,
      timedOutTotal: this.#housekeeping.timedOutTotal,
      ...this.#operations.figures(),
      cacheHitsTotal: this.#reader.hits,
      cachedBytes: this.#cache.bytes,
      ...this.#refresher.figures(),
      knownTransactions: this.#index.transactionCount,
      knownKeys: this.#index.keyCount,
      collectedTransactionsTotal: this.#collector.collectedTotal,
      groupCommitsTotal: this.#groups.groupsTotal,
      storage: this.#counters,
    };
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#housekeeping.close();
    this.#collector.close();
    this.#refresher.close();
    await this.#commits.idle();
    this.#commits.close();
    this.#committer.close();
    for (const transaction of this.#open.inOrder())
      if (transaction.committing === undefined)
        this.#end(transaction, refuse("shutting_down", "this replica has stopped"));
  }

  outcomeOfRequest(requestId: string): Promise<CommitAnswer | undefined> {
    return this.#endings.ofRequest(requestId);
  }

  /** Reads the commit set into the index and starts the periodic work. */
  async recover(): Promise<void> {
    const retainUntilMs = this.#clock.nowMs() + this.#settings.outcomeRetentionMs;
    await this.peers.rescan({
      onOther: (outcome, name) => {
        // Superseded before it was found: its data is garbage, if it is still there.
        if (outcome.kind === "committed") this.#collector.supersede([outcome.record], 0);
        else if (outcome.kind === "aborted") this.#collector.retainFence(name);
        else this.#collector.retain(name, retainUntilMs);
      },
    });
    if (this.#settings.storageGc === "sole-replica") this.#housekeeping.sweepOrphans();
  }

  /** Makes a durable commit visible; atomically, as nothing is awaited. */
  #learn(record: CommitRecord): void {
    this.#timestamps.learn(record.id.timestampUs);
    this.#collector.supersede(this.#index.add(record), this.#beginSequence);
  }

  #commitWhenReady(
    transaction: Transaction,
    missing: Refusal | undefined,
  ): MaybePromise<CommitAnswer> {
    // While it waited, another call may have committed or ended it.
    if (transaction.committing !== undefined) return this.#commits.wait(transaction.committing);
    if (this.#open.get(transaction.uuid) !== transaction)
      return settled(this.status({ transactionId: transaction.uuid }));
    if (missing !== undefined) return this.#abortWith(transaction, missing);
    if (transaction.buffered.size === 0 && transaction.spilled.size === 0)
      return this.#commitReadOnly(transaction);
    const commit = this.#commits.begin();
    transaction.committing = commit;
    if (transaction.spilling === undefined) this.#commitWrites(transaction, commit);
    else void transaction.spilling.then(() => this.#commitWrites(transaction, commit));
    return this.#commits.wait(commit);
  }

  /** No record is written: there is nothing to make visible (ARCHITECTURE, Deviation 1). */
  #commitReadOnly(transaction: Transaction): CommitAnswer {
    const { uuid: transactionId } = transaction;
    const answer: CommitAnswer = { kind: "committed", timestampUs: 0, transactionId };
    this.#committedTotal += 1;
    this.#close(transaction);
    this.#outcomes.set(transaction.uuid, { kind: "committed", answer });
    return answer;
  }

  #commitWrites(transaction: Transaction, commit: CommitUnderWay): void {
    const { uuid, requestId, poison } = transaction;
    if (poison !== undefined) {
      this.#commits.settle(commit, this.#abortWith(transaction, poison));
      return;
    }
    const id = { timestampUs: this.#timestamps.next(), uuid };
    const record: CommitRecord = { id, writeSet: transaction.writeSet(), requestId };
    const planWrite = (planned: CommitRecord): SealedWrite =>
      planCommit(this.#names, planned, transaction.buffered);
    const onDoubt = (cause: unknown): void => {
      const message = `the outcome of ${uuid} is not known yet`;
      commit.doubt = refuseForStorage(cause);
      this.#options.onIncident?.({ kind: "unresolved_commit", message, cause });
    };
    this.#committer.decide({ record, planWrite, onDoubt }, (decision) => {
      const answer =
        decision.kind === "aborted"
          ? this.#abortWith(transaction, refuseForStorage(decision.cause))
          : this.#conclude(transaction, record, decision);
      this.#commits.settle(commit, answer);
    });
  }

  /** Makes a durable commit visible here, and remembers how it ended. */
  #conclude(
    transaction: Transaction,
    record: CommitRecord,
    decision: Extract<Decision, { kind: "committed" }>,
  ): CommitAnswer {
    const { uuid } = transaction;
    const answer = toAnswer(decision);
    if (decision.transactionId !== uuid) this.#discard(record);
    else for (const [key, value] of transaction.buffered) this.#cache.set(key, uuid, value);
    if (decision.record !== undefined) this.#learn(decision.record);
    this.#committedTotal += 1;
    this.#outcomes.set(uuid, { kind: "committed", answer });
    this.#close(transaction);
    this.peers.noteCommit(decision, uuid);
    return answer;
  }

  /** Its request was committed by another attempt, so this one never will be: its data may go. */
  #discard({ id, writeSet }: CommitRecord): void {
    const names = [...writeSet].map((key) => this.#names.version(key, id.uuid));
    this.#engine.multiDelete(names).catch(() => {
      // The search for orphans will find it.
    });
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
    this.#open.remove(transaction);
    this.#operations.release(transaction);
    transaction.wakeAll();
    this.peers.noteEnd();
  }
}
