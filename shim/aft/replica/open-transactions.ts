/**
 * @module The open transactions of a replica: found by id, and in the order in which they began.
 *
 * The order is a ring through the transactions; one that has ended leads to no other.
 */
import { UuidMap } from "../protocol/uuid-map.ts";
import type { Transaction } from "./transaction.ts";

export class OpenTransactions {
  readonly #byUuid = new UuidMap<Transaction>();
  #first: Transaction | undefined;
  #last: Transaction | undefined;

  get size(): number {
    return this.#byUuid.size;
  }

  has(uuid: string): boolean {
    return this.#byUuid.has(uuid);
  }

  get(uuid: string): Transaction | undefined {
    return this.#byUuid.get(uuid);
  }

  /** To be called in the order of `beginSequence`; once for an id. */
  add(transaction: Transaction): void {
    this.#byUuid.set(transaction.uuid, transaction);
    transaction.before = this.#last;
    if (this.#last === undefined) this.#first = transaction;
    else this.#last.after = transaction;
    this.#last = transaction;
  }

  /** Idempotent. */
  remove(transaction: Transaction): void {
    if (!this.#byUuid.delete(transaction.uuid)) return;
    const { before, after } = transaction;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    transaction.before = undefined;
    transaction.after = undefined;
  }

  /** Begin sequence of the oldest one; infinite without any. */
  get oldestBegin(): number {
    return this.#first?.beginSequence ?? Infinity;
  }

  /** Oldest first; the one handed out may be removed before the next is asked for. */
  *inOrder(): Generator<Transaction> {
    for (let next = this.#first; next !== undefined;) {
      const { after } = next;
      yield next;
      next = after;
    }
  }
}
