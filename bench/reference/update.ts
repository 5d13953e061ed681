/**
 * @module `npm run reference:update`: copies what is small of a suite's run into the repository, with the machine it
 * was made on, and shows its figures in README.md.
 *
 *   --from DIR   results of `run paper --profile quick` (results)
 *   --to DIR     results/reference
 *   --small      only what the notebooks draw, without manifests and pictures (results/reference-small)
 *   --add        with --small: puts the experiments of DIR in place of those that are there, and keeps all others
 */
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { countVerdicts, evaluateClaims } from "#harness/report/claims.ts";
import { verdictNames } from "#harness/report/claims-text.ts";
import { figures } from "#harness/report/figures/registry.ts";
import { type OpenRecord, openRecord } from "#harness/report/open-record.ts";
import { reportFailure } from "#bench/failure.ts";

type Run = OpenRecord["suite"]["runs"][number];

const runFiles = ["summary.json", "latency.hlog"];
const furtherFiles = ["manifest.json", "checks.json"];
/** Larger ones say nothing that their PNG does not. */
const largestSvgBytes = 300_000;
const marks = ["<!-- reference: begin -->", "<!-- reference: end -->"] as const;
/** In the README; all of them are in the reference's own. */
const shownInReadme = ["overhead", "anomalies", "fault-timeline", "cost"];

try {
  await update();
} catch (error) {
  process.exitCode = reportFailure(error, (text) => {
    console.error(text);
  });
}

async function update(): Promise<void> {
  const { values } = parseArgs({
    options: {
      from: { type: "string", default: "results" },
      to: { type: "string" },
      small: { type: "boolean", default: false },
      add: { type: "boolean", default: false },
    },
  });
  const { from, small, add } = values;
  const to = values.to ?? (small ? "results/reference-small" : "results/reference");
  const record = await openRecord(from);
  if (small && add) return addTo(to, record);
  const runs = small ? record.suite.runs.filter(isDrawn) : record.suite.runs;
  await rm(to, { recursive: true, force: true });
  await mkdir(to, { recursive: true });
  for (const run of runs)
    await copyRun(run, { to, names: small ? runFiles : [...runFiles, ...furtherFiles] });
  await writeFile(join(to, "suite.json"), `${JSON.stringify(portable(record, runs))}\n`);
  if (small) return;
  const pictures = await copyPictures(resolve(from), { to, suite: record.suite.suite });
  await writeFile(join(to, "README.md"), describe(record, pictures));
  await showIn("README.md", { record, pictures, to });
}

/** Experiments of a record into another one, which keeps its name, its machine and its other runs. */
async function addTo(to: string, { suite: added }: OpenRecord): Promise<void> {
  const kept = await openRecord(to);
  const experiments = new Set(added.runs.map(({ experiment }) => experiment));
  const isKept = (experiment: string): boolean => !experiments.has(experiment);
  for (const experiment of experiments)
    await rm(join(to, "runs", experiment), { recursive: true, force: true });
  for (const run of added.runs) await copyRun(run, { to, names: runFiles });
  const { runs, notRun, ...rest } = kept.suite;
  const suite = {
    ...rest,
    runs: [...runs.filter(({ experiment }) => isKept(experiment)), ...added.runs],
    notRun: [...notRun.filter(({ what }) => isKept(what.split(" ")[0] ?? "")), ...added.notRun],
  };
  const judged = { ...kept, suite: { ...suite, claims: evaluateClaims(suite) } };
  await writeFile(join(to, "suite.json"), `${JSON.stringify(portable(judged, suite.runs))}\n`);
}

/** What no figure of the notebooks needs: further stores of the experiment with the most cells. */
function isDrawn({ experiment, cell }: Run): boolean {
  return experiment !== "write-latency" || cell.emulation === "dynamodb" || cell.storage === "lmdb";
}

