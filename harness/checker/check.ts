/**
 * @module The checker's one entrance: a verdict per level, with a minimal witness for each rejection.
 *
 * RC, RA and CC are decided exactly, whatever the history. PC, SI and SER are searched within a bound
 * and may be undecided. Pure: the same history gives the same verdicts and witnesses.
 */
import { collectEvidence } from "./evidence.ts";
import { explainBadRead, explainEvidence } from "./explain.ts";
import type { History } from "./history.ts";
import { isSearched, judge, type Judgement } from "./judge.ts";
import { orderTransactions } from "./order.ts";
import { prepare } from "./prepare.ts";
import { type Level, levels, type Verdict, type Verdicts } from "./witness.ts";

export interface CheckLimits {
  /** States that the search for PC, SI and SER may visit, per level. */
  readonly frontierStates?: number;
}

const defaultFrontierStates = 1_000_000;
/** Memory bound of the search: 32-bit numbers, one per session and state. */
const maxStateNumbers = 2 ** 27;

/**
 * Verdicts of the levels asked for. Never throws on a history that could be built.
 * Cost: see the levels; read consistency is O(operations) and done once.
 */
export function check(
  history: History,
  options: { readonly levels: readonly Level[]; readonly limits?: CheckLimits },
): Verdicts {
  const asked = new Set(options.levels);
  const verdicts: Partial<Record<Level, Verdict>> = {};
  const { transactions, badRead } = prepare(history);
  if (badRead !== undefined) {
    const witness = explainBadRead(history, badRead);
    for (const level of asked) verdicts[level] = { kind: "violation", witness };
    return verdicts;
  }
  const maxStates = Math.min(
    options.limits?.frontierStates ?? defaultFrontierStates,
    Math.floor(maxStateNumbers / Math.max(1, transactions.sessionCount)),
  );
  const base = orderTransactions(transactions);
  /** Evidence against the strongest level that is known to be violated so far. */
  let weaker: readonly number[] | undefined;
  const searches = levels.filter((level) => asked.has(level) && isSearched(level));
  for (const level of levels) {
    // Whoever violates CC violates what is searched for, and that is known without a search.
    if (!asked.has(level) && !(level === "cc" && searches.length > 0)) continue;
    const judgement: Judgement | undefined =
      weaker !== undefined && isSearched(level)
        ? undefined
        : judge(transactions, level, { base, maxStates });
    if (judgement === undefined || judgement.outcome === "violated") {
      weaker = collectEvidence({ transactions, level, judgement, weaker, maxStates });
      const witness = explainEvidence({ history, transactions, level, ids: weaker, maxStates });
      verdicts[level] = { kind: "violation", witness };
    } else if (judgement.outcome === "satisfied") verdicts[level] = { kind: "pass" };
    else
      verdicts[level] = {
        kind: "undecided",
        reason: tooLarge(transactions.sessionCount, maxStates),
      };
  }
  if (!asked.has("cc")) delete verdicts.cc;
  return verdicts;
}

function tooLarge(sessions: number, states: number): string {
  return `too large: ${states} states of ${sessions} sessions were searched without an answer`;
}
