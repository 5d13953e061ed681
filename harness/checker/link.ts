/**
 * @module Links every read to the operation that wrote what it saw; finds pairs written twice.
 *
 * Cost: O(operations) expected.
 */
import { DuplicateWriteError } from "./errors.ts";
import type { History } from "./history.ts";
import { initialValue } from "./names.ts";
import { HashedWrites, NumberedWrites, type WriteTable } from "./write-table.ts";

/** What `History.link` says of a read of the initial value. */
export const linkInitial = -1;
/** What `History.link` says of a read of a value that nobody wrote. */
export const linkNobody = -2;

/** What was written: how many writes, and the largest value code. */
export interface WriteRange {
  readonly count: number;
  readonly maxValue: number;
}

/** Whether an array indexed by value is no larger than a hash table would be. */
export function isDense({ count, maxValue }: WriteRange): boolean {
  return maxValue <= 4 * count + 1_024;
}

/** Fills `history.link`. Throws `DuplicateWriteError`. */
export function linkReads(
  history: History,
  writes: WriteRange & { readonly areNumbers: boolean },
): void {
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
  const { code, value, start, link, keyCount, transactionCount } = history;
  const lastWriter = new Int32Array(keyCount);
  const lastWrite = new Int32Array(keyCount);
  for (let transaction = 1; transaction < transactionCount; transaction += 1) {
    const end = start[transaction + 1] as number;
    for (let index = start[transaction] as number; index < end; index += 1) {
      const keyAndKind = code[index] as number;
      if ((keyAndKind & 1) === 0) continue;
      const key = keyAndKind >> 1;
      if (lastWriter[key] === transaction) link[lastWrite[key] as number] = ~transaction;
      lastWriter[key] = transaction;
      lastWrite[key] = index;
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
