/**
 * @module `npm run nightly:gate-selftest`: the gates against commits whose effect is known, in a scratch clone.
 *
 *   1. A commit that reads once more from the storage per commit must fail the exact gate.
 *   2. A commit that waits 2 ms per commit must fail the time gate.
 *   3. An unchanged commit must pass both, 20 times of 20: failing never, inconclusive at most twice.
 *
 * Arguments: how often 3 is run (20), and a command put before each gate, such as `flock FILE`.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { exitCodes } from "#bench/exit-codes.ts";
import { ownRoot } from "#bench/ab-block/revision.ts";

import { mutants, mutate, mutatedFile } from "./mutants.ts";

const execute = promisify(execFile);
const [repetitionsText = "20", ...before] = process.argv.slice(2);
const repetitions = Number(repetitionsText);

/** A gate that takes longer, waiting for `before` included, hangs. */
const gateTimeoutMs = 900_000;

const directory = await mkdtemp(join(tmpdir(), "aft-bench-selftest-"));
const clone = join(directory, "clone");
const failures: string[] = [];
try {
  await git(ownRoot, "clone", "--quiet", "--no-hardlinks", ownRoot, clone);
  await symlink(join(ownRoot, "node_modules"), join(clone, "node_modules"), "junction");
  await expectGate(
    "one storage call more",
    mutants.oneCallMore,
    "--exact",
    exitCodes.thresholdMissed,
  );
  await expectGate("2 ms more", mutants.twoMilliseconds, "--time", exitCodes.thresholdMissed);
  await unchanged();
} finally {
  await rm(directory, { recursive: true, force: true });
}
for (const failure of failures) process.stdout.write(`FAILED: ${failure}\n`);
process.exitCode = failures.length === 0 ? exitCodes.ok : exitCodes.thresholdMissed;

async function expectGate(
  name: string,
  inserted: string,
  kind: "--exact" | "--time",
  expected: number,
): Promise<void> {
  const path = join(clone, mutatedFile);
  const mutated = mutate(await readFile(path, "utf8"), inserted);
  if (mutated === undefined) throw new Error(`${mutatedFile} has no longer the place to mutate`);
  await writeFile(path, mutated);
  await git(clone, "commit", "--quiet", "--no-verify", "-am", `selftest: ${name}`);
  const { code, text: output } = await gate(kind, "HEAD~1");
  process.stdout.write(`${name}: exit ${code}\n${output.trim()}\n`);
  if (code !== expected) failures.push(`${name}: exit ${code}, expected ${expected}`);
  await git(clone, "reset", "--quiet", "--hard", "HEAD~1");
}

async function unchanged(): Promise<void> {
  const counts = new Map<number, number>();
  for (let run = 1; run <= repetitions; run += 1) {
    await git(
      clone,
      "commit",
      "--quiet",
      "--no-verify",
      "--allow-empty",
      "-m",
      "selftest: nothing",
    );
    const { code, text } = await gate("--time", "HEAD~1", ...(run === 1 ? ["--exact"] : []));
    counts.set(code, (counts.get(code) ?? 0) + 1);
    const lines = text
      .split("\n")
      .filter((part) => part.includes("gate:") || /candidate.base/.test(part));
    process.stdout.write(`unchanged ${run}/${repetitions}: exit ${code}\n${lines.join("\n")}\n`);
  }
  const inconclusive = counts.get(exitCodes.inconclusive) ?? 0;
  const passed = counts.get(exitCodes.ok) ?? 0;
  process.stdout.write(`unchanged: ${passed} passed, ${inconclusive} inconclusive\n`);
  if (passed + inconclusive !== repetitions) failures.push("an unchanged commit failed the gate");
  if (inconclusive > repetitions / 10) failures.push(`${inconclusive} inconclusive`);
}

async function gate(
  kind: string,
  base: string,
  ...more: readonly string[]
): Promise<{ code: number; text: string }> {
  const [program = process.execPath, ...args] = [
    ...before,
    process.execPath,
    "bench/cli.ts",
    "gate",
    kind,
    ...more,
    ...(kind === "--time" ? ["--base", base] : []),
  ];
  try {
    const { stdout } = await execute(program, args, {
      cwd: clone,
      maxBuffer: 16 * 1_048_576,
      timeout: gateTimeoutMs,
    });
    return { code: 0, text: stdout };
  } catch (error) {
    const {
      code = 1,
      stdout = "",
      stderr = "",
    } = error as {
      code?: number;
      stdout?: string;
      stderr?: string;
    };
    return { code, text: stdout === "" ? stderr : stdout };
  }
}

async function git(cwd: string, ...args: readonly string[]): Promise<void> {
  const identity = ["-c", "user.name=selftest", "-c", "user.email=selftest@localhost"];
  await execute("git", [...identity, ...args], { cwd });
}
