/**
 * @module A total order that contains session order, reads-from and forced edges, if there is one.
 *
 * Kahn's algorithm from the end: a transaction may go once everything after it has gone. So only
 * incoming edges are needed, and of those the reads are there already and session order is implicit.
 * Cost: O(transactions + reads + edges).
 */
import type { ForcedEdges } from "./forced-edges.ts";
import type { Transactions } from "./transactions.ts";

export interface Order {
  /** First to last, without the initial transaction; of a circular graph only its acyclic end. */
  readonly sequence: Int32Array;
  readonly acyclic: boolean;
}

export function orderTransactions(transactions: Transactions, forced?: ForcedEdges): Order {
  const { count, sessionOf, readStart, readSource } = transactions;
  const remaining = countOutgoing(transactions, forced);
  const incoming = forced === undefined ? undefined : groupByTarget(forced, count);
  const from = forced?.from ?? noEdges;
  // Filled from the back, so that it ends up in order.
  const queue = new Int32Array(count);
  let tail = count;
  for (let transaction = count - 1; transaction > 0; transaction -= 1)
    if (remaining[transaction] === 0) queue[--tail] = transaction;
  for (let head = count - 1; head >= tail; head -= 1) {
    const transaction = queue[head] as number;
    const before = transaction - 1;
    if (sessionOf[before] === sessionOf[transaction]) {
      const left = (remaining[before] as number) - 1;
      remaining[before] = left;
      if (left === 0) queue[--tail] = before;
    }
    const readEnd = readStart[transaction + 1] as number;
    for (let index = readStart[transaction] as number; index < readEnd; index += 1) {
      const source = readSource[index] as number;
      const left = (remaining[source] as number) - 1;
      remaining[source] = left;
      if (left === 0 && source !== 0) queue[--tail] = source;
    }
    if (incoming === undefined) continue;
    const edgeEnd = incoming.start[transaction + 1] as number;
    for (let index = incoming.start[transaction] as number; index < edgeEnd; index += 1) {
      const source = from[incoming.edge[index] as number] as number;
      const left = (remaining[source] as number) - 1;
      remaining[source] = left;
      if (left === 0) queue[--tail] = source;
    }
  }
  return { sequence: queue.subarray(tail), acyclic: tail === 1 };
}

const noEdges = new Int32Array(0);

/** Whether every forced edge goes forward in an order, so that the order already has them. */
export function contains(order: Order, { from, to, count }: ForcedEdges): boolean {
  const position = new Int32Array(order.sequence.length + 1);
  for (let at = 0; at < order.sequence.length; at += 1) position[order.sequence[at] as number] = at;
  for (let index = 0; index < count; index += 1)
    if ((position[from[index] as number] as number) >= (position[to[index] as number] as number))
      return false;
  return true;
}

function countOutgoing(transactions: Transactions, forced: ForcedEdges | undefined): Int32Array {
  const { count, sessionOf, readSource } = transactions;
  const outgoing = new Int32Array(count);
  for (let transaction = 1; transaction < count - 1; transaction += 1)
    if (sessionOf[transaction] === sessionOf[transaction + 1]) outgoing[transaction] = 1;
  for (let index = 0; index < readSource.length; index += 1) {
    const source = readSource[index] as number;
    outgoing[source] = (outgoing[source] as number) + 1;
  }
  if (forced === undefined) return outgoing;
  const { from, to } = forced;
  for (let index = 0; index < from.length; index += 1) {
    const source = from[index] as number;
    if (to[index] !== 0) outgoing[source] = (outgoing[source] as number) + 1;
  }
  return outgoing;
}

/** Forced edges by target: those into t from `start[t]` to `start[t + 1]`. */
export interface Incoming {
  readonly start: Int32Array;
  readonly edge: Int32Array;
}

/** A counting sort. */
export function groupByTarget({ to }: ForcedEdges, count: number): Incoming {
  const start = new Int32Array(count + 2);
  for (let index = 0; index < to.length; index += 1) {
    const slot = (to[index] as number) + 1;
    start[slot] = (start[slot] as number) + 1;
  }
  for (let slot = 1; slot < start.length; slot += 1)
    start[slot] = (start[slot] as number) + (start[slot - 1] as number);
  const next = start.slice();
  const edge = new Int32Array(to.length);
  for (let index = 0; index < to.length; index += 1) {
    const target = to[index] as number;
    const at = next[target] as number;
    next[target] = at + 1;
    edge[at] = index;
  }
  return { start, edge };
}
