/**
 * @module Takes a transaction from "commit" to a final outcome (AFT §3.3), whatever storage does.
 *
 * Invariants
 *   C1  "committed" is said only after storage acknowledged the record, or showed it to us.
 *   C2  "aborted" is said only when the record is surely absent and can never appear: storage
 *       refused it, or a fence stands in its place.
 *   C3  Anything else is "unknown", and is pursued until it is one of the two.
 */
import type { Clock } from "#kit/clock.ts";
import { delay } from "#kit/clock.ts";
import { StorageUnavailableError } from "#shim/storage/errors.ts";
import type { SealedWrite, StorageEngine } from "#shim/storage/port.ts";
import type { Names } from "../protocol/names.ts";
import { decodeOutcome, encodeOutcome, type StoredOutcome } from "../protocol/record-codec.ts";
import type { GroupCommit } from "./group-commit.ts";

/** What is finally true about a transaction. */
export type Decision =
  | { readonly kind: "committed"; readonly timestampUs: number }
  | { readonly kind: "aborted"; readonly cause: unknown };

/** First and longest pause between attempts to learn an outcome. */
const firstPauseUs = 5_000;
const longestPauseUs = 2_000_000;

export class Committer {
  readonly #engine: StorageEngine;
  readonly #names: Names;
  readonly #groups: GroupCommit;
  readonly #clock: Clock;
  #closed = false;

  constructor(options: { engine: StorageEngine; names: Names; groups: GroupCommit; clock: Clock }) {
    this.#engine = options.engine;
    this.#names = options.names;
    this.#groups = options.groups;
    this.#clock = options.clock;
  }

  /** Gives up pursuing; decisions under way then stay unsettled for ever, as in a crash. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Writes data and record, and pursues the outcome until it is known.
   *
   * @param onDoubt  Told why, each time storage left the outcome open.
   * Never rejects; may take for ever while storage is down.
   */
  async decide(options: {
    readonly uuid: string;
    readonly timestampUs: number;
    readonly write: SealedWrite;
    readonly onDoubt: (cause: unknown) => void;
  }): Promise<Decision> {
    const { uuid, timestampUs, write, onDoubt } = options;
    let pauseUs = firstPauseUs;
    let mayExist = false;
    for (;;) {
      const outcome = await this.#groups.seal(write);
      if (outcome.kind === "sealed") return { kind: "committed", timestampUs };
      if (outcome.kind === "alreadySealed") {
        const found = await this.#look(uuid, onDoubt);
        if (found !== undefined && found !== "nothing") return found;
      } else {
        // The first refusal without effect is final: nothing was written under the record's name.
        if (outcome.error.effect === "none" && !mayExist)
          return { kind: "aborted", cause: outcome.error };
        mayExist = true;
        onDoubt(outcome.error);
      }
      await this.#pause(pauseUs);
      pauseUs = Math.min(pauseUs * 2, longestPauseUs);
    }
  }

  /**
   * The outcome of a transaction that is not open here, from storage; an undecided one is fenced,
   * so that "aborted" stays true whatever is still under way.
   *
   * Rejects with a `StorageError` or `CorruptRecordError` when it cannot be told now.
   */
  async decideForeign(uuid: string): Promise<Decision> {
    const found = await this.#read(uuid);
    if (found !== undefined) return found;
    const marker = encodeOutcome({ kind: "aborted", uuid });
    if (await this.#engine.putIfAbsent(this.#names.commit(uuid), marker))
      return { kind: "aborted", cause: "it had not committed, and now never will" };
    const winner = await this.#read(uuid);
    if (winner !== undefined) return winner;
    throw new StorageUnavailableError({
      engine: this.#engine.name,
      operation: "get",
      key: this.#names.commit(uuid),
      effect: "none",
      cause: "an existing record cannot be read back",
    });
  }

  /** The recorded outcome, without fencing; `undefined` where nothing is recorded. */
  find(uuid: string): Promise<Decision | undefined> {
    return this.#read(uuid);
  }

  async #look(
    uuid: string,
    onDoubt: (cause: unknown) => void,
  ): Promise<Decision | "nothing" | undefined> {
    try {
      return (await this.#read(uuid)) ?? "nothing";
    } catch (error) {
      onDoubt(error);
      return undefined;
    }
  }

  async #read(uuid: string): Promise<Decision | undefined> {
    const bytes = await this.#engine.get(this.#names.commit(uuid));
    return bytes === undefined ? undefined : toDecision(decodeOutcome(uuid, bytes));
  }

  async #pause(pauseUs: number): Promise<void> {
    // A closed committer must not touch storage again: another process may own it by now.
    if (this.#closed) await new Promise<never>(() => {});
    await delay(this.#clock, pauseUs);
    if (this.#closed) await new Promise<never>(() => {});
  }
}

function toDecision(outcome: StoredOutcome): Decision {
  switch (outcome.kind) {
    case "committed":
      return { kind: "committed", timestampUs: outcome.record.id.timestampUs };
    case "collected":
      return { kind: "committed", timestampUs: outcome.timestampUs };
    case "aborted":
      return { kind: "aborted", cause: "it was fenced by a question about its outcome" };
  }
}
