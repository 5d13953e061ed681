/** @module Which runs a claim rests on, and which experiments make such runs. Pure, apart from reading the claims. */
import type { ClaimVerdict, SuiteResult } from "#harness/record/run.ts";
import { loadClaims } from "#results/load.ts";

type Claim = Pick<ClaimVerdict, "id" | "runIds">;

/** The runs it names; in older documents, which name none, those of its experiments. */
export function runsOf(claim: Claim, { runs }: Pick<SuiteResult, "runs">): SuiteResult["runs"] {
  const { runIds } = claim;
  if (runIds !== undefined) return runs.filter(({ runId }) => runIds.includes(runId));
  const experiments = knownExperiments(claim);
  return runs.filter(({ experiment }) => experiments.includes(experiment));
}

/** Experiments whose runs tell, those that did first; empty for a claim that nobody knows any more. */
export function experimentsOf(claim: Claim, suite: Pick<SuiteResult, "runs">): readonly string[] {
  const experiments = new Set(runsOf(claim, suite).map(({ experiment }) => experiment));
  return experiments.size > 0 ? [...experiments] : knownExperiments(claim);
}

function knownExperiments({ id }: Claim): readonly string[] {
  return loadClaims().find((claim) => claim.id === id)?.experiments ?? [];
}
