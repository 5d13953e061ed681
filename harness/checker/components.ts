/**
 * @module Which transactions are on a circle together: strongly connected components (Tarjan).
 *
 * Only asked for once something is circular. Walks edges backwards, which gives the same components.
 * Cost: O(transactions + reads + edges).
 */
import type { ForcedEdges } from "./forced-edges.ts";
import { groupByTarget, type Incoming } from "./order.ts";
import type { Transactions } from "./transactions.ts";

export interface Components {
  /** Equal for two transactions iff each can be reached from the other. */
  readonly of: Int32Array;
  /** Whether a transaction is on a circle. */
  readonly circular: Uint8Array;
  readonly incoming: Incoming;
}

export function findComponents(transactions: Transactions, forced: ForcedEdges): Components {
  const { count } = transactions;
  const incoming = groupByTarget(forced, count);
  const before = predecessors(transactions, forced, incoming);
  const number = new Int32Array(count);
  const low = new Int32Array(count);
  const of = new Int32Array(count);
  const circular = new Uint8Array(count);
  const cursor = new Int32Array(count);
  /** Visited and not yet in a component. */
  const open: number[] = [];
  const path: number[] = [];
  let visited = 0;
  const enter = (transaction: number): void => {
    visited += 1;
    number[transaction] = visited;
    low[transaction] = visited;
    open.push(transaction);
    path.push(transaction);
  };
  const reach = (transaction: number, value: number): void => {
    if (value < (low[transaction] as number)) low[transaction] = value;
  };
  const close = (root: number): void => {
    const several = open.at(-1) !== root;
    for (let member = open.pop(); member !== undefined; member = open.pop()) {
      of[member] = root;
      circular[member] = several ? 1 : 0;
      if (member === root) return;
    }
  };
  for (let start = 1; start < count; start += 1) {
    if (number[start] !== 0) continue;
    enter(start);
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const next = before(at, cursor[at] as number);
      cursor[at] = (cursor[at] as number) + 1;
      if (next === undefined) {
        path.pop();
        if (low[at] === number[at]) close(at);
        const parent = path.at(-1);
        if (parent !== undefined) reach(parent, low[at] as number);
      } else if (next > 0) {
        if (number[next] === 0) enter(next);
        else if (of[next] === 0) reach(at, number[next] as number);
      }
    }
  }
  return { of, circular, incoming };
}

/** The n-th predecessor of a transaction; 0 for none, undefined at the end. */
function predecessors(
  { sessionOf, readStart, readSource }: Transactions,
  { from }: ForcedEdges,
  incoming: Incoming,
): (transaction: number, n: number) => number | undefined {
  return (transaction, n) => {
    if (n === 0) return sessionOf[transaction - 1] === sessionOf[transaction] ? transaction - 1 : 0;
    const read = (readStart[transaction] as number) + n - 1;
    const readEnd = readStart[transaction + 1] as number;
    if (read < readEnd) return readSource[read];
    const edge = (incoming.start[transaction] as number) + read - readEnd;
    if (edge >= (incoming.start[transaction + 1] as number)) return undefined;
    return from[incoming.edge[edge] as number];
  };
}
