/**
 * @module Causal consistency: the forced edges of CC (Biswas and Enea).
 *
 * t3 reads x from t1; t2 writes x and happened before t3, by session order and reads-from: then t2
 * comes before t1. Left out is what is so anyway, because t2 happened before t1; in a history that
 * passes that is almost everything.
 *
 * Cost: O(reads × sessions), with cursors in place of searches: clocks mostly move forward.
 */
import { Clocks } from "./clocks.ts";
import { ForcedEdges } from "./forced-edges.ts";
import type { Order } from "./order.ts";
import type { Transactions } from "./transactions.ts";
import {
  cursorIndex,
  cursorNext,
  cursorWriter,
  groupWriters,
  noWriter,
  segmentLength,
  type Writers,
} from "./writers.ts";

/** `order` is one of session order and reads-from, which must be acyclic. */
export function forceCausal(transactions: Transactions, order: Order): ForcedEdges {
  const { sessionOf, readStart, readSource } = transactions;
  const writers = groupWriters(transactions);
  const clocks = new Clocks(transactions.sessionCount, countUses(transactions));
  const state: State = { transactions, writers, clocks, forced: new ForcedEdges() };
  const { sequence } = order;
  for (let at = 0; at < sequence.length; at += 1) {
    const transaction = sequence[at] as number;
    const session = sessionOf[transaction] as number;
    const before = transaction - 1;
    const hasBefore = sessionOf[before] === session;
    clocks.allocate(transaction);
    if (hasBefore) clocks.copy(transaction, before);
    else clocks.clear(transaction);
    const begin = readStart[transaction] as number;
    const end = readStart[transaction + 1] as number;
    const block = clocks.block(transaction);
    const offset = clocks.offset(transaction);
    for (let index = begin; index < end; index += 1) {
      const source = readSource[index] as number;
      // What is in the clock already brought its own past with it.
      if (source !== 0 && (block[offset + (sessionOf[source] as number)] as number) < source)
        clocks.join(transaction, source);
    }
    for (let index = begin; index < end; index += 1) forceRead(state, transaction, index);
    block[offset + session] = transaction;
    if (hasBefore) clocks.release(before);
    for (let index = begin; index < end; index += 1) {
      const source = readSource[index] as number;
      if (source !== 0) clocks.release(source);
    }
  }
  return state.forced;
}

interface State {
  readonly transactions: Transactions;
  readonly writers: Writers;
  readonly clocks: Clocks;
  readonly forced: ForcedEdges;
}

/** The edges of one read: of each session the last writer of the key that the reader knows of. */
function forceRead(state: State, transaction: number, index: number): void {
  const { transactions, writers, clocks } = state;
  const { segmentStart, segment } = writers;
  const key = transactions.readKey[index] as number;
  const source = transactions.readSource[index] as number;
  const block = clocks.block(transaction);
  const offset = clocks.offset(transaction);
  // The initial transaction's row is of zeros: it knows of nobody.
  const sourceBlock = clocks.block(source);
  const sourceOffset = clocks.offset(source);
  const end = (segmentStart[key + 1] as number) * segmentLength;
  for (let at = (segmentStart[key] as number) * segmentLength; at < end; at += segmentLength) {
    const session = segment[at] as number;
    const known = block[offset + session] as number;
    const knownToSource = sourceBlock[sourceOffset + session] as number;
    let other = segment[at + cursorWriter] as number;
    if (other > known || (segment[at + cursorNext] as number) <= known) {
      // Whatever the reader knows of this session, the transaction it read from knew too.
      if (knownToSource >= known) continue;
      other = moveCursor(writers, at, known);
    }
    if (other > knownToSource) state.forced.add(other, source, transaction, key);
  }
}

/** Puts the cursor of the segment at `at` right after `known`; the writer before it, or 0. */
function moveCursor({ segment, writerStart, writer }: Writers, at: number, known: number): number {
  const first = writerStart[at / segmentLength] as number;
  const end = writerStart[at / segmentLength + 1] as number;
  // The answer is the first index in low … high whose writer is after `known`; `end` counts as one.
  let low = first;
  let high = end;
  const from = segment[at + cursorIndex] as number;
  // Gallop away from where the cursor was, then halve.
  if (from < end && (writer[from] as number) <= known) {
    low = from + 1;
    for (let step = 1; low + step < end; step *= 2) {
      if ((writer[low + step] as number) > known) {
        high = low + step;
        break;
      }
      low += step + 1;
    }
  } else {
    high = from;
    for (let step = 1; high - step >= first; step *= 2) {
      if ((writer[high - step] as number) <= known) {
        low = high - step + 1;
        break;
      }
      high -= step;
    }
  }
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((writer[middle] as number) <= known) low = middle + 1;
    else high = middle;
  }
  const other = low > first ? (writer[low - 1] as number) : 0;
  segment[at + cursorWriter] = other;
  segment[at + cursorNext] = low < end ? (writer[low] as number) : noWriter;
  segment[at + cursorIndex] = low;
  return other;
}

/** How often each transaction's clock is asked for: by its successor and by reads. */
function countUses({ count, sessionOf, readSource }: Transactions): Int32Array {
  const uses = new Int32Array(count);
  for (let transaction = 1; transaction < count - 1; transaction += 1)
    if (sessionOf[transaction] === sessionOf[transaction + 1]) uses[transaction] = 1;
  for (let index = 0; index < readSource.length; index += 1) {
    const source = readSource[index] as number;
    uses[source] = (uses[source] as number) + 1;
  }
  return uses;
}
