/**
 * @module A generated history before it goes anywhere: flat, in the order its transactions commit.
 *
 * Key and value are numbers; value 0 is the initial one. Transactions are numbered from 1 in commit
 * order, which for every store is an order that explains the history.
 */
import type { TransactionStatus } from "./history.ts";
import { Int32List } from "./int32-list.ts";

/** Where a history can be written to; a `HistoryBuilder` is one, so is a writer of text. */
export interface HistorySink {
  transaction(session: number, name: number, status: TransactionStatus): number;
  read(handle: number, key: number, value: number | null): void;
  write(handle: number, key: number, value: number): void;
}

export class Draft {
  readonly session = new Int32List();
  /** First operation of each transaction. */
  readonly start = new Int32List();
  /** Key × 2, plus 1 for a write. */
  readonly code = new Int32List();
  readonly value = new Int32List();
  readonly #unusual = new Map<number, TransactionStatus>();

  /** Begins the next transaction and gives its number, from 1. */
  begin(session: number, status: TransactionStatus = "committed"): number {
    this.session.push(session);
    this.start.push(this.code.length);
    if (status !== "committed") this.#unusual.set(this.session.length, status);
    return this.session.length;
  }

  read(key: number, value: number): void {
    this.code.push(key * 2);
    this.value.push(value);
  }

  write(key: number, value: number): void {
    this.code.push(key * 2 + 1);
    this.value.push(value);
  }

  get count(): number {
    return this.session.length;
  }

  /** First operation of a transaction, and one past its last. */
  range(transaction: number): readonly [number, number] {
    const end = transaction < this.count ? this.start.at(transaction) : this.code.length;
    return [this.start.at(transaction - 1), end];
  }

  emit(sink: HistorySink): void {
    for (let transaction = 1; transaction <= this.count; transaction += 1) {
      const status = this.#unusual.get(transaction) ?? "committed";
      const handle = sink.transaction(this.session.at(transaction - 1), transaction, status);
      const [begin, end] = this.range(transaction);
      for (let at = begin; at < end; at += 1) {
        const code = this.code.at(at);
        const value = this.value.at(at);
        if ((code & 1) === 1) sink.write(handle, code >> 1, value);
        else sink.read(handle, code >> 1, value === 0 ? null : value);
      }
    }
  }
}
