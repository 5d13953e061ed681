/**
 * @module A history as plume text, so that checkers of others can judge it: one operation a line,
 * `r(key,value,session,txn)` or `w(…)`, all numbers.
 *
 * Values are numbered by writer and sequence, so they are unique; 0 is the initial value. An aborted
 * transaction has number -1 and only its writes. One with an unknown outcome is written as committed
 * if somebody read from it, and left out otherwise; it is a session of its own, because it may take
 * effect after its client went on. So is a writer that is not in the record, with what was seen of it.
 */
import { RecordedSessions } from "#harness/checker/formats/recorded.ts";
import type { RecordedRead, RecordedTransaction } from "./history.ts";
import { withoutReplays } from "./replays.ts";

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
  const sessions = new Numbering();
  const order = new RecordedSessions();
  const effective = withoutReplays(history);
  const happened = surelyHappened(effective);
  const written = new Set<string>();
  /** Read, and not written by anybody so far. */
  const seen = new Map<string, Pick<RecordedRead, "key" | "from" | "fromSequence">>();

  let text = "";
  for (const transaction of effective) {
    const { transactionId, outcome, operations } = transaction;
    const client = sessions.of(String(order.of(transaction)));
    if (outcome === "unknown" && !happened.has(transactionId)) continue;
    const aborted = outcome === "aborted";
    const number = aborted ? -1 : transactions.of(transactionId);
    for (const operation of operations) {
      const key = keys.of(operation.key);
      if (operation.kind === "write") {
        const id = `${transactionId} ${operation.key} ${operation.sequence}`;
        seen.delete(id);
        written.add(id);
        const value = values.of(id);
        text += `w(${key},${value},${client},${number})\n`;
      } else if (!aborted) {
        const { from, fromSequence } = operation;
        const id = `${from} ${operation.key} ${fromSequence}`;
        if (from !== null && !written.has(id)) seen.set(id, operation);
        const value = from === null ? 0 : values.of(id);
        text += `r(${key},${value},${client},${number})\n`;
      }
    }
  }
  for (const [id, { key, from }] of seen) {
    const name = `${from} (not in the record)`;
    text += `w(${keys.of(key)},${values.of(id)},${sessions.of(name)},${transactions.of(name)})\n`;
  }
  return { text, ids: { keys: keys.names(), transactions: transactions.names() } };
}

/** Committed transactions, those they read from, and so on: reads of others prove nothing. */
function surelyHappened(history: readonly RecordedTransaction[]): ReadonlySet<string> {
  const byId = new Map(history.map((transaction) => [transaction.transactionId, transaction]));
  const open = history.filter(({ outcome }) => outcome === "committed");
  const happened = new Set(open.map(({ transactionId }) => transactionId));
  for (let reader = open.pop(); reader !== undefined; reader = open.pop()) {
    for (const operation of reader.operations) {
      if (operation.kind === "write" || operation.from === null) continue;
      const writer = byId.get(operation.from);
      if (writer?.outcome !== "unknown" || happened.has(operation.from)) continue;
      happened.add(operation.from);
      open.push(writer);
    }
  }
  return happened;
}
