/**
 * @module A contract as data: what every implementation of a port must do, clause by clause, for any runner
 * (the tests here, the command line, somebody else's tests). No test library is imported.
 */
import { type Clock, delay, type Timer } from "./clock.ts";
import { describeError } from "./errors.ts";

export interface ContractClause<Subject> {
  /** What must hold, as a sentence. */
  readonly name: string;
  /** Why the clause says nothing about this subject; `undefined`: it does. */
  readonly notFor?: (subject: Subject) => string | undefined;
  /** Rejects where the clause is broken. */
  readonly check: (subject: Subject) => Promise<void>;
}

export type ClauseResult =
  | { readonly name: string; readonly outcome: "kept" }
  | { readonly name: string; readonly outcome: "broken" | "not for it"; readonly reason: string };

/** A clause that takes longer is broken: something never answers. */
const defaultLimitMs = 60_000;

/** Checks clause after clause. Never rejects. */
export async function checkContract<Subject>(options: {
  readonly clauses: readonly ContractClause<Subject>[];
  readonly subject: Subject;
  readonly clock: Clock;
  readonly limitMs?: number;
  readonly onResult?: (result: ClauseResult) => void;
}): Promise<ClauseResult[]> {
  const { clauses, subject, clock, limitMs = defaultLimitMs, onResult } = options;
  const results: ClauseResult[] = [];
  for (const clause of clauses) {
    const result = await checkClause(clause, { subject, clock, limitMs });
    onResult?.(result);
    results.push(result);
  }
  return results;
}

async function checkClause<Subject>(
  { name, notFor, check }: ContractClause<Subject>,
  { subject, clock, limitMs }: { subject: Subject; clock: Clock; limitMs: number },
): Promise<ClauseResult> {
  const why = notFor?.(subject);
  if (why !== undefined) return { name, outcome: "not for it", reason: why };
  const late = `not done within ${limitMs} ms`;
  try {
    const isDone = await within(clock, limitMs, check(subject));
    return isDone ? { name, outcome: "kept" } : { name, outcome: "broken", reason: late };
  } catch (error) {
    return { name, outcome: "broken", reason: describeError(error) };
  }
}

/** Whether it settled in time; rejects as it does. */
async function within(clock: Clock, limitMs: number, work: Promise<void>): Promise<boolean> {
  let timer: Timer | undefined;
  const limit = new Promise<boolean>((resolve) => {
    timer = clock.schedule(limitMs * 1_000, () => {
      resolve(false);
    });
  });
  try {
    return await Promise.race([work.then(() => true), limit]);
  } finally {
    timer?.cancel();
  }
}

/** Asks until it holds, at most so long; rejects with what the last attempt rejected with. */
export async function eventually(
  clock: Clock,
  withinMs: number,
  check: () => Promise<void>,
): Promise<void> {
  const untilUs = clock.monotonicUs() + withinMs * 1_000;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (clock.monotonicUs() > untilUs) throw error;
    }
    await delay(clock, 10_000);
  }
}
