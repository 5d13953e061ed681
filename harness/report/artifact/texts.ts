/** @module README and environment of an artifact. Pure. */
import type { RunManifest } from "#harness/record/run.ts";
import {
  type ArtifactInput,
  cellText,
  commandOf,
  formatDuration,
  markdownTable,
  secondsOf,
} from "./artifact.ts";

/** Versions differ between runs only when somebody upgraded in between: all are told. */
function versionsOf(manifests: readonly RunManifest[]): Record<string, string> {
  const names = [...new Set(manifests.flatMap(({ versions }) => Object.keys(versions)))].toSorted();
  return Object.fromEntries(
    names.map((name) => [
      name,
      [...new Set(manifests.flatMap(({ versions }) => versions[name] ?? []))].join(", "),
    ]),
  );
}

export function environmentOf({ suite, manifests, repository }: ArtifactInput): unknown {
  const all = [...manifests.values()];
  return {
    machine: suite.machine,
    versions: versionsOf(all),
    lockfileSha256: repository.lockfileSha256,
    commitOfRuns: [...new Set(all.map(({ git }) => git.commit))],
    dirtyRuns: all.filter(({ git }) => git.dirty).length,
    commitOfArtifact: repository.commit,
    calibration: suite.calibration ?? null,
    commands: [...new Set(all.map(commandOf))],
    notRun: suite.notRun,
  };
}

export function environmentText(input: ArtifactInput): string {
  const { suite, manifests, repository } = input;
  const { machine } = suite;
  const all = [...manifests.values()];
  const facts = [
    ["processor", `${machine.cpuModel}, ${machine.cores} cores`],
    ["memory", `${machine.memoryMiB} MiB`],
    ["system", `${machine.os} ${machine.kernel}`],
    ["Node", machine.node],
    ["aft-bench", repository.version],
    ["commit of the runs", [...new Set(all.map(({ git }) => git.commit))].join(", ")],
    ["package-lock.json", `SHA-256 ${repository.lockfileSha256}`],
  ].map(([name = "", text = ""]) => [name, cellText(text)]);
  const versions = Object.entries(versionsOf(all)).map(([name, text]) => [
    cellText(name),
    cellText(text),
  ]);
  return `# Environment of the reference runs

${markdownTable(["what", "value"], facts)}

Times and rates do not transfer to other machines; claims are about shapes and ratios.

## Packages

${markdownTable(["package", "version"], versions)}
`;
}

export function readmeText(input: ArtifactInput): string {
  const { suite, manifests, repository } = input;
  const all = [...manifests.values()];
  const commands = [...new Set(all.map(commandOf))];
  const commits = [...new Set(all.map(({ git }) => git.commit))];
  const needsRedis = suite.runs.some(({ cell }) => cell.storage === "redis");
  const missing = suite.notRun.map(({ what, get }) => `- ${cellText(what)}: ${cellText(get)}`);
  return `# Artifact: aft-bench, suite ${cellText(suite.suite)}

aft-bench ${repository.version} measures what a stateful-serverless system costs, what it guarantees, and what happens when
things break. This folder holds ${suite.runs.length} reference runs of the suite \`${suite.suite}\` (profile \`${suite.profile}\`), what
they show, and how to obtain it again.

| file | what |
| --- | --- |
| CLAIMS.md, claims.json | each claim of the paper: command, expected, observed, verdict, time |
| BADGES.md | checklist per badge |
| ENVIRONMENT.md, environment.json | machine, versions, hash of the lockfile |
| reference/figures/${suite.suite}/report.html | the report; open it in a browser, no network is needed |
| reference/figures/${suite.suite}/ | figures as PNG, SVG, CSV and vega-lite, and \`suite.json\` |
| reference/runs/ | per run: manifest, summary, checks, measurements, histogram log |
| SHA256SUMS | of every file: \`sha256sum -c SHA256SUMS\` |

## From zero

1. Linux x64 or arm64 with npm (any Node from 20 on starts it; the exact Node comes with the packages), 2 cores, 4 GB.${needsRedis ? "\n   The runs used Redis: `apt-get install redis-server redis-tools`." : ""}
2. The repository at commit ${commits.join(" or ")}. In it:

   \`\`\`sh
   npm ci                         # needs the npm registry; nothing later does
   npm run bench -- doctor        # what this machine can do, and how to get the rest
   \`\`\`

3. Does it work at all? The smallest size, a few minutes; its numbers mean nothing:

   \`\`\`sh
   npm run bench -- run quick --profile smoke --out try
   \`\`\`

## The reference runs again

\`\`\`sh
npm run bench -- calibrate
${commands.join("\n")}
\`\`\`

The runs themselves took ${formatDuration(secondsOf(all))} here, the whole suite ${formatDuration(suite.durationMs / 1_000)}. It ends with the table of claims and writes
\`results/figures/${suite.suite}/report.html\`. Single claims: CLAIMS.md.

\`npm run bench -- report <this folder>/reference/figures/${suite.suite}\` draws the reference's figures, tables and claims again.
${
  input.raw
    ? `Every request and transaction is in reference/runs: \`npm run bench -- compare <this folder>/reference/figures/${suite.suite}
results/figures/${suite.suite}\` compares cell by cell, \`check\` judges a history again, \`replay\` repeats a run.`
    : "Records of single requests were left out for their size (`aft-bench artifact --raw` copies them); histograms are there."
}

## What cannot be had here

${missing.length === 0 ? "Everything that was planned ran." : missing.join("\n")}
`;
}
