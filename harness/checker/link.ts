/**
 * @module Links every read to the operation that wrote what it saw; finds pairs written twice.
 *
 * Cost: O(operations) expected.
 */
import { DuplicateWriteError } from "./errors.ts";
import type { History } from "./history.ts";
import { Int32List } from "./int32-list.ts";
import { initialValue } from "./names.ts";
import { type Arrival, endOf } from "./sort.ts";
import { HashedWrites, NumberedWrites, type WriteTable } from "./write-table.ts";

/** What `History.link` says of a read of the initial value. */
export const linkInitial = -1;
/** What `History.link` says of a read of a value that nobody wrote. */
export const linkNobody = -2;

/** What was written: how many writes, and the largest value code. */
export interface Writes {
  readonly count: number;
  readonly maxValue: number;
  /** Whether all values are numbers, and so their own codes. */
  readonly areNumbers: boolean;
}

/** Whether an array indexed by value is no larger than a hash table would be. */
function isDense({ count, maxValue }: Writes): boolean {
  return maxValue <= 4 * count + 1_024;
}

/**
 * Fills `history.link` in the order of arrival, where a read mostly follows the write it saw closely:
 * the writer is in the cache then. False, and to be done again by `linkReads`, if values are not
 * numbers of their own.
 *
 * @param arrival  In one piece for each transaction, and what `history` lies on.
 */
export function linkArrived(history: History, arrival: Arrival, writes: Writes): boolean {
  if (!writes.areNumbers || !isDense(writes)) return false;
  const { code, value, link } = history;
  const { idOf, handles, starts } = arrival;
  const table = new NumberedWrites(writes.maxValue);
  const last = new LastWrites(history.keyCount);
  /** Reads whose writer has not arrived yet. */
  const early = new Int32List();
  for (let run = 0; run < handles.length; run += 1) {
    const id = idOf[handles[run] as number] as number;
    const upTo = endOf(arrival, run);
    for (let at = starts[run] as number; at < upTo; at += 1) {
      const keyAndKind = code[at] as number;
      const key = keyAndKind >> 1;
      const seen = value[at] as number;
      if ((keyAndKind & 1) === 1) {
        const before = last.replace(key, id, at);
        if (before >= 0) link[before] = ~id;
        link[at] = id;
        if (table.insert(key, seen, at) >= 0) return false;
      } else if (seen === initialValue) {
        link[at] = linkInitial;
      } else {
        const writer = table.find(key, seen);
        link[at] = writer < 0 ? linkNobody : writer;
        if (writer < 0) early.push(at);
      }
    }
  }
  for (let index = 0; index < early.length; index += 1) {
    const at = early.at(index);
    const writer = table.find((code[at] as number) >> 1, value[at] as number);
    if (writer >= 0) link[at] = writer;
  }
  return true;
}

/** Which transaction wrote each key last, and where: next to each other for the cache's sake. */
class LastWrites {
  readonly #slots: Int32Array;

  constructor(keyCount: number) {
    this.#slots = new Int32Array(keyCount * 2);
  }

  /** The same transaction's write of the key before this one, or -1. */
  replace(key: number, transaction: number, operation: number): number {
    const own = this.#slots[key * 2] === transaction;
    const before = own ? (this.#slots[key * 2 + 1] as number) : -1;
    this.#slots[key * 2] = transaction;
    this.#slots[key * 2 + 1] = operation;
    return before;
  }
}

/** Fills `history.link`. Throws `DuplicateWriteError`. */
export function linkReads(history: History, writes: Writes): void {
  if (writes.areNumbers && isDense(writes)) {
    const numbered = new NumberedWrites(writes.maxValue);
    // Two keys share a value: only the pair tells them apart.
    if (tabulate(history, numbered)) return linkThrough(history, numbered);
  }
  const hashed = new HashedWrites(writes.count);
  tabulate(history, hashed);
  linkThrough(history, hashed);
}

/**
 * Puts every write into the table, and tells it its transaction and whether it is that one's last of
 * the key. False if the table cannot hold this history.
 */
function tabulate(history: History, table: WriteTable): boolean {
  const { code, value, start, end, link, keyCount, transactionCount } = history;
  const last = new LastWrites(keyCount);
  for (let transaction = 1; transaction < transactionCount; transaction += 1) {
    const upTo = end[transaction] as number;
    for (let index = start[transaction] as number; index < upTo; index += 1) {
      const keyAndKind = code[index] as number;
      if ((keyAndKind & 1) === 0) continue;
      const key = keyAndKind >> 1;
      const previous = last.replace(key, transaction, index);
      if (previous >= 0) link[previous] = ~transaction;
      link[index] = transaction;
      const before = table.insert(key, value[index] as number, index);
      if (before < 0) continue;
      if ((code[before] as number) !== keyAndKind) return false;
      throw duplicate(history, before, index);
    }
  }
  return true;
}

function linkThrough({ code, value, link }: History, table: WriteTable): void {
  for (let index = 0; index < code.length; index += 1) {
    const keyAndKind = code[index] as number;
    if ((keyAndKind & 1) === 1) continue;
    const seen = value[index] as number;
    if (seen === initialValue) link[index] = linkInitial;
    else {
      const writer = table.find(keyAndKind >> 1, seen);
      link[index] = writer < 0 ? linkNobody : writer;
    }
  }
}

function duplicate(history: History, first: number, second: number): DuplicateWriteError {
  const writer = (index: number): string => {
    const link = history.link[index] as number;
    return history.transactionName(link < 0 ? ~link : link);
  };
  const { key, value } = history.operation(second);
  return new DuplicateWriteError({
    key: history.keyName(key),
    value: history.valueText(value),
    transactions: [writer(first), writer(second)],
  });
}
