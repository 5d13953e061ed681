/**
 * Goal    The command line does what it says, end to end, at the smallest size.
 * Method  Real processes; exit codes, files, and the numbers in them against each other.
 */
import { type ExecFileException, execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseSuite } from "#harness/record/schema.ts";
import { readRun, readSummary } from "#harness/record/run-directory.ts";
import { summarize } from "#harness/record/summarize.ts";

const root = join(import.meta.dirname, "..");
const out = mkdtempSync(join(tmpdir(), "aft-bench-smoke-"));

afterAll(() => {
  rmSync(out, { recursive: true, force: true });
});

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function bench(...args: string[]): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["bench/cli.ts", ...args],
      { cwd: root, maxBuffer: 64 * 1_048_576 },
      (error: ExecFileException | null, stdout, stderr) => {
        resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
      },
    );
  });
}

describe("run", () => {
  it.each([
    ["overhead", "storage:memory,storage:lmdb"],
    ["anomalies", "storage:lmdb"],
    ["write-latency", "storage:lmdb"],
    ["scaling-clients", "emulation:dynamodb"],
    ["fault-timeline", "storage:lmdb"],
  ])("runs %s, and its files agree with each other", async (experiment, only) => {
    const { code, stdout, stderr } = await bench(
      ..."run --smoke --seed 3 --json --only".split(" "),
      only,
      "--out",
      out,
      experiment,
    );
    expect(stderr).not.toContain("Error");
    expect(code).toBe(0);
    const suite = parseSuite(JSON.parse(stdout));
    expect(suite.runs.length).toBeGreaterThan(0);
    for (const { directory, runId, ...rest } of suite.runs) {
      const summary = await readSummary(directory);
      expect({ ...rest, runId }).toEqual(summary);
      // Everything in the summary follows from the raw record.
      expect(summarize(await readRun(directory)).summary).toEqual(summary);
      expect(summary.transactions.committed).toBeGreaterThan(0);
      if (summary.cell.system === "aft") expect(summary.anomalies.anomalous.transactions).toBe(0);
      const history = readFileSync(join(directory, "history.txt"), "utf8");
      expect(history).toMatch(/^([rw]\(\d+,\d+,\d+,-?\d+\)\n)+$/);
    }
    const figures = join(out, "figures", experiment);
    for (const name of [`${experiment}.png`, `${experiment}.svg`, "report.html", "suite.json"])
      expect(statSync(join(figures, name)).size).toBeGreaterThan(1_000);
    const page = readFileSync(join(figures, "report.html"), "utf8");
    expect(page).not.toMatch(/(src|href)="https?:/);

    const before = ["report.html", `${experiment}.png`].map((name) =>
      readFileSync(join(figures, name)),
    );
    expect((await bench("report", figures, "--json")).code).toBe(0);
    const after = ["report.html", `${experiment}.png`].map((name) =>
      readFileSync(join(figures, name)),
    );
    expect(after).toEqual(before);
  });
});

describe("the rest of the command line", () => {
  it("refuses what it does not understand, all at once, with hints and exit code 2", async () => {
    const cases = [
      ["run", "nothing"],
      ["run", "overhead", "--only", "nonsense", "--only", "x:1"],
      ["run", "overhead", "--only", "storage:tape"],
      ["run", "overhead", "--profile", "huge"],
      ["run", "overhead", "--no-such-flag"],
      ["run", "overhead", "--seed", "-1"],
      ["micro", "nothing"],
      ["serve", "--storage", "floppy:A"],
      ["serve", "--storage", "memory:", "--replicas", "2"],
      ["deploy", "render", "--storage", "redis://u:p@redis:6379"],
      ["serve", "--storage", "memory:", "--users", "no-such-file"],
      ["serve", "--storage", "memory:", "--host", "192.0.2.1"],
      ["report", "/no/such/place"],
      ["frobnicate"],
    ];
    for (const args of cases) {
      const { code, stderr, stdout } = await bench(...args);
      expect({ args, code }).toEqual({ args, code: 2 });
      expect(stderr.length).toBeGreaterThan(10);
      expect(stdout).toBe("");
    }
  });

  it("lists, plans and looks at the machine", async () => {
    const listed = JSON.parse((await bench("list", "--json")).stdout) as { systems: string[] };
    expect(listed.systems).toContain("aft");
    const plan = JSON.parse((await bench("plan", "quick", "--json")).stdout) as {
      cells: unknown[];
    };
    expect(plan.cells.length).toBeGreaterThan(10);
    const doctor = await bench("doctor");
    expect(doctor.code).toBe(0);
    expect(doctor.stdout).toContain("redis-server");
  });
});
