/** @module The claims table on top of the page: what the paper says, what we saw, and by which runs. */
import type { ClaimVerdict } from "#harness/record/run.ts";
import { experimentId } from "../alternatives.ts";
import { runsOf } from "../claim-experiments.ts";
import { verdictNames } from "../claims-text.ts";
import { type Html, joined, markup, nothing, table, trusted } from "./markup.ts";
import { runLinks as linksTo } from "./runs-section.ts";
import type { PageInput, Section } from "./page.ts";

const verdictClasses: Readonly<Record<ClaimVerdict["verdict"], string>> = {
  reproduced: "good",
  "not-reproduced": "bad",
  "not-testable": "soft",
};

/** Runs of a claim that are named one by one. */
const mostLinks = 4;

export function claimsSection(input: PageInput): Section {
  const { claims } = input.suite;
  const content =
    claims.length === 0
      ? nothing
      : markup`<p>${countsOf(claims)}. Each line follows from the runs it names.</p>${claimsTable(input)}`;
  const isPapers = claims.some(({ section }) => section !== experimentId);
  return { id: "claims", title: isPapers ? "Claims of the paper" : "What is expected", content };
}

function countsOf(claims: readonly ClaimVerdict[]): string {
  const kinds = Object.keys(verdictNames) as ClaimVerdict["verdict"][];
  const counts = kinds.map(
    (kind) => `${claims.filter(({ verdict }) => verdict === kind).length} ${verdictNames[kind]}`,
  );
  return `${claims.length} claims: ${counts.join(", ")}`;
}

function claimsTable(input: PageInput): Html {
  const { suite } = input;
  return table({
    label: "Claims of the paper",
    className: "cards",
    rows: suite.claims,
    columns: [
      {
        title: "claim",
        kind: "wide",
        cell: (claim) =>
          markup`<span id="claim-${claim.id}">${claim.text}</span>${ruleOf(claim)}<br><code class="soft">${claim.id}</code>`,
      },
      { title: "source", kind: "text", cell: ({ source }) => source },
      { title: "the paper", kind: "text", cell: ({ paper }) => String(paper) },
      { title: "ours", kind: "wide", cell: ({ ours }) => String(ours ?? "nothing measured") },
      {
        title: "verdict",
        kind: "wide",
        cell: (claim) =>
          markup`<span class="${verdictClasses[claim.verdict]}">${verdictNames[claim.verdict]}</span>${whyOf(claim)}`,
      },
      { title: "runs", kind: "text", cell: (claim) => runLinks(claim, input) },
    ],
  });
}

/** What is judged, where it is more than the claim's own words. */
function ruleOf({ rule }: ClaimVerdict): Html {
  return rule === undefined ? nothing : markup`<br><span class="soft">judged by: ${rule}</span>`;
}

/** What explains the verdict: a reason, and facts of the record. Facts of what is reproduced are folded away. */
function whyOf({ verdict, reason, facts = [] }: ClaimVerdict): Html {
  const because = reason === undefined ? nothing : markup`<br>because ${reason}`;
  if (facts.length === 0) return because;
  const list = markup`<ul>${joined(facts.map((fact) => markup`<li>${fact}</li>`))}</ul>`;
  const isOpen = trusted(verdict === "not-reproduced" ? " open" : "");
  return markup`${because}<details${isOpen}><summary>measured facts</summary>${list}</details>`;
}

/** A claim over many runs links to the place where each of them has its line. */
function runLinks(claim: ClaimVerdict, { suite }: PageInput): Html {
  const runs = runsOf(claim, suite);
  if (runs.length > 0 && runs.length <= mostLinks)
    return linksTo(
      runs.map(({ runId }) => runId),
      markup`<br>`,
    );
  const experiments = [...new Set(runs.map(({ experiment }) => experiment))];
  if (experiments.length === 0) return markup`none`;
  return joined(
    experiments.map((experiment) => {
      const count = runs.filter((run) => run.experiment === experiment).length;
      return markup`<a href="#runs-${experiment}">${count} of ${experiment}</a>`;
    }),
    "<br>",
  );
}
