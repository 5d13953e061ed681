/** @module Gate by equality: counts of a deterministic run against a baseline in the repository. Pure. */
import type { NotRun } from "#harness/record/run.ts";
import { type GateCheck, type GateResult, worstOutcome } from "./outcome.ts";

/** Totals of one case; `committed` turns them into figures per transaction. */
export type ExactCase = Readonly<Record<string, number>> & { readonly committed: number };

export interface ExactRun {
  readonly parameters: Readonly<Record<string, number>>;
  readonly cases: Readonly<Record<string, ExactCase>>;
  readonly notRun: readonly NotRun[];
}

export type ExactBaseline = Pick<ExactRun, "parameters" | "cases">;

/**
 * Compares runs with the baseline. A count that differs is a failure only if every run of this
 * candidate gave the same; counts that do not repeat are not exact, so they are inconclusive.
 *
 * @param runs  At least one; more when the first differed.
 */
export function judgeExact(baseline: ExactBaseline, runs: readonly ExactRun[]): GateResult {
  const [first] = runs;
  if (first === undefined) throw new RangeError("judgeExact needs a run");
  const checks: GateCheck[] = [];
  if (!sameCounts(baseline.parameters, first.parameters))
    checks.push({
      name: "parameters",
      outcome: "fail",
      explanation: "the baseline was made by another run; update it with a reviewed diff",
    });
  const missing = new Set(first.notRun.map(({ what }) => what));
  for (const name of Object.keys({ ...baseline.cases, ...first.cases })) {
    if (missing.has(name)) continue;
    const expected = baseline.cases[name];
    const counts = runs.map(({ cases }) => cases[name]);
    checks.push(...judgeCase(name, expected, counts));
  }
  return {
    gate: "exact",
    outcome: worstOutcome(checks.map(({ outcome }) => outcome)),
    attempts: runs.length,
    checks,
    notes: first.notRun.map(({ what, why, get }) => `not run: ${what}: ${why}; ${get}`),
  };
}

function judgeCase(
  name: string,
  expected: ExactCase | undefined,
  runs: readonly (ExactCase | undefined)[],
): GateCheck[] {
  const [found] = runs;
  if (expected === undefined || found === undefined) {
    const explanation =
      expected === undefined ? "is not in the baseline" : "is in the baseline, but did not run";
    return [{ name, outcome: "fail", explanation: `${name} ${explanation}` }];
  }
  return Object.keys({ ...expected, ...found }).map((counter) => {
    const [want, have] = [expected[counter], found[counter]];
    const repeats = runs.every((run) => run?.[counter] === have);
    const outcome = want === have && repeats ? "pass" : repeats ? "fail" : "inconclusive";
    const all = runs.map((run) => String(run?.[counter])).join(", ");
    const perTransaction = (value: number | undefined): string =>
      value === undefined ? "none" : `${value} (${round(value / found.committed)} a transaction)`;
    return {
      name: `${name}: ${counter}`,
      outcome,
      explanation: !repeats
        ? `does not repeat: ${all}; a count that varies cannot be gated`
        : want === have
          ? perTransaction(have)
          : `${perTransaction(have)}, baseline ${perTransaction(want)}`,
    };
  });
}

function sameCounts(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): boolean {
  const names = Object.keys({ ...a, ...b });
  return names.every((name) => a[name] === b[name]);
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
