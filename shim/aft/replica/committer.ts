/**
 * @module Takes a transaction from "commit" to a final outcome (AFT §3.3), whatever storage does.
 *
 * Invariants
 *   C1  "committed" is said only after storage acknowledged the record, or showed it to us.
 *   C2  "aborted" is said only when the record is surely absent and can never appear: storage
 *       refused it, or a fence stands in its place.
 *   C3  Anything else is "unknown", and is pursued until it is one of the two.
 *   C4  Of all attempts of a tagged request at most one is ever committed, on whichever replica:
 *       they walk the same slots in the same order (`names.ts`), each slot is filled by one
 *       conditional put, a record ends the walk, a marker lets all but its own attempt pass. So
 *       whoever fences an attempt has passed every slot it could have committed in.
 */
import type { Clock } from "#kit/clock.ts";
import { delay } from "#kit/clock.ts";
import { StorageUnavailableError } from "#shim/storage/errors.ts";
import type { SealedWrite, SealOutcome, StorageEngine, StorageKey } from "#shim/storage/port.ts";
import { commitPlace, type Names } from "../protocol/names.ts";
import { decodeOutcome, encodeOutcome, type StoredOutcome } from "../protocol/record-codec.ts";
import { type CommitRecord, requestTagOf } from "../protocol/types.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { ReplicaSettings } from "./options.ts";

/** What is finally true about a transaction. */
export type Decision =
  | {
      readonly kind: "committed";
      /** Another id than was asked about: its request was committed by that attempt instead. */
      readonly transactionId: string;
      readonly timestampUs: number;
      /** As far as it is still known. */
      readonly record?: CommitRecord;
    }
  | {
      readonly kind: "aborted";
      readonly cause: unknown;
      /** The marker that was put to make it true, if one was. */
      readonly fence?: StorageKey;
    };

/** First and longest pause between attempts to learn an outcome. */
const firstPauseUs = 5_000;
const longestPauseUs = 2_000_000;

/** A request's markers are kept so many times longer than outcomes. */
export const fenceRetentions = 12;

/** A transaction that wants to commit. */
export interface CommitToDecide {
  readonly record: CommitRecord;
  /** Data and record for that slot. */
  readonly planWrite: (record: CommitRecord) => SealedWrite;
  /** Told why, each time storage left the outcome open. */
  readonly onDoubt: (cause: unknown) => void;
}

export class Committer {
  readonly #engine: StorageEngine;
  readonly #names: Names;
  readonly #groups: GroupCommit;
  readonly #clock: Clock;
  readonly #walkFencesForMs: number;
  #closed = false;

  constructor(options: {
    engine: StorageEngine;
    names: Names;
    groups: GroupCommit;
    clock: Clock;
    settings: Pick<ReplicaSettings, "outcomeRetentionMs">;
  }) {
    this.#engine = options.engine;
    this.#names = options.names;
    this.#groups = options.groups;
    this.#clock = options.clock;
    // One retention before a marker may go: a commit behind it is recognised for that long.
    this.#walkFencesForMs = (fenceRetentions - 1) * options.settings.outcomeRetentionMs;
  }

