/** @module Remembered outcomes of ended transactions, bounded; for older ones storage is asked. */
import type { CommitAnswer, Refusal } from "./port.ts";

/** Final, or at least all that is known now; see `Replica.status`. */
export type Ended =
  | { readonly kind: "committed"; readonly answer: CommitAnswer }
  | { readonly kind: "aborted"; readonly refusal: Refusal };

export class Outcomes {
  readonly #ended = new Map<string, Ended>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(uuid: string): Ended | undefined {
    return this.#ended.get(uuid);
  }

  /** Remembers; at the limit the oldest one is forgotten. */
  set(uuid: string, ended: Ended): void {
    this.#ended.set(uuid, ended);
    if (this.#ended.size <= this.#limit) return;
    const oldest = this.#ended.keys().next();
    if (oldest.done !== true) this.#ended.delete(oldest.value);
  }
}
