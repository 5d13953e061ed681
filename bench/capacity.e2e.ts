/**
 * Goal    `run capacity` answers with a rate, its probes as runs, a figure and a document.
 * Method  The smallest search over the memory store; the numbers mean nothing, their consistency does.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { CapacityResult } from "#harness/record/capacity.ts";
import { readRun } from "#harness/record/run-directory.ts";

/** Minutes in all: `npm run nightly:long`. */
const isLong = process.env["AFT_BENCH_LONG"] === "1";
const root = join(import.meta.dirname, "..");
const out = mkdtempSync(join(tmpdir(), "aft-bench-capacity-"));

afterAll(() => {
  rmSync(out, { recursive: true, force: true });
});

function run(args: string): { status: number | null; stdout: string; stderr: string } {
  const words = ["bench/cli.ts", "run", ...args.split(" "), "--out", out];
  return spawnSync(process.execPath, words, { cwd: root, encoding: "utf8" });
}

it.skipIf(!isLong)("finds the rate that its own probes bracket, and draws it", async () => {
  const cell = "capacity --smoke --only storage:memory --only system:aft";
  const { status, stdout, stderr } = run(`${cell} --slo p50<=200ms,failed<=5% --json`);
  if (stdout === "") throw new Error(stderr);
  const result = JSON.parse(stdout) as CapacityResult;
  expect(status).toBe(0);
  const [found] = result.cells;
  const [search] = found?.repeats ?? [];
  if (found === undefined || search === undefined) throw new Error("nothing was searched");
  const rates = (verdict: string): number[] =>
    search.probes.filter((probe) => probe.verdict === verdict).map((probe) => probe.ratePerSecond);
  expect(search.ratePerSecond).toBe(Math.max(0, ...rates("kept")));
  expect(found.capacityPerSecond?.median).toBe(search.ratePerSecond);
  if (search.limitedBy === "slo") expect(rates("missed")).toContain(search.ceilingPerSecond);
  const [probe] = search.probes;
  const { manifest, measurements } = await readRun(probe?.directory ?? "");
  expect(manifest.labels).toContain("open-loop");
  expect(measurements.load?.offered).toBeGreaterThan(20);
  const figures = join(out, "figures", "capacity");
  expect(JSON.parse(readFileSync(join(figures, "capacity.json"), "utf8"))).toEqual(result);
  for (const name of ["capacity.png", "capacity.svg", "capacity.csv"])
    expect(existsSync(join(figures, name))).toBe(true);
});

it("refuses an objective that is none, and a load of its own", () => {
  expect(run("capacity --slo fast")).toMatchObject({ status: 2 });
  expect(run("capacity --rate 5")).toMatchObject({ status: 2 });
});
