/**
 * @module Read atomicity: the forced edges of RA (Biswas and Enea).
 *
 * t3 reads x from t1; t2 writes x and is an earlier transaction of t3's session, or one that t3 reads
 * anything from: then t2 comes before t1. Visibility is one step, not the causal past.
 *
 * Of the session's earlier writers of x the latest is enough, wherever it is in the session: those
 * before it precede it. Reading x from two writers makes each of them precede the other.
 *
 * Cost: O(Σ over reads-from pairs of min(reads, writes)) ⊆ O(n^1.5).
 */
import { ForcedEdges } from "./forced-edges.ts";
import { type Transactions, WriteSets } from "./transactions.ts";

export function forceReadAtomic(transactions: Transactions): ForcedEdges {
  const { count, keyCount, sessionOf, readStart, readKey, readSource } = transactions;
  const { writeStart, writeKey } = transactions;
  const forced = new ForcedEdges();
  const writeSets = new WriteSets(transactions);
  /** Of each key: its latest writer in the session at hand. */
  const lastWriter = new Int32Array(keyCount);
  /** Of each key: the last transaction that read it, and from whom it did so first. */
  const reader = new Int32Array(keyCount);
  const readFrom = new Int32Array(keyCount);
  /** Of each source: the last transaction that it was handled for. */
  const handled = new Int32Array(count);
  let sessionBegin = 1;
  for (let transaction = 1; transaction < count; transaction += 1) {
    if (sessionOf[transaction] !== sessionOf[transaction - 1]) sessionBegin = transaction;
    const begin = readStart[transaction] as number;
    const end = readStart[transaction + 1] as number;
    for (let index = begin; index < end; index += 1) {
      const key = readKey[index] as number;
      const source = readSource[index] as number;
      if (reader[key] === transaction) {
        // The other direction comes from the source rule below, which sees the first source.
        const first = readFrom[key] as number;
        if (first !== source && first !== 0) forced.add(first, source, transaction, key);
      } else {
        reader[key] = transaction;
        readFrom[key] = source;
      }
      const own = lastWriter[key] as number;
      if (own >= sessionBegin && own !== source) forced.add(own, source, transaction, key);
    }
    for (let index = begin; index < end; index += 1) {
      const source = readSource[index] as number;
      if (source === 0 || handled[source] === transaction) continue;
      handled[source] = transaction;
      const writeBegin = writeStart[source] as number;
      const writeEnd = writeStart[source + 1] as number;
      if (writeEnd - writeBegin <= 16 || writeEnd - writeBegin <= end - begin) {
        for (let at = writeBegin; at < writeEnd; at += 1) {
          const key = writeKey[at] as number;
          if (reader[key] !== transaction) continue;
          const seen = readFrom[key] as number;
          if (seen !== source) forced.add(source, seen, transaction, key);
        }
      } else {
        for (let at = begin; at < end; at += 1) {
          const key = readKey[at] as number;
          const seen = readFrom[key] as number;
          if (seen !== source && writeSets.has(source, key))
            forced.add(source, seen, transaction, key);
        }
      }
    }
    const writeEnd = writeStart[transaction + 1] as number;
    for (let at = writeStart[transaction] as number; at < writeEnd; at += 1)
      lastWriter[writeKey[at] as number] = transaction;
  }
  return forced;
}
