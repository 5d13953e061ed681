/**
 * @module Who works on which item, and whom the service would refuse for it.
 *
 *   L1  A plain write of an item that a TransactWriteItems works on: TransactionConflictException.
 *   L2  A TransactWriteItems on such an item: cancelled, TransactionConflict.
 *   L3  A TransactGetItems with an item that anybody writes meanwhile: cancelled, TransactionConflict.
 *   L4  Plain reads go on: each sees the item before or after.
 *
 * A plain write that was there first is waited for: the documentation has it refuse nobody but L3.
 */
import { refused } from "./api-error.ts";

interface ItemState {
  inTransaction: boolean;
  readonly writes: Set<Promise<unknown>>;
  readonly reads: Set<TransactionalRead>;
}

interface TransactionalRead {
  /** Ids of items that somebody wrote meanwhile. */
  readonly disturbed: Set<string>;
}

export class ItemLocks {
  readonly #items = new Map<string, ItemState>();

  /** Performs a plain write of these items. @throws ApiError (L1) */
  async write<T>(ids: readonly string[], work: () => Promise<T>): Promise<T> {
    if (ids.some((id) => this.#items.get(id)?.inTransaction === true))
      throw refused("TransactionConflictException", "Transaction is ongoing for the item");
    const written = work();
    const states = ids.map((id) => this.#touch(id));
    for (const state of states) state.writes.add(written);
    try {
      return await written;
    } finally {
      for (const state of states) state.writes.delete(written);
      this.#tidy(ids);
    }
  }

  /** The items that somebody else's transaction works on; when there are none, they are this one's. */
  async lock(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const taken = new Set(ids.filter((id) => this.#items.get(id)?.inTransaction === true));
    if (taken.size > 0) return taken;
    const states = ids.map((id) => this.#touch(id));
    for (const state of states) state.inTransaction = true;
    await Promise.allSettled(states.flatMap(({ writes }) => [...writes]));
    return taken;
  }

  unlock(ids: readonly string[]): void {
    for (const id of ids) {
      const state = this.#items.get(id);
      if (state !== undefined) state.inTransaction = false;
    }
    this.#tidy(ids);
  }

  /** What `work` reads, and which of the items somebody wrote meanwhile (L3); then it is worth nothing. */
  async read<T>(
    ids: readonly string[],
    work: () => Promise<T>,
  ): Promise<{ readonly result: T | undefined; readonly disturbed: ReadonlySet<string> }> {
    const busy = ids.filter((id) => {
      const state = this.#items.get(id);
      return state !== undefined && (state.inTransaction || state.writes.size > 0);
    });
    const read: TransactionalRead = { disturbed: new Set(busy) };
    if (busy.length > 0) return { result: undefined, disturbed: read.disturbed };
    const states = ids.map((id) => this.#stateOf(id));
    for (const state of states) state.reads.add(read);
    try {
      return { result: await work(), disturbed: read.disturbed };
    } finally {
      for (const state of states) state.reads.delete(read);
      this.#tidy(ids);
    }
  }

  /** An item that is about to be written. */
  #touch(id: string): ItemState {
    const state = this.#stateOf(id);
    for (const { disturbed } of state.reads) disturbed.add(id);
    return state;
  }

  #stateOf(id: string): ItemState {
    const known = this.#items.get(id);
    if (known !== undefined) return known;
    const state: ItemState = { inTransaction: false, writes: new Set(), reads: new Set() };
    this.#items.set(id, state);
    return state;
  }

  #tidy(ids: readonly string[]): void {
    for (const id of ids) {
      const state = this.#items.get(id);
      if (state === undefined || state.inTransaction) continue;
      if (state.writes.size === 0 && state.reads.size === 0) this.#items.delete(id);
    }
  }
}
