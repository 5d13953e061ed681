/**
 * @module A history as plume text, so that checkers of others can judge it: one operation a line,
 * `r(key,value,session,txn)` or `w(…)`, all numbers.
 *
 * Values are numbered by writer and sequence, so they are unique; 0 is the initial value. An aborted
 * transaction has number -1 and only its writes. One with an unknown outcome is written as committed
 * if somebody read from it, and left out otherwise (specs: conventions).
 */
import type { RecordedTransaction } from "./history.ts";

/** Numbers by first appearance, from 1. */
class Numbering {
  readonly #numbers = new Map<string, number>();

  of(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const next = this.#numbers.size + 1;
    this.#numbers.set(name, next);
    return next;
  }

  names(): string[] {
    return [...this.#numbers.keys()];
  }
}

/** The text, and what its numbers stand for. */
export function toPlume(history: readonly RecordedTransaction[]): {
  readonly text: string;
  readonly ids: Readonly<Record<"keys" | "transactions", readonly string[]>>;
} {
  const keys = new Numbering();
  const values = new Numbering();
  const transactions = new Numbering();
  const readFrom = new Set<string>();
  for (const { operations } of history)
    for (const operation of operations)
      if (operation.kind === "read" && operation.from !== null) readFrom.add(operation.from);

  let text = "";
  for (const { transactionId, session, outcome, operations } of history) {
    if (outcome === "unknown" && !readFrom.has(transactionId)) continue;
    const aborted = outcome === "aborted";
    const number = aborted ? -1 : transactions.of(transactionId);
    // The fill has session -1; sessions are numbered from 0.
    const client = session + 1;
    for (const operation of operations) {
      const key = keys.of(operation.key);
      if (operation.kind === "write") {
        const value = values.of(`${transactionId} ${operation.key} ${operation.sequence}`);
        text += `w(${key},${value},${client},${number})\n`;
      } else if (!aborted) {
        const { from, fromSequence } = operation;
        const value = from === null ? 0 : values.of(`${from} ${operation.key} ${fromSequence}`);
        text += `r(${key},${value},${client},${number})\n`;
      }
    }
  }
  return { text, ids: { keys: keys.names(), transactions: transactions.names() } };
}
