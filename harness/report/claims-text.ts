/** @module The claims table as text. Pure. */
import type { ClaimVerdict, SuiteResult } from "#harness/record/run.ts";
import { countVerdicts } from "./claims.ts";

/** What readers see for a verdict. */
export const verdictNames: Readonly<Record<ClaimVerdict["verdict"], string>> = {
  reproduced: "reproduced",
  "not-reproduced": "not reproduced",
  "not-testable": "not testable here",
};

/** A heading with counts, then a line a claim, and below it why where it is not reproduced. */
export function formatClaims(suite: Pick<SuiteResult, "claims">): string {
  const counts = countVerdicts(suite);
  const head = Object.entries(verdictNames)
    .map(([verdict, name]) => `${counts[verdict as ClaimVerdict["verdict"]]} ${name}`)
    .join(", ");
  return [`claims: ${head}`, ...suite.claims.flatMap(linesOf)].join("\n");
}

function linesOf(claim: ClaimVerdict): string[] {
  const { verdict, text, ours, paper, source, rule } = claim;
  return [
    `  ${verdictNames[verdict]}: ${text} (${source})`,
    `    ours ${ours ?? "n/a"}, paper ${paper}${rule === undefined ? "" : `; ${rule}`}`,
    ...whyOf(claim).map((line) => `    ${line}`),
  ];
}

/** What explains a claim that is not reproduced: a reason, or facts from the record. */
export function whyOf({ verdict, reason, facts = [] }: ClaimVerdict): string[] {
  if (verdict === "not-reproduced") return facts.map((fact) => `measured: ${fact}`);
  return reason === undefined ? [] : [`because ${reason}`];
}
