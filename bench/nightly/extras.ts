/**
 * @module The optional state systems with their npm packages: `npm run nightly:extras`. Clones this repository, installs
 * what the lockfile says and, without saving it, what the systems need; then holds each to its tests and runs
 * `alternatives` over all of them at the smallest size. Ends with a table.
 *
 * Systems, packages and tests are found, not listed: a system says what it `needs`, and its tests stand in
 * `describeOptional`. Exit code 1 if a test fails, a promise is broken, or a system has no test or no run.
 */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { installCommand } from "#kit/node/optional-package.ts";
import type { SuiteResult } from "#harness/record/run.ts";
import { parseSuite } from "#harness/record/schema.ts";
import { optionalSystems } from "#shim/state/registry.ts";
import { ownRoot } from "#bench/ab-block/revision.ts";
import { formatColumns } from "#bench/text.ts";

const execute = promisify(execFile);
/** Of one step; installing takes a minute or two. */
const timeoutMs = 900_000;

interface TestCount {
  passed: number;
  failed: number;
  skipped: number;
}

/** As far as it is read here; vitest's JSON reporter. */
interface TestReport {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

const systems = await optionalSystems();
const directory = await mkdtemp(join(tmpdir(), "extras-of-aft-bench-"));
const clone = join(directory, "clone");
try {
  await execute("git", ["clone", "--quiet", "--no-hardlinks", ownRoot, clone]);
  await npm("ci", "--no-audit", "--no-fund");
  const [, ...install] = installCommand(systems.flatMap(({ needs }) => needs)).split(" ");
  await npm(...install, "--no-audit", "--no-fund");
  const tests = await runTests();
  const suite = await runAlternatives();
  const rows = systems.map(({ system }) => judge(system, tests, suite));
  console.log(
    formatColumns([["", "system", "tests", "smoke run"], ...rows.map(({ cells }) => cells)]),
  );
  if (rows.some(({ isGood }) => !isGood)) process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}

/** What npm says is progress. */
async function npm(...args: readonly string[]): Promise<void> {
  console.error(`npm ${args.join(" ")}`);
  const code = await run("npm", args, {});
  if (code !== 0) throw new Error(`npm ${args.join(" ")} ended with ${code}`);
}

/** Passed, failed and skipped tests by system. */
async function runTests(): Promise<ReadonlyMap<string, TestCount>> {
  const { stdout } = await execute("git", ["grep", "-l", "describeOptional(", "--", "*.e2e.ts"], {
    cwd: clone,
  });
  const files = stdout.trim().split("\n");
  const report = join(directory, "tests.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const args = ["exec", "--", "vitest", "run", "--project", "e2e", ...files, ...reporters];
  await run("npm", args, { AFT_BENCH_REQUIRE_EXTRAS: "1" });
  const { testResults } = JSON.parse(await readFile(report, "utf8")) as TestReport;
  const counts = new Map(
    systems.map(({ system }) => [system, { passed: 0, failed: 0, skipped: 0 }]),
  );
  for (const { assertionResults, message } of testResults) {
    // A file that could not be loaded has no tests to count.
    if (assertionResults.length === 0) console.error(message);
    for (const { ancestorTitles, title, status } of assertionResults) {
      const count = ancestorTitles.map((name) => counts.get(name)).find((one) => one !== undefined);
      if (status === "failed") console.error(`failed: ${[...ancestorTitles, title].join(" > ")}`);
      if (count === undefined) continue;
      if (status === "passed") count.passed += 1;
      else if (status === "failed") count.failed += 1;
      else count.skipped += 1;
    }
  }
  return counts;
}

async function runAlternatives(): Promise<SuiteResult> {
  const only = systems.map(({ system }) => `system:${system}`).join(",");
  const flags = [
    "--smoke",
    "--json",
    "--seed",
    "1",
    "--only",
    only,
    "--out",
    join(directory, "out"),
  ];
  const args = ["run", "-s", "bench", "--", "run", "alternatives", ...flags];
  // A broken promise or an invalid run has an exit code of its own; the document says which.
  const { stdout } = await execute("npm", args, {
    cwd: clone,
    timeout: timeoutMs,
    maxBuffer: 64 * 1_048_576,
  }).catch((error: unknown) => error as { readonly stdout: string });
  return parseSuite(JSON.parse(stdout));
}

function judge(
  system: string,
  tests: ReadonlyMap<string, TestCount>,
  { runs, notRun }: SuiteResult,
): { readonly isGood: boolean; readonly cells: string[] } {
  const { passed, failed, skipped } = tests.get(system) ?? { passed: 0, failed: 0, skipped: 0 };
  const mine = runs.filter(({ cell }) => cell.system === system);
  const committed = mine.reduce((sum, { transactions }) => sum + transactions.committed, 0);
  const twice = mine.reduce((sum, { effects }) => sum + (effects?.repeated.requests ?? 0), 0);
  const torn = mine.reduce((sum, { effects }) => sum + (effects?.inPart?.requests ?? 0), 0);
  const violated = mine.flatMap((one) => one.violated);
  const isGood = passed > 0 && failed === 0 && committed > 0 && violated.length === 0;
  const broken = violated.length === 0 ? "no promise broken" : `BROKE ${violated.join(", ")}`;
  const counts = `${mine.length} runs, ${committed} committed, ${torn} torn, ${twice} twice, ${broken}`;
  const why = notRun.map(({ what, why: reason }) => `${what}: ${reason}`).join("; ");
  return {
    isGood,
    cells: [
      isGood ? "ok" : "FAILED",
      system,
      `${passed} passed, ${failed} failed, ${skipped} not for it`,
      mine.length === 0 ? `not run: ${why}` : counts,
    ],
  };
}

/** In the clone, its output on our standard error; the exit code. */
function run(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: clone,
      env: { ...process.env, ...environment },
      stdio: ["ignore", process.stderr, "inherit"],
      timeout: timeoutMs,
    });
    child.on("error", reject);
    child.on("exit", resolve);
  });
}
