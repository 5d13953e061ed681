/**
 * @module Read committed: the forced edges of RC (Biswas and Enea; stronger than Adya's PL-2).
 *
 * t3 reads anything from t2 and later, in program order, x from t1; t2 writes x: then t2 comes before
 * t1. The two reads may be of different keys.
 *
 * Backwards through the reads of t3, of each key the two earliest later reads from distinct sources
 * are enough: what follows them is ordered after them by the same rule.
 *
 * Cost: O(Σ over reads-from pairs of min(reads, writes)) ⊆ O(n^1.5).
 */
import { ForcedEdges } from "./forced-edges.ts";
import { Int32List } from "./int32-list.ts";
import { type Transactions, WriteSets } from "./transactions.ts";

export function forceReadCommitted(transactions: Transactions): ForcedEdges {
  const { count, keyCount, readStart, readKey, readSource } = transactions;
  const { writeStart, writeKey } = transactions;
  const forced = new ForcedEdges();
  const writeSets = new WriteSets(transactions);
  /** Of each source: the last transaction that read from it, and where it did so first. */
  const reader = new Int32Array(count);
  const firstRead = new Int32Array(count);
  /** Of each key: the last transaction that read it, and its sources, earliest first; -1 is none. */
  const keyReader = new Int32Array(keyCount);
  const earliest = new Int32Array(keyCount);
  const second = new Int32Array(keyCount);
  const keysSeen = new Int32List();
  for (let transaction = 1; transaction < count; transaction += 1) {
    const begin = readStart[transaction] as number;
    const end = readStart[transaction + 1] as number;
    // One read has no later one.
    if (end - begin < 2) continue;
    for (let index = begin; index < end; index += 1) {
      const source = readSource[index] as number;
      if (reader[source] === transaction) continue;
      reader[source] = transaction;
      firstRead[source] = index;
    }
    keysSeen.clear();
    const force = (source: number, key: number): void => {
      if (keyReader[key] !== transaction) return;
      const first = earliest[key] as number;
      const seen = first === source ? (second[key] as number) : first;
      if (seen >= 0) forced.add(source, seen, transaction, key);
    };
    for (let index = end - 1; index >= begin; index -= 1) {
      const source = readSource[index] as number;
      if (source !== 0 && firstRead[source] === index) {
        const writeBegin = writeStart[source] as number;
        const writeEnd = writeStart[source + 1] as number;
        if (writeEnd - writeBegin <= Math.max(16, keysSeen.length))
          for (let at = writeBegin; at < writeEnd; at += 1) force(source, writeKey[at] as number);
        else
          for (let at = 0; at < keysSeen.length; at += 1)
            if (writeSets.has(source, keysSeen.at(at))) force(source, keysSeen.at(at));
      }
      const key = readKey[index] as number;
      if (keyReader[key] !== transaction) {
        keyReader[key] = transaction;
        earliest[key] = source;
        second[key] = -1;
        keysSeen.push(key);
      } else if (earliest[key] !== source) {
        second[key] = earliest[key] as number;
        earliest[key] = source;
      }
    }
  }
  return forced;
}
