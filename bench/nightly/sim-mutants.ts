/**
 * @module Mistakes of the authors' code and of our own making, put alone into a scratch clone and simulated
 * there until a seed fails: `npm run nightly:sim-mutants`. Prints how many seeds each needed.
 *
 * Exit code 1 if one lives through all seeds, or if its place in the code is no longer there. Plain storage
 * is a canary of the same kind. `npm run nightly:sim-mutants -- TEXT` takes those whose name has the text;
 * without one the table in `harness/sim/mutants.md` is written anew.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ownRoot } from "#bench/ab-block/revision.ts";
import type { SimDocument } from "#bench/commands/sim.ts";
import { formatColumns } from "#bench/text.ts";
import { type SimMutant, simMutants } from "./sim-mutant-list.ts";

const execute = promisify(execFile);
const lastSeed = 1_000;
const timeout = 600_000;

interface Found {
  readonly seeds: number;
  readonly violation: string;
  /** A known seed that must fail and does not. */
  readonly unseenBug?: number;
}

const [only = ""] = process.argv.slice(2);
const directory = await mkdtemp(join(tmpdir(), "aft-bench-sim-mutants-"));
const clone = join(directory, "clone");
const rows: string[][] = [["seeds", "mistake", "found as"]];
let alive = 0;
/** Entries of the bug base that hold although their bug is there: they prove nothing any more. */
const unseen: number[] = [];
try {
  await execute("git", ["clone", "--quiet", "--no-hardlinks", ownRoot, clone]);
  await symlink(join(ownRoot, "node_modules"), join(clone, "node_modules"), "junction");
  if ("canary: plain storage".includes(only))
    report("canary: plain storage", await search("direct"));
  for (const mutant of simMutants.filter(({ mistake }) => mistake.includes(only)))
    report(mutant.mistake, await searchWith(mutant));
} finally {
  await rm(directory, { recursive: true, force: true });
}
console.log(formatColumns(rows));
if (only === "") await writeFile(join(ownRoot, "harness/sim/mutants.md"), asDocument());
console.log(`${rows.length - 1} mistakes, ${alive} alive after ${lastSeed} seeds`);
if (unseen.length > 0)
  console.log(`entries of the bug base that hold all the same: ${unseen.join(", ")}`);
if (alive + unseen.length > 0) process.exitCode = 1;

/** For people; formatted as prettier would. */
function asDocument(): string {
  const clean = (text: string): string => text.replaceAll("|", "\\|").replaceAll(/[<>]/g, "");
  const cells = rows.map(([seeds = "", mistake = "", found = ""]) =>
    [seeds, mistake, kindOf(found)].map(clean),
  );
  const widths = [0, 1, 2].map((at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, at) => (row[at] ?? "").padEnd(width)).join(" | ")} |`;
  const [header = [], ...found] = cells;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [
    "# Mistakes, and how many seeds the simulator needs for each",
    "",
    "Written by `npm run nightly:sim-mutants`: each is put alone into a copy of this repository, and seeds",
    `1, 2, … are simulated there until one fails, up to ${lastSeed}. Numbers before a name: the defects of the`,
    "authors' published code in their order. A seed that fails is enough to replay the mistake.",
    "",
    line(header),
    rule,
    ...found.map(line),
    "",
    `${found.length} mistakes, ${alive} alive after ${lastSeed} seeds.`,
    "",
  ].join("\n");
}

/** What noticed it, without the ids of a run. */
function kindOf(violation: string): string {
  return violation
    .replace(/^checker: no commit order explains this at ([^:]*).*$/, "checker: $1")
    .replace(/^(checker: \w+|[^:]*).*$/, "$1");
}

function report(mistake: string, found: Found | undefined): void {
  if (found?.unseenBug !== undefined) unseen.push(found.unseenBug);
  if (found === undefined) alive += 1;
  const row = [
    found === undefined ? "LIVES" : String(found.seeds),
    mistake,
    found?.violation ?? "",
  ];
  rows.push(row);
  process.stderr.write(`${row.join("  ")}\n`);
}

async function searchWith({ file, from, to, bug }: SimMutant): Promise<Found | undefined> {
  const path = join(clone, file);
  const original = await readFile(path, "utf8");
  if (original.split(from).length !== 2)
    throw new Error(`${file} does not contain exactly once: ${from}`);
  await writeFile(
    path,
    original.replace(from, () => to),
  );
  try {
    const found = await search("aft");
    if (bug === undefined || found === undefined) return found;
    const { failures } = await simulated("--bug", String(bug));
    return failures.length > 0 ? found : { ...found, unseenBug: bug };
  } finally {
    await writeFile(path, original);
  }
}

/** The first failing seed, in the clone as it is now. */
async function search(system: "aft" | "direct"): Promise<Found | undefined> {
  const range = ["--seeds", `1..${lastSeed}`, "--failures", "1"];
  const { seeds, failures } = await simulated("--system", system, ...range);
  const [failure] = failures;
  if (failure === undefined) return undefined;
  const [violation = ""] = failure.violations;
  return { seeds: seeds.run, violation: violation.split("\n")[0]?.slice(0, 90) ?? "" };
}

/** `sim` with those flags, by the clone. */
async function simulated(...flags: readonly string[]): Promise<SimDocument> {
  const options = { cwd: clone, timeout, maxBuffer: 64 * 1_048_576 };
  const all = ["bench/cli.ts", "sim", "--no-shrink", "--no-keep", "--json", ...flags];
  const said = await execute(process.execPath, all, options).catch(
    // It ends with a code of its own when a seed fails.
    (error: unknown) => error as { stdout?: string; stderr?: string },
  );
  if (said.stdout === undefined || said.stdout === "")
    throw new Error(`sim ${flags.join(" ")} said nothing: ${said.stderr ?? ""}`);
  return JSON.parse(said.stdout) as SimDocument;
}
