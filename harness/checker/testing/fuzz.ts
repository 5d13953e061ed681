/**
 * @module Draws small histories and compares the checker with the axioms, level by level.
 *
 * Also checks each witness by itself: its transactions alone break the level by the axioms, and
 * without any one of them they do not.
 */
import { createPrng } from "#kit/prng.ts";
import { check } from "../check.ts";
import { type Level, levels } from "../witness.ts";
import { type PlainHistory, satisfies } from "./axioms.ts";
import { buildPlain, drawHistory, showPlain } from "./plain.ts";

/** Trying all subsets is slow, so only some histories get it. */
const sizedEvery = 10;

export interface FuzzTally {
  readonly histories: number;
  /** Histories that satisfy, and that violate, each level. */
  readonly satisfied: Readonly<Record<Level, number>>;
  readonly violated: Readonly<Record<Level, number>>;
  readonly anomalies: Readonly<Record<string, number>>;
  readonly disagreements: readonly string[];
  /** Witnesses compared with the smallest violating set there is, and how many are larger. */
  readonly sized: number;
  readonly oversized: number;
}

export function fuzz(options: {
  readonly seed: number;
  readonly count: number;
  /** Called now and then. */
  readonly progress?: (done: number) => void;
}): FuzzTally {
  const zero = (): Record<Level, number> => ({ rc: 0, ra: 0, cc: 0, pc: 0, si: 0, ser: 0 });
  const [satisfied, violated] = [zero(), zero()];
  const anomalies: Record<string, number> = {};
  const disagreements: string[] = [];
  let [sized, oversized] = [0, 0];
  for (let index = 0; index < options.count; index += 1) {
    const history = drawHistory(createPrng(options.seed).fork(`history ${index}`));
    const verdicts = check(buildPlain(history), { levels });
    for (const level of levels) {
      const expected = satisfies(history, level);
      (expected ? satisfied : violated)[level] += 1;
      const verdict = verdicts[level];
      const where = `${level}, seed ${options.seed}, history ${index}:\n${showPlain(history)}`;
      if (verdict?.kind !== (expected ? "pass" : "violation"))
        disagreements.push(`${verdict?.kind} for ${where}`);
      if (verdict?.kind !== "violation" || expected) continue;
      const { anomaly, transactions } = verdict.witness;
      anomalies[anomaly] = (anomalies[anomaly] ?? 0) + 1;
      const names = new Set(transactions.map(({ name }) => name));
      const problem = witnessProblem(history, level, names);
      if (problem !== undefined) disagreements.push(`${problem} for ${where}`);
      // A subset does not tell whether an unknown transaction counts.
      const isPlain = history.every(({ status }) => status !== "unknown");
      if (index % sizedEvery !== 0 || !isPlain) continue;
      sized += 1;
      if (isLarger(history, level, names.size - (names.has("initial") ? 1 : 0))) oversized += 1;
    }
    if (index % 1_000 === 999) options.progress?.(index + 1);
  }
  return {
    histories: options.count,
    satisfied,
    violated,
    anomalies,
    disagreements,
    sized,
    oversized,
  };
}

function witnessProblem(
  history: PlainHistory,
  level: Level,
  names: ReadonlySet<string>,
): string | undefined {
  const ids = [...history.keys()].filter((id) => names.has(`t${id}`));
  if (satisfies(reduce(history, ids), level)) return "no violation in the witness";
  const spare = ids.find((id) => {
    const fewer = ids.filter((other) => other !== id);
    return !satisfies(reduce(history, fewer), level);
  });
  return spare === undefined ? undefined : `t${spare} is not needed in the witness`;
}

/** Whether some smaller set of transactions violates the level too. */
function isLarger(history: PlainHistory, level: Level, size: number): boolean {
  const all = [...history.keys()];
  for (let mask = 1; mask < 2 ** all.length; mask += 1) {
    const ids = all.filter((id) => ((mask >> id) & 1) === 1);
    if (ids.length < size && !satisfies(reduce(history, ids), level)) return true;
  }
  return false;
}

/**
 * Those transactions alone; what was read from others is not demanded any more. Of unknown outcome
 * are only such that somebody read from, perhaps one that is left out: they count as committed.
 */
function reduce(history: PlainHistory, ids: readonly number[]): PlainHistory {
  const kept = ids.flatMap((id) => history[id] ?? []);
  const writers = new Map<string, number>();
  for (const [id, { operations }] of history.entries())
    for (const { kind, key, value } of operations)
      if (kind === "write") writers.set(`${key} ${value}`, id);
  return kept.map((transaction) => ({
    session: transaction.session,
    status: transaction.status === "unknown" ? "committed" : transaction.status,
    operations: transaction.operations.filter(({ kind, key, value }) => {
      const writer = writers.get(`${key} ${value}`);
      return kind === "write" || writer === undefined || ids.includes(writer);
    }),
  }));
}
