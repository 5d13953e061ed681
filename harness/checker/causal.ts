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
import { groupWriters, type Writers } from "./writers.ts";

/** `order` is one of session order and reads-from, which must be acyclic. */
export function forceCausal(transactions: Transactions, order: Order): ForcedEdges {
  const { sessionOf, readStart, readSource } = transactions;
  const writers = groupWriters(transactions);
  const clocks = new Clocks(transactions.sessionCount, countUses(transactions));
  // Of each segment the writer found last: the next one asked for is mostly near it.
  const cursor = writers.writerStart.slice();
  const state: State = { transactions, writers, cursor, clocks, forced: new ForcedEdges() };
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
  readonly cursor: Int32Array;
  readonly clocks: Clocks;
  readonly forced: ForcedEdges;
}

/** The edges of one read: of each session the last writer of the key that the reader knows of. */
function forceRead(state: State, transaction: number, index: number): void {
  const { transactions, writers, cursor, clocks } = state;
  const { segmentStart, segmentSession, writerStart, writer } = writers;
  const key = transactions.readKey[index] as number;
  const source = transactions.readSource[index] as number;
  const block = clocks.block(transaction);
  const offset = clocks.offset(transaction);
  // The initial transaction's row is of zeros: it knows of nobody.
  const sourceBlock = clocks.block(source);
  const sourceOffset = clocks.offset(source);
  const segmentEnd = segmentStart[key + 1] as number;
  for (let segment = segmentStart[key] as number; segment < segmentEnd; segment += 1) {
    const session = segmentSession[segment] as number;
    const known = block[offset + session] as number;
    const knownToSource = sourceBlock[sourceOffset + session] as number;
    // Whatever the reader knows of this session, the transaction it read from knew too.
    if (knownToSource >= known) continue;
    const first = writerStart[segment] as number;
    if ((writer[first] as number) > known) continue;
    let found = cursor[segment] as number;
    if ((writer[found] as number) > known || (writer[found + 1] as number) <= known) {
      found = lastUpTo(writer, known, {
        first,
        from: found,
        end: writerStart[segment + 1] as number,
      });
      cursor[segment] = found;
    }
    const other = writer[found] as number;
    if (other > knownToSource) state.forced.add(other, source, transaction, key);
  }
}

/** Index of the last writer not above `known` in first … end - 1; writer[first] is one. */
function lastUpTo(
  writer: Int32Array,
  known: number,
  { first, from, end }: { readonly first: number; readonly from: number; readonly end: number },
): number {
  let low = first;
  let high = end;
  // Gallop away from where the last search ended, then halve.
  if ((writer[from] as number) <= known) {
    low = from;
    for (let step = 1; low + step < end; step *= 2) {
      if ((writer[low + step] as number) > known) {
        high = low + step;
        break;
      }
      low += step;
    }
  } else {
    high = from;
    for (let step = 1; high - step > first; step *= 2) {
      if ((writer[high - step] as number) <= known) {
        low = high - step;
        break;
      }
      high -= step;
    }
  }
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((writer[middle] as number) <= known) low = middle;
    else high = middle;
  }
  return low;
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
