/**
 * Goal    The committed notebooks are what the committed record gives; another number gives another notebook, and a
 *         damaged record none.
 * Method  The command itself, with Jupyter and the Deno kernel. Where one of them is missing this is not run.
 */
import { execFile, execFileSync } from "node:child_process";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { findDeno } from "./kernel.ts";

const root = join(import.meta.dirname, "..", "..");
const small = join(root, "results", "reference-small");
const temporary = mkdtempSync(join(tmpdir(), "aft-bench-notebooks-"));
const copy = join(temporary, "record");

beforeEach(() => {
  rmSync(copy, { recursive: true, force: true });
  cpSync(small, copy, { recursive: true });
});
afterAll(() => {
  rmSync(temporary, { recursive: true, force: true });
});

function isHere(): boolean {
  if (process.env["AFT_BENCH_REQUIRE_JUPYTER"] === "1") return true;
  try {
    findDeno();
    execFileSync("jupyter", ["nbconvert", "--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function notebooks(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["bench/notebooks/main.ts", ...args],
      { cwd: root, maxBuffer: 64 * 1_048_576 },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
      },
    );
  });
}

describe.skipIf(!isHere())("notebooks (need jupyter-nbconvert and the npm package of Deno)", () => {
  it("give on the committed record what is committed", async () => {
    const { code, stdout, stderr } = await notebooks("--check");
    expect(stderr).toBe("");
    const names = readdirSync(join(root, "results", "notebooks")).filter((name) =>
      name.endsWith(".ipynb"),
    );
    expect(stdout.trim().split("\n")).toEqual(names.toSorted().map((name) => `${name}: the same`));
    expect(code).toBe(0);
  });

  it("give something else when a number of the record changes", async () => {
    const name = "6.3-read-share.ipynb";
    const runs = join(copy, "runs", "read-share");
    const [first = ""] = readdirSync(runs);
    const path = join(runs, first, "summary.json");
    const summary = JSON.parse(readFileSync(path, "utf8")) as { throughputPerSecond: number };
    writeFileSync(path, JSON.stringify({ ...summary, throughputPerSecond: 98_765 }));
    const { code } = await notebooks("--runs", copy, "--only", "6.3");
    expect(code).toBe(0);
    const [kept, now] = [join(root, "results", "notebooks"), join(copy, "notebooks-executed")].map(
      (folder) => readFileSync(join(folder, name), "utf8"),
    );
    expect(kept).not.toContain("98765");
    expect(now).toContain("98765");
  });

  it("do not run on a damaged record, which is named with the reason", async () => {
    const runs = join(copy, "runs", "overhead");
    const [first = ""] = readdirSync(runs);
    truncateSync(join(runs, first, "summary.json"), 100);
    const { code, stdout, stderr } = await notebooks("--runs", copy);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(new RegExp(`the record of run ${first} .*damaged`));
  });
});
