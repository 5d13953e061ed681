/**
 * @module The few transactions that a rejection rests on.
 *
 * Candidates come from small circles; each is then shrunk until none can be left out, and at last all
 * smaller subsets of the best ones are tried. A subset is
 * judged like a history of its own, so what is reported is itself a violation, independent of how it
 * was found.
 */
import { findCycles, findSupport, transactionsOf } from "./cycles.ts";
import { isSearched, type Judgement, violates } from "./judge.ts";
import { shrink } from "./shrink.ts";
import { subsetOf, type Transactions } from "./transactions.ts";
import type { Level } from "./witness.ts";

/** How many circles are shrunk; few in large histories, where finding a causal path takes long. */
const maxCandidates = 8;
const maxCandidatesLarge = 2;
const largeCount = 200_000;

/** Among how many transactions, and in how many tries, a smaller set is looked for in the end. */
const maxPool = 14;
const maxTries = 2_000;

/** Transactions judged over all steps of shrinking a searched level; then what is left is reported. */
const maxShrinkWork = 5_000_000;

/**
 * Ids, ascending. `weaker` is the evidence of a weaker level, if that is violated: it is evidence
 * here too, and often smaller after shrinking at this level.
 */
export function collectEvidence(options: {
  readonly transactions: Transactions;
  readonly level: Level;
  /** Undefined if the level is known to be violated by `weaker` alone. */
  readonly judgement: Judgement | undefined;
  readonly weaker: readonly number[] | undefined;
  readonly maxStates: number;
}): number[] {
  const { transactions, level, judgement, weaker, maxStates } = options;
  const candidates: (readonly number[])[] = [];
  if (weaker !== undefined) candidates.push(weaker);
  if (judgement !== undefined && (!isSearched(level) || !judgement.order.acyclic))
    candidates.push(...circularSets(transactions, level, judgement));
  if (candidates.length === 0) candidates.push(everyTransaction(transactions));
  let work = 0;
  const isFaulty = (ids: readonly number[]): boolean => {
    work += ids.length;
    if (isSearched(level) && work > maxShrinkWork) return false;
    return violates(subsetOf(transactions, ids), level, maxStates);
  };
  const shrunk = candidates.filter(isFaulty).map((ids) => shrink(ids, isFaulty));
  const [smallest] = shrunk.toSorted((a, b) => a.length - b.length);
  // Only a search that hit its bound on the whole set leaves nothing.
  if (smallest === undefined) return [...(candidates[0] ?? [])];
  const pool = poolOf(transactions, [...shrunk, ...candidates]);
  return smallestWithin({ pool, below: smallest.length, isFaulty }) ?? smallest;
}

/** All transactions of a small history, otherwise those of the best candidates. */
function poolOf(transactions: Transactions, candidates: readonly (readonly number[])[]): number[] {
  if (transactions.count <= maxPool) return everyTransaction(transactions);
  const pool = new Set<number>();
  for (const ids of candidates)
    if (pool.size + ids.length <= maxPool) for (const id of ids) pool.add(id);
  return [...pool].toSorted((a, b) => a - b);
}

/** A faulty subset with fewer than `below` elements, the fewest there are, by trying them all. */
function smallestWithin(options: {
  readonly pool: readonly number[];
  readonly below: number;
  readonly isFaulty: (ids: readonly number[]) => boolean;
}): number[] | undefined {
  const { pool, below, isFaulty } = options;
  let tries = 0;
  const extend = (chosen: readonly number[], from: number, size: number): number[] | undefined => {
    if (chosen.length === size) {
      tries += 1;
      return tries <= maxTries && isFaulty(chosen) ? [...chosen] : undefined;
    }
    for (const [at, id] of pool.entries()) {
      const found = at < from ? undefined : extend([...chosen, id], at + 1, size);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  for (let size = 2; size < below; size += 1) {
    const found = extend([], 0, size);
    if (found !== undefined) return found;
  }
  return undefined;
}

function circularSets(
  transactions: Transactions,
  level: Level,
  { forced, order }: Judgement,
): number[][] {
  const limit = transactions.count > largeCount ? maxCandidatesLarge : maxCandidates;
  return findCycles({ transactions, forced, order })
    .slice(0, limit)
    .map((cycle) => {
      const ids = transactionsOf(cycle);
      if (level !== "rc" && level !== "ra")
        for (const step of cycle) {
          if (step.rule !== "forced") continue;
          for (const { from, to } of findSupport(transactions, step.from, step.reader))
            ids.add(from).add(to);
        }
      return [...ids].toSorted((a, b) => a - b);
    });
}

/** All that have operations. */
function everyTransaction({ count, readStart, writeStart }: Transactions): number[] {
  const ids: number[] = [];
  for (let id = 1; id < count; id += 1)
    if (readStart[id] !== readStart[id + 1] || writeStart[id] !== writeStart[id + 1]) ids.push(id);
  return ids;
}
