/**
 * @module What the levels judge: who read which key from whom, and who wrote which keys.
 *
 *   1. Session s is a contiguous range of ids in session order; id 0 is the initial transaction.
 *   2. Reads are external ones, in program order, never twice the same in a row.
 *   3. Writes are the keys, each once. Transactions that do not count have neither.
 *
 * Reads are consistent here already (`prepare.ts`). A subset of the transactions is again such a
 * problem; dropping transactions drops demands and adds none, so what a subset violates, all do.
 */
export interface Transactions {
  /** With the initial one. */
  readonly count: number;
  readonly keyCount: number;
  readonly sessionCount: number;
  readonly sessionOf: Int32Array;
  readonly readStart: Int32Array;
  readonly readKey: Int32Array;
  readonly readSource: Int32Array;
  readonly writeStart: Int32Array;
  readonly writeKey: Int32Array;
}

/** A subset with its own numbering, and how to get back. */
export interface Subset extends Transactions {
  /** Of each transaction, its id in the whole. */
  readonly idOf: Int32Array;
  /** Of each key, its number in the whole. */
  readonly keyOf: Int32Array;
}

/**
 * The problem that `ids` (ascending, without 0) form by themselves. Reads from elsewhere are dropped.
 * Cost: O(operations of the subset × log).
 */
export function subsetOf(whole: Transactions, ids: readonly number[]): Subset {
  const newId = new Map<number, number>([[0, 0]]);
  for (const id of ids) newId.set(id, newId.size);
  const newKey = new Map<number, number>();
  const keyNumber = (key: number): number => {
    const known = newKey.get(key);
    if (known !== undefined) return known;
    newKey.set(key, newKey.size);
    return newKey.size - 1;
  };
  const newSession = new Map<number, number>();
  const sessionOf: number[] = [-1];
  const readStart: number[] = [0, 0];
  const readKey: number[] = [];
  const readSource: number[] = [];
  const writeStart: number[] = [0, 0];
  const writeKey: number[] = [];
  for (const id of ids) {
    const session = whole.sessionOf[id] as number;
    if (!newSession.has(session)) newSession.set(session, newSession.size);
    sessionOf.push(newSession.get(session) ?? 0);
    const readEnd = whole.readStart[id + 1] as number;
    for (let index = whole.readStart[id] as number; index < readEnd; index += 1) {
      const source = newId.get(whole.readSource[index] as number);
      if (source === undefined) continue;
      readKey.push(keyNumber(whole.readKey[index] as number));
      readSource.push(source);
    }
    readStart.push(readKey.length);
    const writeEnd = whole.writeStart[id + 1] as number;
    for (let index = whole.writeStart[id] as number; index < writeEnd; index += 1)
      writeKey.push(keyNumber(whole.writeKey[index] as number));
    writeStart.push(writeKey.length);
  }
  return {
    count: ids.length + 1,
    keyCount: newKey.size,
    sessionCount: newSession.size,
    sessionOf: Int32Array.from(sessionOf),
    readStart: Int32Array.from(readStart),
    readKey: Int32Array.from(readKey),
    readSource: Int32Array.from(readSource),
    writeStart: Int32Array.from(writeStart),
    writeKey: Int32Array.from(writeKey),
    idOf: Int32Array.from([0, ...ids]),
    keyOf: Int32Array.from(newKey.keys()),
  };
}

/**
 * "Does t write x?" in O(1) or O(log): small write sets are scanned, large ones sorted when first
 * asked about, so that a history of small transactions never pays for it.
 */
export class WriteSets {
  readonly #start: Int32Array;
  readonly #keys: Int32Array;
  readonly #sorted: Uint8Array;

  constructor(transactions: Transactions) {
    this.#start = transactions.writeStart;
    this.#keys = transactions.writeKey;
    this.#sorted = new Uint8Array(transactions.count);
  }

  has(transaction: number, key: number): boolean {
    let low = this.#start[transaction] as number;
    let high = this.#start[transaction + 1] as number;
    const keys = this.#keys;
    if (high - low > 16) {
      if (this.#sorted[transaction] === 0) {
        keys.subarray(low, high).sort();
        this.#sorted[transaction] = 1;
      }
      while (high - low > 8) {
        const middle = (low + high) >>> 1;
        if ((keys[middle] as number) <= key) low = middle;
        else high = middle;
      }
    }
    for (; low < high; low += 1) if (keys[low] === key) return true;
    return false;
  }
}
