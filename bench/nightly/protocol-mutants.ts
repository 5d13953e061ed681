/**
 * @module Hand-made mistakes in the protocol and the replica, each of which the unit tests must notice:
 * `npm run nightly:protocol-mutants`.
 *
 * Every mutant is put alone into a scratch clone, and the unit tests under `shim/` run there until
 * the first failure. Exit code 1 if one lives, or if its place in the code is no longer there.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ownRoot } from "#bench/ab-block/revision.ts";
import { type Mutant, mutants } from "./mutants.ts";

const execute = promisify(execFile);
const [only = ""] = process.argv.slice(2);
const directory = await mkdtemp(join(tmpdir(), "aft-bench-mutants-"));
const clone = join(directory, "clone");
const survivors: string[] = [];
try {
  await execute("git", ["clone", "--quiet", "--no-hardlinks", ownRoot, clone]);
  await symlink(join(ownRoot, "node_modules"), join(clone, "node_modules"), "junction");
  if (!(await testsPass([]))) throw new Error("the tests fail without any mutant");
  for (const mutant of mutants.filter(({ mistake }) => mistake.includes(only))) {
    const failed = await killedBy(mutant);
    if (failed === undefined) survivors.push(mutant.mistake);
    console.log(`${failed === undefined ? "LIVES" : "dies "}  ${mutant.mistake}`);
    if (failed !== undefined) console.log(`       by: ${failed}`);
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
console.log(`${mutants.length} mutants, ${survivors.length} alive`);
if (survivors.length > 0) process.exitCode = 1;

/** The first test that fails with the mutant in place; `undefined` when none does. */
async function killedBy({ file, from, to, tests }: Mutant): Promise<string | undefined> {
  const path = join(clone, file);
  const original = await readFile(path, "utf8");
  if (original.split(from).length !== 2)
    throw new Error(`${file} does not contain exactly once: ${from}`);
  await writeFile(
    path,
    original.replace(from, () => to),
  );
  try {
    return await firstFailure(tests);
  } finally {
    await writeFile(path, original);
  }
}

async function testsPass(tests: readonly string[]): Promise<boolean> {
  return (await firstFailure(tests)) === undefined;
}

async function firstFailure(tests: readonly string[]): Promise<string | undefined> {
  const where = tests.length > 0 ? tests : ["shim/aft"];
  const options = { cwd: clone, env: { ...process.env, NO_COLOR: "1" }, timeout: 180_000 };
  const vitest = join(clone, "node_modules/vitest/vitest.mjs");
  try {
    await execute(
      process.execPath,
      [vitest, "run", "--project", "unit", "--bail", "1", ...where],
      options,
    );
    return undefined;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    return /FAIL\s+(.*)/.exec(stdout + stderr)?.[1] ?? `no test, but: ${stderr.slice(0, 300)}`;
  }
}
