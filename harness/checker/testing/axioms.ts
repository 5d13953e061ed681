/**
 * @module The definitions of the levels, transcribed by the letter, for tests only.
 *
 * Shares nothing with the checker but the way a history is written down here. Every level is decided
 * by trying all commit orders (Biswas and Enea, definitions 2.1 and 2.2 with the axioms of figure 2),
 * and every choice of outcomes for transactions whose outcome is unknown.
 */
import type { Level } from "../witness.ts";

export interface PlainOperation {
  readonly kind: "read" | "write";
  readonly key: number;
  /** 0 is the initial value. */
  readonly value: number;
}

export interface PlainTransaction {
  readonly session: number;
  readonly status: "committed" | "aborted" | "unknown";
  readonly operations: readonly PlainOperation[];
}

/** In order of declaration, which is session order within a session. */
export type PlainHistory = readonly PlainTransaction[];

/** Whether some choice of outcomes and some commit order explain the history. */
export function satisfies(history: PlainHistory, level: Level): boolean {
  return choices(history).some((committed) => isExplained(history, committed, level));
}

/** All sets of transactions that may have committed. */
function choices(history: PlainHistory): ReadonlySet<number>[] {
  let sets: Set<number>[] = [new Set()];
  for (const [id, { status }] of history.entries()) {
    if (status === "committed") for (const set of sets) set.add(id);
    else if (status === "unknown") sets = sets.flatMap((set) => [set, new Set([...set, id])]);
  }
  return sets;
}

/** The initial transaction is -1. */
const initial = -1;

interface ExternalRead {
  readonly key: number;
  readonly source: number;
}

function isExplained(history: PlainHistory, committed: ReadonlySet<number>, level: Level): boolean {
  const ids = [...committed];
  const reads = new Map<number, ExternalRead[]>();
  for (const id of ids) {
    const own = externalReads(history, committed, id);
    if (own === undefined) return false;
    reads.set(id, own);
  }
  const before = sessionAndReads(history, ids, reads);
  return someOrder(ids, before, (order) => obeys({ history, reads, order, level, before }));
}

/** Read consistency (2.1); undefined if a read breaks it. */
function externalReads(
  history: PlainHistory,
  committed: ReadonlySet<number>,
  id: number,
): ExternalRead[] | undefined {
  const operations = history[id]?.operations ?? [];
  const external: ExternalRead[] = [];
  for (const [at, { kind, key, value }] of operations.entries()) {
    if (kind === "write") continue;
    const own = operations.slice(0, at).findLast((one) => one.kind === "write" && one.key === key);
    if (own !== undefined) {
      if (own.value !== value) return undefined;
      continue;
    }
    if (value === 0) {
      external.push({ key, source: initial });
      continue;
    }
    const source = [...committed].find((other) => {
      const last = history[other]?.operations.findLast(
        (one) => one.kind === "write" && one.key === key,
      );
      return last?.value === value;
    });
    if (source === undefined || source === id) return undefined;
    external.push({ key, source });
  }
  return external;
}

type Relation = (first: number, second: number) => boolean;

/** so ∪ wr, one step; the initial transaction precedes all by session order. */
function sessionAndReads(
  history: PlainHistory,
  ids: readonly number[],
  reads: ReadonlyMap<number, readonly ExternalRead[]>,
): Relation {
  const pairs = new Set<string>();
  for (const second of ids) {
    pairs.add(`${initial} ${second}`);
    for (const first of ids)
      if (first < second && history[first]?.session === history[second]?.session)
        pairs.add(`${first} ${second}`);
    for (const { source } of reads.get(second) ?? []) pairs.add(`${source} ${second}`);
  }
  return (first, second) => pairs.has(`${first} ${second}`);
}

/** Whether a total order that contains `before`, with the initial transaction first, has a property. */
function someOrder(
  ids: readonly number[],
  before: Relation,
  property: (order: readonly number[]) => boolean,
): boolean {
  const extend = (order: readonly number[], left: readonly number[]): boolean => {
    if (left.length === 0) return property(order);
    return left.some((next) => {
      const rest = left.filter((one) => one !== next);
      return !rest.some((one) => before(one, next)) && extend([...order, next], rest);
    });
  };
  return extend([initial], ids);
}

/** For all x, t1, t3 that reads x from t1, and t2 ≠ t1 that writes x: φ(t2, read) ⇒ t2 co t1. */
function obeys(options: {
  readonly history: PlainHistory;
  readonly reads: ReadonlyMap<number, readonly ExternalRead[]>;
  readonly order: readonly number[];
  readonly level: Level;
  readonly before: Relation;
}): boolean {
  const { history, reads, order, level, before } = options;
  const precedes: Relation = (first, second) => order.indexOf(first) < order.indexOf(second);
  const writes = (id: number, key: number): boolean =>
    id === initial ||
    (history[id]?.operations.some((one) => one.kind === "write" && one.key === key) ?? false);
  const premise = premises({ history, reads, order, before, precedes, writes })[level];
  for (const [t3, own] of reads)
    for (const [at, { key, source: t1 }] of own.entries())
      for (const t2 of order) {
        if (t2 === t1 || !writes(t2, key)) continue;
        if (premise(t2, t3, at) && !precedes(t2, t1)) return false;
      }
  return true;
}

type Premise = (t2: number, t3: number, at: number) => boolean;

function premises(options: {
  readonly history: PlainHistory;
  readonly reads: ReadonlyMap<number, readonly ExternalRead[]>;
  readonly order: readonly number[];
  readonly before: Relation;
  readonly precedes: Relation;
  readonly writes: (id: number, key: number) => boolean;
}): Record<Level, Premise> {
  const { history, reads, order, before, precedes, writes } = options;
  const keys = new Set(history.flatMap(({ operations }) => operations.map(({ key }) => key)));
  const reachable: Relation = (first, second) =>
    before(first, second) ||
    order.some((middle) => before(first, middle) && reachable(middle, second));
  const orEqual: Relation = (first, second) => first === second || precedes(first, second);
  const prefix: Premise = (t2, t3) => order.some((t4) => orEqual(t2, t4) && before(t4, t3));
  const conflict: Premise = (t2, t3) =>
    order.some(
      (t4) =>
        orEqual(t2, t4) &&
        precedes(t4, t3) &&
        [...keys].some((key) => writes(t4, key) && writes(t3, key)),
    );
  return {
    rc: (t2, t3, at) => (reads.get(t3) ?? []).slice(0, at).some(({ source }) => source === t2),
    ra: before,
    cc: reachable,
    pc: prefix,
    si: (t2, t3, at) => prefix(t2, t3, at) || conflict(t2, t3, at),
    ser: (t2, t3) => precedes(t2, t3),
  };
}
