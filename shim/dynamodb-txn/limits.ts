/**
 * @module What one DynamoDB transaction may hold, refused before it is sent.
 *
 * Source    "Quotas in Amazon DynamoDB" and "Amazon DynamoDB Transactions: How it works", Developer Guide: 100
 *           actions and 4 MB a transaction, 400 KB an item with its names.
 */
import { StateError } from "#shim/state/port.ts";

/** Beside them stands the request's record. */
export const mostWrites = 99;
export const mostReads = 100;
const mostBytes = 4 * 1_048_576;
const mostItemBytes = 400 * 1_024;
/** Names of attributes, sort key, order number. */
const overheadBytes = 32;
/** Partition keys may have 2,048 bytes; ours begin with a name of the system's. */
const mostKeyBytes = 2_000;

/** The sizes of what a transaction has kept so far. */
export class KeptSizes {
  readonly #sizes = new Map<string, number>();
  #bytes = 0;

  /** Counts a write, in place of an earlier one of its key. @throws StateError `limit_exceeded` */
  add(key: string, valueBytes: number): void {
    const keyBytes = Buffer.byteLength(key);
    if (keyBytes > mostKeyBytes) throw exceeded(`a key may have ${mostKeyBytes} bytes`, keyBytes);
    const itemBytes = keyBytes + valueBytes + overheadBytes;
    if (itemBytes > mostItemBytes)
      throw exceeded(`an item may have ${mostItemBytes} bytes with its names`, itemBytes);
    const before = this.#sizes.get(key);
    if (before === undefined && this.#sizes.size >= mostWrites)
      throw exceeded(`a transaction may write ${mostWrites} keys`, mostWrites + 1);
    const bytes = this.#bytes + itemBytes - (before ?? 0);
    if (bytes > mostBytes) throw exceeded(`a transaction may have ${mostBytes} bytes`, bytes);
    this.#sizes.set(key, itemBytes);
    this.#bytes = bytes;
  }
}

/** @throws StateError `limit_exceeded` */
export function checkReads(keys: readonly string[]): void {
  if (keys.length > mostReads)
    throw exceeded(`a transaction may read ${mostReads} keys at once`, keys.length);
}

function exceeded(limit: string, wanted: number): StateError {
  return new StateError({
    code: "limit_exceeded",
    disposition: "abort",
    message: `DynamoDB: ${limit}, not ${wanted}: split the transaction`,
  });
}
