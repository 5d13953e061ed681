/**
 * @module Remembered outcomes of ended transactions, bounded; for older ones storage is asked.
 *
 * Two generations instead of deleting the oldest entry each time: a map whose front entries are
 * deleted one by one gets slow to find its first one.
 */
import { UuidMap } from "../protocol/uuid-map.ts";
import type { CommitAnswer, Refusal } from "./port.ts";

/** Final, or at least all that is known now; see `Replica.status`. */
export type Ended =
  | { readonly kind: "committed"; readonly answer: CommitAnswer }
  | { readonly kind: "aborted"; readonly refusal: Refusal };

/** Timestamp of a commit by the transaction itself, which nearly all are: a number is no object. */
type Kept = Ended | number;

export class Outcomes {
  #young = new UuidMap<Kept>();
  #old = new UuidMap<Kept>();
  readonly #perGeneration: number;

  /** Keeps at least half of `limit` outcomes, and never more than `limit`. */
  constructor(limit: number) {
    this.#perGeneration = Math.max(1, Math.floor(limit / 2));
  }

  get(uuid: string): Ended | undefined {
    const kept = this.#young.get(uuid) ?? this.#old.get(uuid);
    if (typeof kept !== "number") return kept;
    const answer: CommitAnswer = { kind: "committed", timestampUs: kept, transactionId: uuid };
    return { kind: "committed", answer };
  }

  set(uuid: string, ended: Ended): void {
    if (ended.kind === "committed" && isOwn(ended.answer, uuid))
      this.#young.set(uuid, ended.answer.timestampUs);
    else this.#young.set(uuid, ended);
    if (this.#young.size < this.#perGeneration) return;
    this.#old = this.#young;
    this.#young = new UuidMap();
  }
}

/** Committed as itself, not by another attempt of its request. */
function isOwn(
  answer: CommitAnswer,
  uuid: string,
): answer is Extract<CommitAnswer, { kind: "committed" }> {
  return answer.kind === "committed" && answer.transactionId === uuid;
}
