/**
 * Goal    A run that was disturbed says so: a stopped generator makes it invalid, Ctrl-C partial.
 * Method  Real processes and signals on the smallest cell that lasts long enough.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { readRun, readSummary } from "#harness/record/run-directory.ts";
import type { SuiteResult } from "#harness/record/run.ts";

const root = join(import.meta.dirname, "..");
const out = mkdtempSync(join(tmpdir(), "aft-bench-interference-"));

afterAll(() => {
  rmSync(out, { recursive: true, force: true });
});

interface Running {
  readonly child: ChildProcess;
  /** Resolves at the first progress of a measured block. */
  readonly measuring: Promise<void>;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

function start(...args: string[]): Running {
  const child = spawn(process.execPath, ["bench/cli.ts", ...args], { cwd: root });
  let stdout = "";
  let stderr = "";
  let onMeasuring: () => void = () => {};
  const measuring = new Promise<void>((resolve) => {
    onMeasuring = resolve;
  });
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    if (/\d+\/\d+ requests/.test(stderr)) onMeasuring();
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on("close", (code) => {
      onMeasuring();
      resolve({ code, stdout, stderr });
    });
  });
  return { child, measuring, ended };
}

/** One system over one store; a few seconds of measured load. */
const cell = "run overhead --profile quick --only storage:lmdb --only system:direct".split(" ");

describe("kill -STOP of the generator for 500 ms", () => {
  const figures = join(out, "figures", "overhead");
  let suite: SuiteResult;

  it("ends with exit code 3, names the reason, draws no figure and shows no numbers", async () => {
    const { child, measuring, ended } = start(...cell, "--json", "--out", out);
    await measuring;
    child.kill("SIGSTOP");
    await sleep(500);
    child.kill("SIGCONT");
    const { code, stdout, stderr } = await ended;
    expect(stderr).toContain("generator-stalled");
    expect(code).toBe(3);
    suite = JSON.parse(stdout) as SuiteResult;
    const [run] = suite.runs;
    expect(run?.valid).toBe(false);
    const reason = run?.invalidReasons.find((text) => text.startsWith("generator-stalled"));
    expect(Number(/for (\d+) ms/.exec(reason ?? "")?.[1])).toBeGreaterThanOrEqual(480);
    expect(existsSync(join(figures, "overhead.png"))).toBe(false);
    expect(existsSync(join(figures, "overhead.svg"))).toBe(false);
    const page = readFileSync(join(figures, "report.html"), "utf8");
    expect(page).toContain("INVALID: generator-stalled");
    expect(page).not.toContain("<figure");
  });

  it("is drawn with --keep-invalid, stamped with the reason on picture and tables", async () => {
    const { ended } = start("report", figures, "--keep-invalid");
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(stdout).toContain("INVALID: generator-stalled");
    for (const name of ["overhead.svg", "overhead.csv", "report.html"])
      expect(readFileSync(join(figures, name), "utf8")).toContain("INVALID: generator-stalled");
    expect(existsSync(join(figures, "overhead.png"))).toBe(true);
    // Drawing again without the flag takes the picture away again.
    expect((await start("report", figures).ended).code).toBe(0);
    expect(existsSync(join(figures, "overhead.png"))).toBe(false);
  });
});

it("Ctrl-C leaves a readable partial record, and exit code 130", async () => {
  const { child, measuring, ended } = start(...cell, "--json", "--out", out);
  await measuring;
  child.kill("SIGINT");
  const { code, stdout } = await ended;
  expect(code).toBe(130);
  const suite = JSON.parse(stdout) as SuiteResult;
  expect(suite.state).toBe("partial");
  const [run] = suite.runs;
  if (run === undefined) throw new Error("no run was kept");
  const { manifest, attempts, transactions, measurements } = await readRun(run.directory);
  expect(manifest.state).toBe("partial");
  expect(attempts.length).toBeGreaterThan(0);
  expect(attempts.length).toBeLessThan(1_000);
  expect(transactions.length).toBeGreaterThan(attempts.length);
  expect(measurements.blocks.length).toBeGreaterThan(0);
  const summary = await readSummary(run.directory);
  expect(summary.valid).toBe(false);
  expect(summary.invalidReasons).toContain("the run was interrupted");
});
