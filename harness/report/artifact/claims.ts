/** @module Claims of an artifact: claim, command, expected range, observed, time needed. Pure. */
import type { ClaimVerdict, SuiteResult } from "#harness/record/run.ts";
import { experimentsOf, runsOf } from "../claim-experiments.ts";
import {
  type ArtifactInput,
  cellText,
  type ClaimRow,
  formatDuration,
  markdownTable,
  secondsOf,
} from "./artifact.ts";

export function claimRows({ suite, manifests }: ArtifactInput): ClaimRow[] {
  return suite.claims.map((claim) => {
    const runs = runsOf(claim, suite);
    const experiments = experimentsOf(claim, suite);
    // The command measures whole experiments, not only what this claim looks at.
    const measured = suite.runs.filter(({ experiment }) => experiments.includes(experiment));
    const known = measured.flatMap(({ runId }) => manifests.get(runId) ?? []);
    return {
      id: claim.id,
      text: claim.text,
      source: claim.source,
      command: commandFor(experiments, suite, known[0]?.seeds["seed"]),
      expected: expectedOf(claim),
      observed: claim.ours === null ? "nothing measured" : String(claim.ours),
      verdict: claim.verdict,
      why: verdictOf(claim),
      runIds: runs.map(({ runId }) => runId),
      seconds: known.length === 0 ? null : secondsOf(known),
    };
  });
}

/** The paper's value, and in which range ours counts as the same. */
function expectedOf({ paper, rule }: ClaimVerdict): string {
  return `${String(paper)} in the paper; ${rule ?? "judged as the claim says"}`;
}

/** Why a claim is not reproduced or not testable stands beside its verdict. */
function verdictOf({ verdict, reason, facts = [] }: ClaimVerdict): string {
  const why = [
    ...(reason === undefined ? [] : [reason]),
    ...(verdict === "not-reproduced" ? facts : []),
  ];
  return [verdict, ...why].join("; ");
}

/** The experiments that decide a claim, and nothing else, in the size that was run. */
function commandFor(
  experiments: readonly string[],
  { profile }: SuiteResult,
  seed: number | undefined,
): string {
  if (experiments.length === 0) return "";
  const seedFlag = seed === undefined ? "" : ` --seed ${seed}`;
  return `npm run bench -- run ${experiments.join(" ")} --profile ${profile}${seedFlag}`;
}

export function claimsText(input: ArtifactInput): string {
  const rows = claimRows(input);
  const { suite } = input;
  const counts = (["reproduced", "not-reproduced", "not-testable"] as const)
    .map((kind) => `${rows.filter(({ verdict }) => verdict === kind).length} ${kind}`)
    .join(", ");
  const table = markdownTable(
    ["claim", "source", "command", "expected", "observed here", "verdict", "runs", "time"],
    rows.map((row) => [
      `**${cellText(row.id)}** ${cellText(row.text)}`,
      cellText(row.source),
      row.command === "" ? "" : `\`${row.command}\``,
      cellText(row.expected),
      cellText(row.observed),
      cellText(row.why),
      String(row.runIds.length),
      row.seconds === null ? "" : formatDuration(row.seconds),
    ]),
  );
  return `# Claims

${rows.length} claims about the suite \`${suite.suite}\`, profile \`${suite.profile}\`: ${counts}.

"Expected" is what the paper reports and the range in which a value counts as reproduced; the predicates are
code (\`harness/report/claims*.ts\`) and are evaluated by every \`run\` and \`report\`. "Observed" is what the runs in
\`reference/\` show. "Runs" are those the value rests on. "Time" is how long the runs of the command's experiments took on the machine
in ENVIRONMENT.md, from their manifests; starting and stopping of servers comes on top. Claims of one
experiment share its runs: one command measures them all.

${rows.length === 0 ? "The suite holds no experiment that a claim is about." : table}
`;
}
