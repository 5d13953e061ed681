/**
 * @module Global garbage collection (AFT §5.2): deletes from storage what is superseded and what no
 * live replica needs, oldest first.
 *
 * Invariants
 *   G1  Only superseded transactions are deleted, as shown by durable commits: that never becomes
 *       untrue, so whatever is late, repeated or decided on an outdated membership, no newest
 *       version is ever lost.
 *   G2  All members agree first, each incarnation for itself, and none of them came or went meanwhile;
 *       a reader elsewhere keeps its versions (if this fails it is told to retry, never misled).
 *   G3  The record is replaced by a "collected" one before the data goes, and deleted
 *       `outcomeRetentionMs` later (ARCHITECTURE, D11): at no instant is a record readable whose data
 *       is not.
 *   G4  A name in the commit set may belong to a request and be used again after its retention, so
 *       what stands there is looked at right before it is replaced or deleted.
 */
import type { Clock, Timer } from "#kit/clock.ts";
import type { Bytes } from "#kit/bytes.ts";
import type { StorageEngine, StorageKey } from "#shim/storage/port.ts";
import { firstOf } from "../protocol/commit-stream.ts";
import { isRequestPlace, type Names } from "../protocol/names.ts";
import { decodeOutcome, encodeCollected, type StoredOutcome } from "../protocol/record-codec.ts";
import { isSuperseded } from "../protocol/superseded.ts";
import { type CommitRecord, compareTransactionIds } from "../protocol/types.ts";
import { VersionIndex } from "../protocol/version-index.ts";
import { Committer, fenceRetentions } from "../replica/committer.ts";
import { GroupCommit } from "../replica/group-commit.ts";
import { deleteOrphans } from "../replica/recovery.ts";
import type { Transport } from "./port.ts";

export interface CollectionSettings {
  /** As the replicas have it. */
  readonly outcomeRetentionMs: number;
  readonly transactionTimeoutMs: number;
  /** Pause between two rounds while there is something to collect. */
  readonly gcIntervalMs: number;
  /** Transactions in one round. */
  readonly gcBatch: number;
  /** Pause between two searches for orphaned data; 0: never. */
  readonly orphanSweepMs: number;
}

export const defaultCollectionSettings: CollectionSettings = {
  outcomeRetentionMs: 300_000,
  transactionTimeoutMs: 60_000,
  gcIntervalMs: 50,
  gcBatch: 500,
  orphanSweepMs: 600_000,
};

export interface Voter {
  readonly id: string;
  readonly address: string;
  readonly incarnation: number;
}

interface Retained {
  readonly name: StorageKey;
  readonly uuid: string;
  readonly untilMs: number;
}

/** While nothing can be collected. */
const idlePauseMs = 250;

export class Collection {
  readonly #clock: Clock;
  readonly #transport: Transport;
  readonly #engine: StorageEngine;
  readonly #names: Names;
  readonly #settings: CollectionSettings;
  readonly #voters: () => readonly Voter[] | undefined;
  readonly #isLeader: () => boolean;
  readonly #onFailed: (what: string, cause: unknown) => void;
  readonly #index = new VersionIndex();
  readonly #committer: Committer;
  /** Names in the commit set whose content is known here. */
  readonly #known = new Set<StorageKey>();
  #superseded: CommitRecord[] = [];
  #sorted = true;
  #offset = 0;
  #retained: Retained[] = [];
  #fences: Retained[] = [];
  #timer: Timer | undefined;
  #orphanTimer: Timer | undefined;
  #closed = false;
  #collectedTotal = 0;
  #orphansDeletedTotal = 0;

