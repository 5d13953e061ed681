/**
 * Goal    `sim` says by exit code and document what seeds showed, marked as simulated; plain storage fails.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ScaleDocument } from "./commands/sim-scale.ts";
import type { SimDocument } from "./commands/sim.ts";

const root = join(import.meta.dirname, "..");

function sim(...flags: string[]): { status: number | null; stdout: string; stderr: string } {
  const args = ["bench/cli.ts", "sim", "--no-keep", ...flags];
  return spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
}

describe("aft-bench sim", () => {
  it("runs seeds and says what it did, as one document", () => {
    const { status, stdout } = sim("--seeds", "1..3", "--json");
    const document = JSON.parse(stdout) as SimDocument;
    expect(document).toMatchObject({
      labels: ["simulated"],
      system: "aft",
      seeds: { from: 1, to: 3, run: 3 },
      failures: [],
    });
    expect(document.transactions.committed).toBeGreaterThan(0);
    expect(document.eventsPerSecond).toBeGreaterThan(0);
    expect(status).toBe(0);
  });

  it("ends with 5 for plain storage, and says how to see it again", () => {
    const { status, stdout } = sim("--system", "direct", "--seeds", "1..20", "--failures", "1");
    expect(status).toBe(5);
    expect(stdout).toMatch(/FAILS\n {2}checker: /);
    expect(stdout).toMatch(/sim --seed \d+ --system direct --trace/);
  });

  it("shows one seed event by event", () => {
    const { status, stderr, stdout } = sim("--seed", "2", "--trace");
    expect(status).toBe(0);
    expect(stderr).toMatch(/ms {2}r1 starts/);
    expect(stdout).toMatch(/simulated, not measured/);
  });

  it("predicts throughput over replicas, marked as simulated, with a picture", async () => {
    const out = await mkdtemp(join(tmpdir(), "aft-bench-scale-"));
    try {
      const sizes = ["--replicas", "1,2", "--clients-per-replica", "2"];
      const { status, stdout } = sim("--scale", "--no-holdout", ...sizes, "--json", "--out", out);
      const document = JSON.parse(stdout) as ScaleDocument;
      expect(status).toBe(0);
      expect(document.labels).toEqual(["simulated"]);
      expect(document.points.map(({ replicas, multicast }) => [replicas, multicast])).toEqual([
        [1, "all-to-all"],
        [2, "all-to-all"],
        [1, "relays"],
        [2, "relays"],
      ]);
      expect(document.bends).toHaveLength(2);
      expect(existsSync(document.figure ?? "")).toBe(true);
    } finally {
      await rm(out, { recursive: true, force: true });
    }
  });

  it.each([
    ["--scale", "--replicas=0..x"],
    ["--seeds", "5..1"],
    ["--trace", "--json"],
  ])("refuses %s %s before anything runs", (...flags) => {
    const { status, stdout } = sim(...flags);
    expect([status, stdout]).toEqual([2, ""]);
  });
});
