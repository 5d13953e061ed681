/**
 * @module What a cluster may do with one of its replicas: tell it of commits made elsewhere, hear of
 * its own, ask whether it is done with a superseded one, and stop it from taking new work.
 *
 * Invariants
 *   V1  Commits enter the index whole and only if they are not superseded here, so whatever subset
 *       of all commits a replica knows, its newest versions are an atomic read set (D10 holds).
 *   V2  "Superseded here" never becomes untrue: the newest version of a key is never removed. So a
 *       replica that agreed to a global deletion needs no memory of it: a late message about that
 *       transaction is refused because it is superseded.
 */
import type { Clock } from "#kit/clock.ts";
import type { StorageEngine, StorageKey } from "#shim/storage/port.ts";
import type { Names } from "../protocol/names.ts";
import { isSuperseded } from "../protocol/superseded.ts";
import type { CommitRecord } from "../protocol/types.ts";
import type { VersionIndex } from "../protocol/version-index.ts";
import type { StoredOutcome } from "../protocol/record-codec.ts";
import type { Decision } from "./committer.ts";
import { readCommitSet } from "./recovery.ts";
import type { ReplicaIncident } from "./options.ts";
import type { Refusal } from "./port.ts";
import { refuse } from "./refuse.ts";

export interface PeerViewOptions {
  readonly index: VersionIndex;
  readonly engine: StorageEngine;
  readonly names: Names;
  readonly clock: Clock;
  /** Makes a commit visible. */
  readonly learn: (record: CommitRecord) => void;
  /** Told of commits of running replicas once they are visible; not of what is read from storage. */
  readonly onMerged: (records: readonly CommitRecord[]) => void;
  readonly openCount: () => number;
  readonly onIncident: (incident: ReplicaIncident) => void;
}

export class PeerView {
  readonly #options: PeerViewOptions;
  #stopped: Refusal | undefined;
  #whenEmpty: (() => void)[] = [];
  /** Told of each commit made here, once it is durable and visible here. */
  onCommit: ((record: CommitRecord) => void) | undefined;

  /** Told when data of a version is gone: this replica has missed what superseded it. */
  onMissing: (() => void) | undefined;

  constructor(options: PeerViewOptions) {
    this.#options = options;
  }

  /** Why new transactions are refused; `undefined` while they are welcome. */
  get admission(): Refusal | undefined {
    return this.#stopped;
  }

  /** Takes over durable commits made elsewhere; how many were news here. */
  merge(records: readonly CommitRecord[]): number {
    const news = records.filter((record) => this.#take(record));
    if (news.length > 0) this.#options.onMerged(news);
    return news.length;
  }

  /** Whether no reader here needs that transaction now, or ever will. */
  isCollectable(record: CommitRecord): boolean {
    const { index } = this.#options;
    return index.find(record.id.uuid) === undefined && isSuperseded(record, index);
  }

  /** Whether peers need to hear of a commit of ours (AFT §4.1). */
  isSuperseded(record: CommitRecord): boolean {
    return isSuperseded(record, this.#options.index);
  }

  /**
   * Reads the commit set and takes over what is in it.
   *
   * @param options.onOther  Told of records that are not taken over: superseded ones, collected ones, markers.
   * @param options.read     Names that need not be read, and to which those are added that were: what
   *   was taken over once is there or superseded, and stays so (V2).
   * Rejects with a `StorageError`; what was read until then has been taken over.
   */
  async rescan(
    options: {
      readonly onOther?: (outcome: StoredOutcome, name: StorageKey) => void;
      readonly read?: Set<StorageKey>;
    } = {},
  ): Promise<void> {
    const { engine, names, clock, onIncident } = this.#options;
    const { onOther, read } = options;
    await readCommitSet({
      engine,
      names,
      clock,
      ...(read !== undefined && { isKnown: (name) => read.has(name) }),
      onOutcome: (outcome, name) => {
        read?.add(name);
        const isNews = outcome.kind === "committed" && this.#take(outcome.record);
        if (!isNews) onOther?.(outcome, name);
      },
      onCorrupt: (error) => {
        onIncident({ kind: "corrupt_record", message: error.message, cause: error });
      },
    });
  }

  /** Whether it was news. */
  #take(record: CommitRecord): boolean {
    const { index, learn } = this.#options;
    if (index.find(record.id.uuid) !== undefined || isSuperseded(record, index)) return false;
    learn(record);
    return true;
  }

  /** Refuses new transactions from now on; open ones go on. */
  stopAdmitting(code: "joining" | "draining"): void {
    const why = code === "joining" ? "is still joining its cluster" : "is about to leave";
    this.#stopped = refuse(code, `this replica ${why}; begin on another one`);
  }

  admit(): void {
    this.#stopped = undefined;
  }

  /** Resolves once no transaction is open. */
  whenEmpty(): Promise<void> {
    if (this.#options.openCount() === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenEmpty.push(resolve);
    });
  }

  /** To be called with the decision about a transaction of this replica. */
  noteCommit(decision: Decision, uuid: string): void {
    if (decision.kind === "committed" && decision.transactionId === uuid && decision.record)
      this.onCommit?.(decision.record);
  }

  /** To be called when a transaction ends. */
  noteEnd(): void {
    if (this.#whenEmpty.length === 0 || this.#options.openCount() > 0) return;
    const waiting = this.#whenEmpty;
    this.#whenEmpty = [];
    for (const resume of waiting) resume();
  }
}
