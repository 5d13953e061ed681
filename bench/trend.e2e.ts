/**
 * Goal    `trend` says by exit code, text and picture whether figures changed.
 * Method  The command on written histories: with a step, without, too short, broken.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { HistoryLine } from "#harness/record/trend-history.ts";

const root = join(import.meta.dirname, "..");
const out = mkdtempSync(join(tmpdir(), "aft-bench-trend-"));

afterAll(() => {
  rmSync(out, { recursive: true, force: true });
});

function trend(values: readonly number[], ...flags: string[]): ReturnType<typeof spawnSync> {
  const lines = values.map((value, index): HistoryLine => {
    const series = { experiment: "overhead", profile: "quick", cell: { system: "aft" } };
    return {
      schemaVersion: 1,
      runId: `run-${index}`,
      atMs: Date.UTC(2026, 0, 1 + index),
      commit: `c${index}`,
      dirty: false,
      machine: { cpuModel: "cpu", cores: 2, node: "24" },
      series,
      figures: { responseTimeUsP50: value },
    };
  });
  writeFileSync(
    join(out, "history.jsonl"),
    lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
  );
  return run(...flags);
}

function run(...flags: string[]): ReturnType<typeof spawnSync> {
  const args = ["bench/cli.ts", "trend", "--out", out, ...flags];
  return spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
}

/** A little noise that repeats: every value is different. */
const steady = Array.from({ length: 30 }, (_unused, index) => 1_000 + ((index * 37) % 50));

describe("aft-bench trend", () => {
  it("fails where a figure got worse, names the commit, and draws it", () => {
    const stepped = steady.map((value, index) => (index < 18 ? value : value * 1.4));
    const { status, stdout } = trend(stepped, "--json");
    expect(status).toBe(99);
    const document = JSON.parse(String(stdout)) as {
      outcome: string;
      trends: { changes: { direction: string; at: { commit: string } }[] }[];
      picture: string;
    };
    expect(document.outcome).toBe("worse");
    expect(document.trends[0]?.changes).toMatchObject([
      { direction: "worse", at: { commit: "c18" } },
    ]);
    expect(existsSync(document.picture)).toBe(true);
    // The same change, looked at from later on, is history.
    const later = run("--since", "2026-01-25");
    expect(later.status).toBe(0);
    expect(String(later.stdout)).toContain("before --since");
  });

  it("passes a steady history, and cannot tell from a short one", () => {
    expect(trend(steady).status).toBe(0);
    const short = trend(steady.slice(0, 4));
    expect(short.status).toBe(4);
    expect(String(short.stdout)).toContain("fewer than 6 runs");
  });

  it("refuses a broken history with its line, and a missing one", () => {
    writeFileSync(join(out, "history.jsonl"), "{}\n");
    const { status, stderr } = run();
    expect(status).toBe(2);
    expect(String(stderr)).toContain("history.jsonl:1");
    expect(run(join(out, "nowhere.jsonl")).status).toBe(2);
  });
});
