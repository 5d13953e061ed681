/**
 * @module Whether transactions with consistent reads satisfy a level.
 *
 * For RC, RA and CC what a commit order must contain does not depend on the order itself, so the test
 * is exact: session order, reads-from and forced edges have no cycle, or there is no commit order.
 */
import { forceCausal } from "./causal.ts";
import { ForcedEdges } from "./forced-edges.ts";
import { type FrontierLevel, searchOrder } from "./frontier.ts";
import { contains, type Order, orderTransactions } from "./order.ts";
import { forceReadAtomic } from "./read-atomic.ts";
import { forceReadCommitted } from "./read-committed.ts";
import type { Transactions } from "./transactions.ts";
import type { Level } from "./witness.ts";

export type Outcome = "satisfied" | "violated" | "undecided";

export interface Judgement {
  readonly outcome: Outcome;
  /** What the rejection rests on; empty for levels that are searched. */
  readonly forced: ForcedEdges;
  /** The graph that is circular: of session order and reads-from, or with the forced edges. */
  readonly order: Order;
}

/** `base` is the order of session order and reads-from; it is the same for every level. */
export function judge(
  transactions: Transactions,
  level: Level,
  { base, maxStates }: { readonly base: Order; readonly maxStates: number },
): Judgement {
  if (!base.acyclic) return { outcome: "violated", forced: new ForcedEdges(), order: base };
  if (isSearched(level)) {
    const outcome = searchOrder(transactions, level, maxStates);
    return { outcome, forced: new ForcedEdges(), order: base };
  }
  const forced = force(transactions, level, base);
  if (forced.initialCount > 0) return { outcome: "violated", forced, order: base };
  if (contains(base, forced)) return { outcome: "satisfied", forced, order: base };
  const order = orderTransactions(transactions, forced);
  return { outcome: order.acyclic ? "satisfied" : "violated", forced, order };
}

/** The same from nothing, for small subsets. */
export function violates(transactions: Transactions, level: Level, maxStates: number): boolean {
  const base = orderTransactions(transactions);
  return judge(transactions, level, { base, maxStates }).outcome === "violated";
}

export function isSearched(level: Level): level is FrontierLevel {
  return level === "pc" || level === "si" || level === "ser";
}

function force(
  transactions: Transactions,
  level: Exclude<Level, FrontierLevel>,
  base: Order,
): ForcedEdges {
  switch (level) {
    case "rc":
      return forceReadCommitted(transactions);
    case "ra":
      return forceReadAtomic(transactions);
    case "cc":
      return forceCausal(transactions, base);
  }
}
