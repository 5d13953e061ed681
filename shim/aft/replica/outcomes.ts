/**
 * @module Remembered outcomes of ended transactions, bounded; for older ones storage is asked.
 *
 * Two generations instead of deleting the oldest entry each time: a map whose front entries are
 * deleted one by one gets slow to find its first one.
 */
import type { CommitAnswer, Refusal } from "./port.ts";

/** Final, or at least all that is known now; see `Replica.status`. */
export type Ended =
  | { readonly kind: "committed"; readonly answer: CommitAnswer }
  | { readonly kind: "aborted"; readonly refusal: Refusal };

export class Outcomes {
  #young = new Map<string, Ended>();
  #old = new Map<string, Ended>();
  readonly #perGeneration: number;

  /** Keeps at least half of `limit` outcomes, and never more than `limit`. */
  constructor(limit: number) {
    this.#perGeneration = Math.max(1, Math.floor(limit / 2));
  }

  get(uuid: string): Ended | undefined {
    return this.#young.get(uuid) ?? this.#old.get(uuid);
  }

  set(uuid: string, ended: Ended): void {
    this.#young.set(uuid, ended);
    if (this.#young.size < this.#perGeneration) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}
