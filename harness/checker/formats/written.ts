/** @module What a format without unknown outcomes writes, and without aborted transactions. */
import type { History } from "../history.ts";

/**
 * Whether a transaction is written: an unknown one only if somebody committed read from it (it has
 * then committed, as far as anybody can tell).
 */
export function isWritten(history: History): (transaction: number) => boolean {
  const written = new Uint8Array(history.transactionCount);
  const open: number[] = [];
  for (let transaction = 1; transaction < history.transactionCount; transaction += 1) {
    const status = history.statusOf(transaction);
    if (status !== "unknown") written[transaction] = 1;
    if (status === "committed") open.push(transaction);
  }
  for (let reader = open.pop(); reader !== undefined; reader = open.pop()) {
    const end = history.end[reader] ?? 0;
    for (let index = history.start[reader] ?? 0; index < end; index += 1) {
      if (history.operation(index).kind === "write") continue;
      const writer = writerOf(history, index);
      if (writer <= 0 || written[writer] === 1) continue;
      written[writer] = 1;
      open.push(writer);
    }
  }
  return (transaction) => written[transaction] === 1;
}

/** The transaction that wrote what a read saw; 0 for the initial one, -1 for nobody. */
export function writerOf(history: History, read: number): number {
  const link = history.link[read] ?? -2;
  if (link < 0) return link === -1 ? 0 : -1;
  const owner = history.link[link] ?? 0;
  return owner < 0 ? ~owner : owner;
}
