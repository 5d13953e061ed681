/**
 * @module Vector clocks by transaction, kept only while somebody still needs them.
 *
 * The clock of t has, for each session, the last transaction that happened before t or is t. A clock
 * is needed by the session's next transaction and by every read from t; then its row is used again.
 * So memory is O(sessions × live transactions), not × all.
 */
import { Int32List } from "./int32-list.ts";

const rowsPerBlock = 256;

export class Clocks {
  /** Row of each transaction; valid while it is live. */
  readonly #row: Int32Array;
  /** How often each clock will still be asked for. */
  readonly #uses: Int32Array;
  readonly #free = new Int32List();
  readonly #blocks: Int32Array[] = [];
  readonly #rowLength: number;
  #rows = 0;

  /** `uses[t]`: how often `release(t)` will be called; is used up. */
  constructor(sessionCount: number, uses: Int32Array) {
    this.#rowLength = Math.max(1, sessionCount);
    this.#row = new Int32Array(uses.length);
    this.#uses = uses;
    // The initial transaction has row 0 for ever: nothing happened before it.
    this.#blocks.push(new Int32Array(rowsPerBlock * this.#rowLength));
    this.#rows = 1;
  }

  clear(transaction: number): void {
    const offset = this.offset(transaction);
    this.block(transaction).fill(0, offset, offset + this.#rowLength);
  }

  copy(to: number, from: number): void {
    const target = this.block(to);
    const source = this.block(from);
    const shift = this.offset(from) - this.offset(to);
    const begin = this.offset(to);
    for (let index = begin; index < begin + this.#rowLength; index += 1)
      target[index] = source[index + shift] as number;
  }

  /** Entry by entry the later of both. */
  join(to: number, from: number): void {
    const target = this.block(to);
    const source = this.block(from);
    const shift = this.offset(from) - this.offset(to);
    const begin = this.offset(to);
    for (let index = begin; index < begin + this.#rowLength; index += 1) {
      const other = source[index + shift] as number;
      if (other > (target[index] as number)) target[index] = other;
    }
  }

  /** The row as an array and an offset into it: no view is made for it. */
  block(transaction: number): Int32Array {
    return this.#blocks[(this.#row[transaction] as number) >>> 8] as Int32Array;
  }

  offset(transaction: number): number {
    return ((this.#row[transaction] as number) & (rowsPerBlock - 1)) * this.#rowLength;
  }

  /** Gives `transaction` a row; its content is left over from another. */
  allocate(transaction: number): void {
    let row: number;
    if (this.#free.length > 0) row = this.#free.pop();
    else {
      row = this.#rows++;
      if (row >>> 8 === this.#blocks.length)
        this.#blocks.push(new Int32Array(rowsPerBlock * this.#rowLength));
    }
    this.#row[transaction] = row;
    if (this.#uses[transaction] === 0) this.#free.push(row);
  }

  release(transaction: number): void {
    const left = (this.#uses[transaction] as number) - 1;
    this.#uses[transaction] = left;
    if (left === 0) this.#free.push(this.#row[transaction] as number);
  }
}
