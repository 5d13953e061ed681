/**
 * @module RC, RA and CC by the letter for histories of hundreds of transactions, for tests only.
 *
 * At these levels the premise does not mention the commit order, so "there is a commit order" is "so ∪ wr
 * ∪ forced is acyclic". Relations are matrices and every pair is looked at: slow, and nothing to get
 * wrong. All transactions committed, all reads consistent.
 */
import type { PlainHistory } from "./axioms.ts";

type Matrix = readonly Uint8Array[];

interface Read {
  readonly key: number;
  /** Transaction + 1; 0 is the initial one. */
  readonly source: number;
}

export function satisfiesByRelations(history: PlainHistory, level: "rc" | "ra" | "cc"): boolean {
  const size = history.length + 1;
  const reads = readsOf(history);
  const writes = [undefined, ...history].map(
    (one) => new Set(one?.operations.filter(({ kind }) => kind === "write").map(({ key }) => key)),
  );
  const before = Array.from({ length: size }, () => new Uint8Array(size));
  for (let second = 1; second < size; second += 1) {
    for (let first = 0; first < second; first += 1)
      if (first === 0 || history[first - 1]?.session === history[second - 1]?.session)
        (before[first] as Uint8Array)[second] = 1;
    for (const { source } of reads[second] ?? []) (before[source] as Uint8Array)[second] = 1;
  }
  const past = closure(before);
  const order = before.map((row) => row.slice());
  for (const [t3, own] of reads.entries())
    for (const [at, { key, source: t1 }] of own.entries())
      for (let t2 = 0; t2 < size; t2 += 1) {
        if (t2 === t1 || t2 === t3 || !(t2 === 0 || writes[t2]?.has(key) === true)) continue;
        const knows = {
          rc: () => own.slice(0, at).some(({ source }) => source === t2),
          ra: () => before[t2]?.[t3] === 1,
          cc: () => past[t2]?.[t3] === 1,
        };
        if (knows[level]()) (order[t2] as Uint8Array)[t1] = 1;
      }
  return closure(order).every((row, id) => row[id] === 0);
}

/** External reads of each transaction, in program order; those of the initial one are none. */
function readsOf(history: PlainHistory): Read[][] {
  const writer = new Map<string, number>();
  for (const [id, { operations }] of history.entries())
    for (const { kind, key, value } of operations)
      if (kind === "write") writer.set(`${key} ${value}`, id + 1);
  return [
    [],
    ...history.map(({ operations }, id) =>
      operations
        .filter(({ kind }) => kind === "read")
        .map(({ key, value }) => ({ key, source: writer.get(`${key} ${value}`) ?? 0 }))
        .filter(({ source }) => source !== id + 1),
    ),
  ];
}

/** Warshall. */
function closure(matrix: Matrix): Matrix {
  const closed = matrix.map((row) => row.slice());
  for (const [middle, through] of closed.entries())
    for (const row of closed) {
      if (row[middle] === 0) continue;
      for (let to = 0; to < row.length; to += 1) if (through[to] === 1) row[to] = 1;
    }
  return closed;
}
