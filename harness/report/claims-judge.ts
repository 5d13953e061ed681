/**
 * @module What a claim of the paper is as code: a predicate over a suite's runs. Pure.
 *
 * A predicate says what it found, what the paper has, whether that is the same within a named tolerance, and
 * on which runs it rests. Where it cannot judge it says why, as a fact.
 */
import type { Percentile, SuiteResult } from "#harness/record/run.ts";
import type { PaperClaim } from "#results/load.ts";
import { isEmulated, storeName } from "./format.ts";

/** What is claimed, by whomever. */
export type Claim = Omit<PaperClaim, "origin">;
export type ClaimSuite = Pick<SuiteResult, "runs" | "comparisons" | "machine" | "notRun">;
export type ClaimRun = SuiteResult["runs"][number];

export interface Judgement {
  /** The predicate in words, with its tolerance. */
  readonly rule: string;
  readonly paper: number | string;
  /** Null: the record does not hold it. */
  readonly ours: number | string | null;
  /** Null: cannot be judged here. */
  readonly holds: boolean | null;
  /** Why it cannot be judged; absent: what it needs is missing from the record. */
  readonly reason?: string;
  /** Which quantile of its runs it is about. */
  readonly needs?: QuantileName;
  /** What was looked at. */
  readonly runs: readonly ClaimRun[];
  /** Measured facts that explain what was found; each a sentence. */
  readonly facts?: readonly string[];
}

/** One claim's predicate; `id` is that of results/paper/claims.json. */
export interface Predicate {
  readonly id: string;
  readonly judge: (suite: ClaimSuite) => Judgement;
}

export interface Wanted {
  readonly experiment: string;
  /** As figures call it: an emulated service by its own name. */
  readonly store?: string;
  readonly system?: string;
  /** Further factors of the cell, `writes`, `functions`, … */
  readonly factors?: Readonly<Record<string, string | number>>;
}

/** Runs over emulated services: what the paper's figures are compared with. */
export function runsOf({ runs }: Pick<ClaimSuite, "runs">, wanted: Wanted): ClaimRun[] {
  const { experiment, store, system, factors = {} } = wanted;
  return runs.filter(
    (run) =>
      run.experiment === experiment &&
      (store === undefined || (isEmulated(run.cell) && storeName(run.cell) === store)) &&
      (system === undefined || run.cell.system === system) &&
      Object.entries(factors).every(([name, level]) => run.cell[name] === level),
  );
}

export type QuantileName = "p50" | "p99";

/** Milliseconds; undefined where the sample does not support it. */
export function quantileMs(run: ClaimRun | undefined, quantile: QuantileName): number | undefined {
  const value: Percentile | undefined = run?.responseTimeUs[quantile];
  return typeof value === "number" ? value / 1_000 : undefined;
}

/** Two quantiles over each other; null where one is missing. */
export function ratioOf(top: number | undefined, bottom: number | undefined): number | null {
  return top === undefined || bottom === undefined || bottom === 0 ? null : round(top / bottom);
}

/** Whether `ours` lies within `tolerance` of the paper's, a share of it. */
export function isWithin(ours: number, paper: number, tolerance: number): boolean {
  return Math.abs(ours - paper) <= tolerance * Math.abs(paper);
}

export function round(value: number, digits = 2): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}

export function percent(share: number): string {
  return `${round(share * 100, 1)} %`;
}

/** A claim that nothing here can test, whatever is run. */
export function untestable(
  id: string,
  claim: { readonly paper: number | string; readonly rule: string; readonly reason: string },
): Predicate {
  const { paper, rule, reason } = claim;
  return { id, judge: () => ({ rule, paper, ours: null, holds: null, reason, runs: [] }) };
}
