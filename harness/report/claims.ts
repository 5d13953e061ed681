/**
 * @module The paper's claims judged on a suite: one line for each, never without a verdict and, where it is not
 * "reproduced", never without measured facts or a reason. Pure, apart from reading what the paper claims.
 */
import type { ClaimVerdict, SuiteResult } from "#harness/record/run.ts";
import { loadClaims } from "#results/load.ts";
import { alternativesClaims } from "./claims-alternatives.ts";
import { anomalyClaims } from "./claims-anomalies.ts";
import { clusterClaims } from "./claims-cluster.ts";
import type { Claim, ClaimSuite, Judgement, Predicate } from "./claims-judge.ts";
import { latencyClaims } from "./claims-latency.ts";
import { levelClaims } from "./claims-levels.ts";
import { scalingClaims } from "./claims-scaling.ts";
import { distinctReasons } from "./validity.ts";

/** One for each entry of results/paper/claims.json. */
export const predicates: readonly Predicate[] = [
  ...latencyClaims,
  ...anomalyClaims,
  ...levelClaims,
  ...scalingClaims,
  ...clusterClaims,
];

/** More facts than this are a table of their own, and the run directories hold it. */
const mostFacts = 8;

/**
 * Every claim about the experiments of a suite, in the paper's order, then what is expected beyond it. Invalid runs are not looked at, unless they are
 * shown; a claim that has no others says so.
 */
export function evaluateClaims(
  suite: ClaimSuite,
  options: { readonly keepInvalid?: boolean } = {},
): ClaimVerdict[] {
  const { keepInvalid = false } = options;
  const shown = { ...suite, runs: suite.runs.filter(({ valid }) => valid || keepInvalid) };
  const ofPaper = loadClaims().flatMap((claim) => {
    const predicate = predicates.find(({ id }) => id === claim.id);
    return predicate === undefined ? [] : [{ claim, judge: predicate.judge }];
  });
  return [...ofPaper, ...alternativesClaims]
    .filter(({ claim }) => isAbout(claim, suite))
    .map(({ claim, judge }) => verdictOf(claim, judge(shown), suite));
}

/** Whether the suite set out to run what could tell. */
function isAbout({ experiments }: Claim, { runs, notRun }: ClaimSuite): boolean {
  return experiments.some(
    (name) =>
      runs.some(({ experiment }) => experiment === name) ||
      notRun.some(({ what }) => what.startsWith(`${name} `)),
  );
}

function verdictOf(claim: Claim, judged: Judgement, suite: ClaimSuite): ClaimVerdict {
  const { id, section, figure, statement } = claim;
  const { rule, ours, paper, holds, runs, facts = [] } = judged;
  const verdict =
    holds === null ? "not-testable" : holds ? ("reproduced" as const) : ("not-reproduced" as const);
  const reason = holds === null ? (judged.reason ?? whyMissing(claim, judged, suite)) : undefined;
  const source = /^\d/.test(section) ? [`§${section}`, figure] : [section, figure];
  return {
    id,
    text: statement,
    verdict,
    ours,
    paper,
    source: source.filter((part) => part !== "").join(", "),
    section,
    figure,
    rule,
    ...(reason !== undefined && { reason }),
    facts: [...sharedMachine(runs, suite), ...new Set(facts)].slice(0, mostFacts),
    runIds: runs.map(({ runId }) => runId),
  };
}

/** From here on others took so much of a machine that times are theirs too. */
const muchForeign = 0.5;

function sharedMachine(runs: Judgement["runs"], { machine }: ClaimSuite): string[] {
  const most = Math.max(0, ...runs.map(({ fitness }) => fitness?.foreignCores ?? 0));
  return most < muchForeign
    ? []
    : [`processes of others used up to ${most.toFixed(1)} of ${machine.cores} cores meanwhile`];
}

/** Why the record does not hold what a claim needs, from the record. */
function whyMissing({ experiments }: Claim, { runs, needs }: Judgement, suite: ClaimSuite): string {
  const mine = suite.runs.filter(({ experiment }) => experiments.includes(experiment));
  for (const { responseTimeUs } of needs === undefined ? [] : runs) {
    const value = responseTimeUs[needs ?? "p50"];
    if (typeof value !== "number")
      return `the runs are too short: a ${needs} needs ${value.need} requests, there are ${value.have}`;
  }
  const invalid = mine.filter(({ valid }) => !valid);
  if (invalid.length > 0 && runs.length < mine.length)
    return `runs it needs are invalid: ${distinctReasons(invalid).join("; ")}`;
  // No claim is about a system that needs packages of its own.
  const missing = suite.notRun.filter(
    ({ what }) =>
      experiments.some((name) => what.startsWith(`${name} `)) && !what.includes(" system:"),
  );
  const [first] = missing;
  if (first !== undefined) return `${first.what} was not run: ${first.why} (${first.get})`;
  return `the cells it needs were not part of this run of ${experiments.join(" and ")}`;
}

/** How many of each verdict, for a heading. */
export function countVerdicts({
  claims,
}: Pick<SuiteResult, "claims">): Readonly<Record<ClaimVerdict["verdict"], number>> {
  const counts = { reproduced: 0, "not-reproduced": 0, "not-testable": 0 };
  for (const { verdict } of claims) counts[verdict] += 1;
  return counts;
}