  constructor(options: {
    clock: Clock;
    transport: Transport;
    engine: StorageEngine;
    names: Names;
    settings: CollectionSettings;
    /** Who must agree; `undefined` while somebody cannot be asked. */
    voters: () => readonly Voter[] | undefined;
    isLeader: () => boolean;
    onFailed: (what: string, cause: unknown) => void;
  }) {
    const { engine, names, clock, settings } = options;
    this.#clock = clock;
    this.#transport = options.transport;
    this.#engine = engine;
    this.#names = names;
    this.#settings = settings;
    this.#voters = options.voters;
    this.#isLeader = options.isLeader;
    this.#onFailed = options.onFailed;
    // Only for its fences; it never seals.
    const group = { maxGroupCommit: 1, maxGroupsInFlight: 1 };
    const groups = new GroupCommit({ engine, clock, settings: group });
    this.#committer = new Committer({ engine, names, groups, clock, settings });
  }

  start(): void {
    this.#scheduleRound(this.#settings.gcIntervalMs);
    this.#scheduleOrphans(0);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#orphanTimer?.cancel();
    this.#committer.close();
  }

  learn(record: CommitRecord): void {
    this.#known.add(this.#nameOf(record));
    const superseded = this.#index.add(record);
    if (superseded.length === 0) return;
    this.#superseded.push(...superseded);
    this.#sorted = false;
  }

