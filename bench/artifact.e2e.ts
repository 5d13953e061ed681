/**
 * Goal    `artifact` makes of a real run a folder that checks itself and draws itself again.
 * Method  Real processes: run, artifact, sha256sum, report in the folder; then the same of a broken record.
 */
import { type ExecFileException, execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const out = mkdtempSync(join(tmpdir(), "aft-bench-artifact-"));
const results = join(out, "results");
const folder = join(out, "artifact");

afterAll(() => {
  rmSync(out, { recursive: true, force: true });
});

function bench(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
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

describe("artifact", () => {
  it("makes a folder from the runs of a suite that verifies and draws again", async () => {
    const only = ["--smoke", "--only", "storage:lmdb", "--out", results, "--quiet"];
    expect((await bench("run", "anomalies", ...only)).code).toBe(0);
    const made = await bench("artifact", "--runs", results, "--out", folder, "--json");
    expect(made.stderr).toBe("");
    expect(made.code).toBe(0);
    const { claims, files } = JSON.parse(made.stdout) as {
      claims: { id: string; observed: string; seconds: number; command: string }[];
      files: string[];
    };
    expect(claims.map(({ id }) => id)).toContain("table2-aft-none");
    const none = claims.find(({ id }) => id === "table2-aft-none");
    expect(none?.observed).toMatch(/^0 of \d+/);
    expect(none?.seconds).toBeGreaterThan(0);
    expect(none?.command).toContain("run anomalies");
    for (const name of ["README.md", "CLAIMS.md", "BADGES.md", "ENVIRONMENT.md", "SHA256SUMS"])
      expect(files).toContain(name);
    const sums = spawnSync("sha256sum", ["--quiet", "-c", "SHA256SUMS"], { cwd: folder });
    expect({ status: sums.status, text: String(sums.stdout) }).toEqual({ status: 0, text: "" });

    const reference = join(folder, "reference", "figures", "anomalies");
    const read = (): Map<string, string> =>
      new Map(
        readdirSync(reference).map((name) => [name, readFileSync(join(reference, name), "hex")]),
      );
    const before = read();
    expect(before.has("report.html")).toBe(true);
    expect((await bench("report", reference)).code).toBe(0);
    expect(read()).toEqual(before);
  });

  it("refuses a broken record, a used folder and a place without a suite; nothing is written", async () => {
    const used = await bench("artifact", "--runs", results, "--out", folder);
    expect({ code: used.code, stdout: used.stdout }).toEqual({ code: 2, stdout: "" });
    const nowhere = await bench("artifact", "--runs", join(out, "no"), "--out", join(out, "a"));
    expect(nowhere.code).toBe(2);
    const runs = join(results, "runs", "anomalies");
    const [first = ""] = readdirSync(runs);
    writeFileSync(join(runs, first, "requests.ndjson.gz"), "not a record");
    const broken = await bench("artifact", "--runs", results, "--out", join(out, "b"));
    expect(broken.code).toBe(2);
    expect(broken.stderr).toContain("artifact_record");
    expect(broken.stderr).toContain(first);
    expect(readdirSync(out).toSorted()).toEqual(["artifact", "results"]);
  });
});