  /** Gives up pursuing; decisions under way then stay unsettled for ever, as in a crash. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Writes data and record, and pursues the outcome until it is known.
   *
   * @param settle  Called once with the decision, unless storage stays down for ever. Must not throw.
   */
  decide(commit: CommitToDecide, settle: (decision: Decision) => void): void {
    const { record, planWrite } = commit;
    this.#groups.seal(planWrite(record), (outcome) => {
      if (outcome.kind === "sealed") settle(committedBy(record));
      else void this.#pursue(commit, outcome).then(settle);
    });
  }

  async #pursue(commit: CommitToDecide, first: SealOutcome): Promise<Decision> {
    const { planWrite, onDoubt } = commit;
    let { record } = commit;
    const { uuid } = record.id;
    let outcome = first;
    let pauseUs = firstPauseUs;
    let mayExist = false;
    const sealAgain = (): Promise<SealOutcome> =>
      new Promise((resolve) => {
        this.#groups.seal(planWrite(record), resolve);
      });
    for (;;) {
      if (outcome.kind === "sealed") return committedBy(record);
      if (outcome.kind === "alreadySealed") {
        const found = await this.#look(commitPlace(uuid, record.slot), onDoubt);
        const verdict = found === undefined ? undefined : this.#judge(uuid, found);
        if (verdict === "next") {
          record = { ...record, slot: (record.slot ?? 0) + 1 };
          mayExist = false;
          outcome = await sealAgain();
          continue;
        }
        if (verdict !== undefined) return verdict;
        // What stands there could not be read, and may be ours: a client library that repeats a request
        // is told that its own first one was there before.
        mayExist = true;
      } else {
        // The first refusal without effect is final: nothing was written under the record's name.
        if (outcome.error.effect === "none" && !mayExist)
          return { kind: "aborted", cause: outcome.error };
        mayExist = true;
        onDoubt(outcome.error);
      }
      await this.#pause(pauseUs);
      pauseUs = Math.min(pauseUs * 2, longestPauseUs);
      outcome = await sealAgain();
    }
  }

  /**
   * The outcome of a transaction that is not open here, from storage; an undecided one is fenced,
   * so that "aborted" stays true whatever is still under way.
   *
   * Rejects with a `StorageError` or `CorruptRecordError` when it cannot be told now.
   */
  async decideForeign(uuid: string): Promise<Decision> {
    for (let slot = 0; ; slot += 1) {
      const place = commitPlace(uuid, slot);
      let found = await this.#read(place);
      if (found === undefined) {
        const fence = this.#names.commit(uuid, slot);
        const marker = encodeOutcome({ kind: "aborted", uuid, slot, ...this.#fenceTime(uuid) });
        if (await this.#engine.putIfAbsent(fence, marker))
          return { kind: "aborted", cause: "it had not committed, and now never will", fence };
        found = await this.#read(place);
        if (found === undefined) throw this.#unreadable(fence);
      }
      const verdict = this.#judge(uuid, found);
      if (verdict !== "next") return verdict;
    }
  }

  /** The recorded outcome, without fencing; `undefined` where nothing is recorded. */
  async find(uuid: string): Promise<Decision | undefined> {
    for (let slot = 0; ; slot += 1) {
      const found = await this.#read(commitPlace(uuid, slot));
      if (found === undefined) return undefined;
      const verdict = this.#judge(uuid, found);
      if (verdict !== "next") return verdict;
    }
  }

  /** What an occupied slot means to an attempt; "next" where it may go on to the next slot. */
  #judge(uuid: string, found: StoredOutcome): Decision | "next" {
    switch (found.kind) {
      case "committed":
        return committedBy(found.record);
      case "collected":
        return { kind: "committed", transactionId: found.uuid, timestampUs: found.timestampUs };
      case "aborted": {
        if (found.uuid === uuid)
          return { kind: "aborted", cause: "it was fenced by a question about its outcome" };
        // Soon it will be cleared away: whoever committed behind it would not be found any more.
        if (this.#clock.nowMs() - (found.fencedAtMs ?? 0) > this.#walkFencesForMs)
          return {
            kind: "aborted",
            cause: "a marker in its way is about to be cleared; try later",
          };
        return "next";
      }
    }
  }

  #fenceTime(uuid: string): { fencedAtMs?: number } {
    return requestTagOf(uuid) === undefined ? {} : { fencedAtMs: Math.trunc(this.#clock.nowMs()) };
  }

  async #look(
    place: string,
    onDoubt: (cause: unknown) => void,
  ): Promise<StoredOutcome | undefined> {
    try {
      return await this.#read(place);
    } catch (error) {
      onDoubt(error);
      return undefined;
    }
  }

  async #read(place: string): Promise<StoredOutcome | undefined> {
    const bytes = await this.#engine.get(this.#names.commitAt(place));
    return bytes === undefined ? undefined : decodeOutcome(place, bytes);
  }

  #unreadable(key: StorageKey): StorageUnavailableError {
    return new StorageUnavailableError({
      engine: this.#engine.name,
      operation: "get",
      key,
      effect: "none",
      cause: "an existing record cannot be read back",
    });
  }

  async #pause(pauseUs: number): Promise<void> {
    // A closed committer must not touch storage again: another process may own it by now.
    if (this.#closed) await new Promise<never>(() => {});
    await delay(this.#clock, pauseUs);
    if (this.#closed) await new Promise<never>(() => {});
  }
}

function committedBy(record: CommitRecord): Decision {
  const { uuid: transactionId, timestampUs } = record.id;
  return { kind: "committed", transactionId, timestampUs, record };
}