/** The document without paths of the machine it was made on. */
function portable({ suite }: OpenRecord, runs: readonly Run[]): OpenRecord["suite"] {
  return {
    ...suite,
    runs: runs.map((run) => ({ ...run, directory: `runs/${run.experiment}/${run.runId}` })),
  };
}

async function copyRun(
  { experiment, runId, directory }: Run,
  { to, names }: { readonly to: string; readonly names: readonly string[] },
): Promise<void> {
  const target = join(to, "runs", experiment, runId);
  await mkdir(target, { recursive: true });
  for (const name of names)
    if (existsSync(join(directory, name))) await cp(join(directory, name), join(target, name));
}

/** In the order of the registry; their names. */
async function copyPictures(
  from: string,
  { to, suite }: { readonly to: string; readonly suite: string },
): Promise<string[]> {
  const beside = join(from, "figures", suite);
  const directory = existsSync(beside) ? beside : from;
  const there = await readdir(directory);
  const target = join(to, "figures");
  await mkdir(target, { recursive: true });
  const shown = figures.map(({ id }) => id).filter((id) => there.includes(`${id}.png`));
  for (const id of shown) {
    await cp(join(directory, `${id}.png`), join(target, `${id}.png`));
    const svg = await readFile(join(directory, `${id}.svg`));
    if (svg.length <= largestSvgBytes) await writeFile(join(target, `${id}.svg`), svg);
  }
  return shown;
}

function aboutLines({ suite }: OpenRecord): string[] {
  const { machine, profile, startedAtMs, durationMs, runs } = suite;
  const counts = countVerdicts(suite);
  const date = new Date(startedAtMs).toISOString().slice(0, 10);
  const verdicts = Object.entries(verdictNames)
    .map(([verdict, name]) => `${counts[verdict as keyof typeof counts]} ${name}`)
    .join(", ");
  return [
    `${date}, \`run ${suite.suite} --profile ${profile}\`, ${Math.round(durationMs / 60_000)} minutes, ${runs.length} runs ` +
      `(${runs.filter(({ valid }) => valid).length} valid).`,
    `Machine: ${machine.cpuModel}, ${machine.cores} cores, ${Math.round(machine.memoryMiB / 1_024)} GiB, ${machine.os} ` +
      `${machine.kernel}, Node ${machine.node}.`,
    `Claims of the paper: ${verdicts}.`,
  ];
}

function describe(record: OpenRecord, pictures: readonly string[]): string {
  const titles = pictures.map((id) => {
    const title = figures.find((figure) => figure.id === id)?.title ?? id;
    return `## ${title}\n\n![${title}](figures/${id}.png)`;
  });
  const claims = record.suite.claims.map(
    ({ verdict, text, ours, paper, source }) =>
      `| ${text} (${source}) | ${verdictNames[verdict]} | ${ours ?? "n/a"} | ${paper} |`,
  );
  return `${[
    "# A reference run",
    ...aboutLines(record),
    ["| claim | verdict | ours | paper |", "| --- | --- | --- | --- |", ...claims].join("\n"),
    ...titles,
  ].join("\n\n")}\n`;
}

async function showIn(
  readme: string,
  {
    record,
    pictures,
    to,
  }: { readonly record: OpenRecord; readonly pictures: readonly string[]; readonly to: string },
): Promise<void> {
  const text = await readFile(readme, "utf8");
  const [start, end] = marks.map((mark) => text.indexOf(mark));
  if (start === undefined || end === undefined || start < 0 || end < start)
    throw new Error(`${readme} has no place for the reference run: ${marks.join(" … ")}`);
  const shown = shownInReadme.filter((id) => pictures.includes(id));
  const body = [
    ...aboutLines(record),
    `All figures and the claims table: [${to}](${to}/README.md).`,
    ...shown.map(
      (id) =>
        `![${figures.find((figure) => figure.id === id)?.title ?? id}](${to}/figures/${id}.png)`,
    ),
  ].join("\n\n");
  const before = text.slice(0, start + marks[0].length);
  await writeFile(readme, `${before}\n\n${body}\n\n${text.slice(end)}`);
}