  /** Takes over a record that only has to disappear in time. */
  retain(outcome: Exclude<StoredOutcome, { kind: "committed" }>, name: StorageKey): void {
    if (this.#known.has(name)) return;
    this.#known.add(name);
    const { outcomeRetentionMs, transactionTimeoutMs } = this.#settings;
    const nowMs = this.#clock.nowMs();
    const { uuid, kind } = outcome;
    if (kind === "collected") {
      this.#retained.push({ name, uuid, untilMs: nowMs + outcomeRetentionMs });
      return;
    }
    const keepMs = isRequestPlace(this.#names.parseCommit(name) ?? "")
      ? fenceRetentions * outcomeRetentionMs
      : outcomeRetentionMs + transactionTimeoutMs;
    this.#fences.push({ name, uuid, untilMs: nowMs + keepMs });
  }

  isKnown(name: StorageKey): boolean {
    return this.#known.has(name);
  }

  isSuperseded(record: CommitRecord): boolean {
    return isSuperseded(record, this.#index);
  }

  figures(): {
    knownTransactions: number;
    waitingForCollection: number;
    collectedTotal: number;
    orphansDeletedTotal: number;
  } {
    return {
      knownTransactions: this.#index.transactionCount,
      waitingForCollection: this.#superseded.length,
      collectedTotal: this.#collectedTotal,
      orphansDeletedTotal: this.#orphansDeletedTotal,
    };
  }

  /** One round; how many transactions it deleted. Rejects with a `StorageError`. */
  async collectOnce(): Promise<number> {
    if (!this.#isLeader()) return 0;
    await this.#deleteRetained();
    const voters = this.#voters();
    if (voters === undefined || this.#superseded.length === 0) return 0;
    if (!this.#sorted) {
      // Oldest first, the order in which readers miss versions least (AFT §5.2.1).
      this.#superseded.sort((a, b) => compareTransactionIds(a.id, b.id));
      this.#sorted = true;
    }
    const { gcBatch } = this.#settings;
    if (this.#offset >= this.#superseded.length) this.#offset = 0;
    const batch = firstOf(this.#superseded.slice(this.#offset, this.#offset + gcBatch), gcBatch);
    const agreed = await this.#ask(voters, batch);
    // Somebody still needs all of these: the next round looks behind them.
    this.#offset = agreed.size === 0 ? this.#offset + batch.length : 0;
    // G2: somebody who came meanwhile was not asked.
    if (agreed.size === 0 || this.#closed || !sameVoters(voters, this.#voters())) return 0;
    const doomed = batch.filter(({ id }) => agreed.has(id.uuid));
    await this.#delete(doomed);
    this.#superseded = this.#superseded.filter(({ id }) => !agreed.has(id.uuid));
    this.#collectedTotal += doomed.length;
    return doomed.length;
  }

  /** Which of them all voters agree to. */
  async #ask(
    voters: readonly Voter[],
    records: readonly CommitRecord[],
  ): Promise<ReadonlySet<string>> {
    const votes = await Promise.all(
      voters.map(async ({ id, address, incarnation }) => {
        try {
          const answer = await this.#transport.ask(address, { kind: "collectable", records });
          if (answer.kind !== "collectable") return new Set<string>();
          const { from } = answer;
          const isSame = from.id === id && from.incarnation === incarnation;
          return isSame ? new Set(answer.uuids) : new Set<string>();
        } catch {
          return new Set<string>();
        }
      }),
    );
    const all = records.map(({ id }) => id.uuid);
    return new Set(all.filter((uuid) => votes.every((vote) => vote.has(uuid))));
  }

  /** Services take few items a request, one request after another; several lanes keep up with commits. */
  async #delete(doomed: readonly CommitRecord[]): Promise<void> {
    await inLanes(doomed, (some) => this.#deleteSome(some));
  }

  async #deleteSome(doomed: readonly CommitRecord[]): Promise<void> {
    const standing = await this.#standing(
      doomed.filter(({ id, slot }) => isRequestPlace(placeOf(this.#names, id.uuid, slot))),
    );
    const isOurs = (record: CommitRecord): boolean => {
      const name = this.#nameOf(record);
      const place = standing.get(name);
      return !standing.has(name) || (place !== undefined && uuidOf(place) === record.id.uuid);
    };
    const ours = doomed.filter(isOurs);
    await this.#engine.multiPut(
      ours.map((record) => ({ key: this.#nameOf(record), value: encodeCollected(record) })),
    );
    await this.#engine.multiDelete(
      doomed.flatMap(({ id, writeSet }) =>
        [...writeSet].map((key) => this.#names.version(key, id.uuid)),
      ),
    );
    const untilMs = this.#clock.nowMs() + this.#settings.outcomeRetentionMs;
    for (const record of doomed) this.#index.remove(record);
    for (const record of ours)
      this.#retained.push({ name: this.#nameOf(record), uuid: record.id.uuid, untilMs });
  }

  /** What stands at the names of these now (G4). */
  async #standing(
    records: readonly CommitRecord[],
  ): Promise<ReadonlyMap<StorageKey, StoredOutcome | undefined>> {
    const names = records.map((record) => this.#nameOf(record));
    const standing = new Map<StorageKey, StoredOutcome | undefined>();
    if (names.length === 0) return standing;
    const values = await this.#engine.multiGet(names);
    for (const [index, name] of names.entries())
      standing.set(name, this.#decode(name, values[index]));
    return standing;
  }

  #decode(name: StorageKey, bytes: Bytes | undefined): StoredOutcome | undefined {
    const place = this.#names.parseCommit(name);
    if (place === undefined || bytes === undefined) return undefined;
    try {
      return decodeOutcome(place, bytes);
    } catch {
      // Unreadable: not ours to delete.
      return undefined;
    }
  }

  async #deleteRetained(): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const { gcBatch } = this.#settings;
    const outcomes = dueOf(this.#retained, nowMs, gcBatch);
    const fences = dueOf(this.#fences, nowMs, gcBatch);
    if (outcomes.length + fences.length === 0) return;
    await inLanes([...outcomes, ...fences], (some) => this.#deleteDue(some));
    this.#retained = this.#retained.slice(outcomes.length);
    this.#fences = this.#fences.slice(fences.length);
  }

  /** Deletes outcomes whose time is over, unless their name has been used again (G4). */
  async #deleteDue(due: readonly Retained[]): Promise<void> {
    const ofRequests = due.filter(({ name }) => isRequestPlace(this.#placeAt(name)));
    const values =
      ofRequests.length === 0
        ? []
        : await this.#engine.multiGet(ofRequests.map(({ name }) => name));
    const reused = new Set<StorageKey>();
    for (const [index, { name, uuid }] of ofRequests.entries()) {
      const found = this.#decode(name, values[index]);
      const isSame = found !== undefined && found.kind !== "committed" && uuidOf(found) === uuid;
      if (!isSame) reused.add(name);
    }
    const doomed = due.map(({ name }) => name).filter((name) => !reused.has(name));
    await this.#engine.multiDelete(doomed);
    for (const { name } of due) if (!reused.has(name)) this.#known.delete(name);
  }

  #scheduleRound(afterMs: number): void {
    if (this.#closed) return;
    this.#timer = this.#clock.schedule(afterMs * 1_000, () => {
      this.collectOnce().then(
        (count) => {
          this.#scheduleRound(count > 0 ? this.#settings.gcIntervalMs : idlePauseMs);
        },
        (cause: unknown) => {
          this.#onFailed("collecting garbage", cause);
          this.#scheduleRound(idlePauseMs);
        },
      );
    });
  }

  #scheduleOrphans(afterMs: number): void {
    if (this.#closed || this.#settings.orphanSweepMs === 0) return;
    this.#orphanTimer = this.#clock.schedule(afterMs * 1_000, () => {
      const again = (): void => {
        this.#scheduleOrphans(this.#settings.orphanSweepMs);
      };
      this.sweepOrphans().then(again, (cause: unknown) => {
        this.#onFailed("searching for orphaned data", cause);
        again();
      });
    });
  }

  /** Deletes data that no commit record claims. Rejects with a `StorageError`. */
  async sweepOrphans(): Promise<void> {
    if (!this.#isLeader()) return;
    this.#orphansDeletedTotal += await deleteOrphans({
      engine: this.#engine,
      names: this.#names,
      committer: this.#committer,
      clock: this.#clock,
      // Twice the time-out: a transaction may begin late and commit slowly.
      beforeMs: this.#clock.nowMs() - 2 * this.#settings.transactionTimeoutMs,
      isKnown: (uuid) => this.#index.find(uuid) !== undefined,
      onFenced: (fence, uuid) => {
        this.retain({ kind: "aborted", uuid }, fence);
      },
    });
  }

  #nameOf({ id, slot }: CommitRecord): StorageKey {
    return this.#names.commit(id.uuid, slot);
  }

  #placeAt(name: StorageKey): string {
    return this.#names.parseCommit(name) ?? "";
  }
}

const lanes = 8;
const fewestInLane = 25;

/** Rejects when a lane does, once all have ended. */
async function inLanes<T>(
  items: readonly T[],
  work: (some: readonly T[]) => Promise<void>,
): Promise<void> {
  const size = Math.max(fewestInLane, Math.ceil(items.length / lanes));
  const running: Promise<void>[] = [];
  for (let start = 0; start < items.length; start += size)
    running.push(work(items.slice(start, start + size)));
  const ended = await Promise.allSettled(running);
  const failed = ended.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

function placeOf(names: Names, uuid: string, slot: number | undefined): string {
  return names.parseCommit(names.commit(uuid, slot)) ?? "";
}

function uuidOf(outcome: StoredOutcome): string {
  return outcome.kind === "committed" ? outcome.record.id.uuid : outcome.uuid;
}

function sameVoters(asked: readonly Voter[], now: readonly Voter[] | undefined): boolean {
  if (now?.length !== asked.length) return false;
  const incarnations = new Map(asked.map(({ id, incarnation }) => [id, incarnation]));
  return now.every(({ id, incarnation }) => incarnations.get(id) === incarnation);
}

/** The first that are due, up to a number. */
function dueOf(retained: readonly Retained[], nowMs: number, most: number): readonly Retained[] {
  let due = 0;
  while (due < Math.min(retained.length, most) && (retained[due]?.untilMs ?? Infinity) <= nowMs)
    due += 1;
  return retained.slice(0, due);
}
