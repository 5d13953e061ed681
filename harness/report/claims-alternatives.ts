/**
 * @module What is expected of state systems under mishaps, as predicates over counts. Not the paper's claims: they
 * say what follows from how each system works, and the record may contradict them.
 */
import {
  alternativeRows,
  type AlternativeRow,
  experimentId,
  type RateName,
} from "./alternatives.ts";
import type { Claim, ClaimRun, ClaimSuite, Judgement, Predicate } from "./claims-judge.ts";

export interface OwnClaim extends Predicate {
  readonly claim: Claim;
}

type Row = AlternativeRow & { readonly run: ClaimRun };

export const alternativesClaims: readonly OwnClaim[] = [
  claimOf({
    id: "alternatives-aft",
    statement: "With mishaps, aft shows no request in part and none twice",
    expected: "0 in part, 0 twice",
    judge: (suite) => {
      const rows = withMishaps(suite, "aft");
      const [torn, repeated] = [sum(rows, "torn"), sum(rows, "repeated")];
      return {
        ours: `${torn} in part, ${repeated} twice of ${requestsOf(rows)}`,
        holds: torn === 0 && repeated === 0,
        rows,
      };
    },
  }),
  claimOf({
    id: "alternatives-redis-multi",
    statement: "redis-multi writes at once, but its reads see other requests in part",
    expected: "more than 0 in part",
    judge: (suite) => {
      const rows = withMishaps(suite, "redis-multi");
      const torn = sum(rows, "torn");
      return { ours: `${torn} in part of ${requestsOf(rows)}`, holds: torn > 0, rows };
    },
  }),
  claimOf({
    id: "alternatives-step-log",
    statement: "step-log does every step of a request once, and others see its steps one by one",
    expected: "0 twice, more than 0 in part",
    judge: (suite) => {
      const rows = withMishaps(suite, "step-log");
      const [torn, repeated] = [sum(rows, "torn"), sum(rows, "repeated")];
      return {
        ours: `${repeated} twice, ${torn} in part of ${requestsOf(rows)}`,
        holds: repeated === 0 && torn > 0,
        rows,
      };
    },
  }),
  claimOf({
    id: "alternatives-postgres-ser",
    statement:
      "postgres-ser has one serializable transaction a function: within functions there is no anomaly and no lost update",
    expected: "0 within functions",
    judge: (suite) => {
      const rows = withMishaps(suite, "postgres-ser");
      const judged = total(rows, ({ run }) => run.perFunction?.judged ?? 0);
      const found = total(
        rows,
        ({ run: { perFunction } }) =>
          (perFunction?.anomalous.transactions ?? 0) +
          (perFunction?.lostUpdates?.transactions ?? 0),
      );
      return {
        ours: `${found} within ${judged} functions`,
        holds: judged === 0 ? null : found === 0,
        rows,
        facts: rows.flatMap(postgresFacts),
      };
    },
  }),
  claimOf({
    id: "alternatives-promises",
    statement: "No system breaks what it promises, with mishaps or without",
    expected: "none",
    judge: (suite) => {
      const rows = alternativesOf(suite);
      const broken = rows.filter(({ run }) => run.violated.length > 0);
      return {
        ours: `${broken.length} of ${rows.length} runs`,
        holds: broken.length === 0,
        rows,
        facts: broken.map(
          ({ system, run }) => `${system} (${run.cell.faults}) broke ${run.violated.join(", ")}`,
        ),
      };
    },
  }),
];

interface Found {
  readonly ours: string;
  readonly holds: boolean | null;
  readonly rows: readonly Row[];
  readonly facts?: readonly string[];
}

function claimOf(options: {
  readonly id: string;
  readonly statement: string;
  readonly expected: string;
  readonly judge: (suite: ClaimSuite) => Found;
}): OwnClaim {
  const { id, statement, expected, judge } = options;
  return {
    id,
    claim: {
      id,
      section: experimentId,
      figure: "",
      statement,
      experiments: [experimentId],
    },
    judge: (suite): Judgement => {
      const { ours, holds, rows, facts = rows.flatMap(countFacts) } = judge(suite);
      const isMissing = rows.length === 0;
      return {
        rule: "counts of all skews together, with mishaps",
        paper: `expected: ${expected}`,
        ours: isMissing ? null : ours,
        holds: isMissing ? null : holds,
        runs: rows.map(({ run }) => run),
        facts,
      };
    },
  };
}

function alternativesOf({ runs }: ClaimSuite): Row[] {
  return alternativeRows(runs) as Row[];
}

function withMishaps(suite: ClaimSuite, system: string): Row[] {
  return alternativesOf(suite).filter((row) => row.system === system && row.hasMishaps);
}

function total(rows: readonly Row[], of: (row: Row) => number): number {
  return rows.reduce((all, row) => all + of(row), 0);
}

function sum(rows: readonly Row[], name: RateName): number {
  return total(rows, ({ rates }) => rates[name].count);
}

function requestsOf(rows: readonly Row[]): number {
  return total(rows, ({ rates }) => rates.torn.of);
}

/** What was seen, and how much was there to be seen. */
function countFacts({ system, zipfTheta, run, rates }: Row): string[] {
  const mishaps = Object.values(run.mishaps ?? {}).reduce((all, count) => all + count, 0);
  return [
    `${system} at zipf ${zipfTheta}: ${mishaps} mishaps in ${rates.torn.of} requests; ` +
      `${rates.torn.count} seen in part, ${rates.repeated.count} seen twice`,
  ];
}

/** A request is two of its transactions, and others may come between them. */
function postgresFacts({ zipfTheta, rates, abortPercent, run }: Row): string[] {
  const { perFunction } = run;
  const within =
    perFunction === undefined
      ? ""
      : `, ${perFunction.anomalous.transactions} anomalies and ${perFunction.lostUpdates?.transactions ?? 0} lost updates within functions`;
  return [
    `postgres-ser at zipf ${zipfTheta}: ${abortPercent} % of attempts aborted; over whole requests, which are ` +
      `two of its transactions, ${rates.torn.count} seen in part and ${rates.repeated.count} twice${within}`,
  ];
}
