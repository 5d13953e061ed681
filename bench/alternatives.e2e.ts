/**
 * Goal    `run alternatives`: mishaps happen and are counted, the record says what others saw of them, and
 *         every number of the table is there.
 * Method  The smallest size over a real Redis, functions in processes that are really killed.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readRun } from "#harness/record/run-directory.ts";
import { parseSuite } from "#harness/record/schema.ts";
import { summarize } from "#harness/record/summarize.ts";
import { hasRedis, redisMissing } from "#harness/services/testing.ts";
import { mishapKinds } from "#workloads/functions/mishaps.ts";

const root = join(import.meta.dirname, "..");
const out = mkdtempSync(join(tmpdir(), "aft-bench-alternatives-"));

afterAll(() => {
  rmSync(out, { recursive: true, force: true });
});

function bench(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const options = { cwd: root, maxBuffer: 64 * 1_048_576 };
    execFile(process.execPath, ["bench/cli.ts", ...args], options, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });
}

describe.skipIf(!hasRedis())(`alternatives over redis (skipped if ${redisMissing})`, () => {
  it("are put under mishaps, and judged by what others saw", async () => {
    const only = ["--only", "system:direct,system:aft"];
    const flags = ["--smoke", "--json", "--seed", "5", ...only, "--out", out];
    const { code, stdout, stderr } = await bench("run", "alternatives", ...flags);
    expect(stderr).not.toContain("Error");
    expect(code).toBe(0);
    const suite = parseSuite(JSON.parse(stdout));
    expect(suite.runs).toHaveLength(4);
    for (const run of suite.runs) {
      const { cell, effects, mishaps, limits } = run;
      const record = await readRun(run.directory);
      const { directory: _, ...summary } = run;
      expect(summarize(record).summary).toEqual(summary);
      if (cell.faults === "none") {
        expect(mishaps).toBeUndefined();
        expect(limits?.map(({ what }) => what)).toEqual([
          "101 writes",
          "1000 writes",
          "5 MB value",
        ]);
      } else {
        expect(Object.keys(mishaps ?? {}).toSorted()).toEqual(mishapKinds.toSorted());
        const happened = Object.values(mishaps ?? {}).reduce((sum, one) => sum + one, 0);
        expect(happened).toBeGreaterThan(3);
        expect(record.measurements.faults.mishaps).toEqual(mishaps);
        // Somebody died for real: the driver was told that the instance is gone, and why.
        expect(effects?.failedAttempts).toBe(
          (mishaps?.["die-between-writes"] ?? 0) + (mishaps?.["die-after-commit"] ?? 0),
        );
      }
      expect(run.perFunction?.judged).toBeGreaterThan(run.anomalies.judged);
      if (cell.system !== "aft") continue;
      expect([effects?.inPart?.requests, effects?.repeated.requests]).toEqual([0, 0]);
      expect(run.violated).toEqual([]);
      if (limits !== undefined) expect(limits.map(({ outcome }) => outcome)).not.toContain("lost");
    }
    const page = readFileSync(join(out, "figures", "alternatives", "report.html"), "utf8");
    expect(page).toContain("State systems side by side");
    expect(page).toContain('data-figure="alternatives"');
  });
});
