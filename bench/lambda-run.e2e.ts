/**
 * Goal    `run` speaks of Lambda as it is: what it would call, what it lacks, and where it was measured.
 * Method  The command line as a process, without credentials; our local platform behind the Lambda API.
 */
import { type ExecFileException, execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseSuite } from "#harness/record/schema.ts";
import { readRun } from "#harness/record/run-directory.ts";

const root = join(import.meta.dirname, "..");
const out = mkdtempSync(join(tmpdir(), "aft-bench-lambda-run-"));
const withoutAws = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_")),
);

afterAll(() => {
  rmSync(out, { recursive: true, force: true });
});

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...args: string[]): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["bench/cli.ts", "run", "--smoke", "--out", out, ...args],
      { cwd: root, env: withoutAws, maxBuffer: 64 * 1_048_576 },
      (error: ExecFileException | null, stdout, stderr) => {
        resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
      },
    );
  });
}

const onLambda = ["overhead", "--platform", "lambda", "--only", "storage:dynamodb,system:aft"];
const small = ["--clients", "1", "--requests", "3", "--lambda-endpoint", "local"];

describe("run on lambda", () => {
  it("--dry-run prints every call from the first to the last, needs no credentials, leaves nothing", async () => {
    const { code, stdout } = await run(...onLambda, "--dry-run");
    expect(code).toBe(0);
    const lines = stdout.trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { operation: string }).operation)).toEqual([
      ..."GetRole GetFunction CreateFunction PutFunctionConcurrency PublishVersion".split(" "),
      ..."CreateAlias Invoke GetFunction DeleteFunction".split(" "),
    ]);
    expect(readdirSync(out)).toEqual([]);
  });

  it("without an endpoint and without credentials is not run, and says how to have it", async () => {
    const { code, stdout } = await run(...onLambda, "--json");
    expect(code).toBe(0);
    const { runs, notRun } = parseSuite(JSON.parse(stdout));
    expect(runs).toEqual([]);
    expect(notRun[0]?.what).toBe("overhead platform:lambda storage:dynamodb");
    expect(notRun[0]?.get).toContain("--lambda-endpoint");
  });

  it("says whose endpoint it was and that it was not AWS, in record, table and figure", async () => {
    const { code, stdout } = await run(...onLambda, ...small);
    expect(code).toBe(0);
    const place = "our local platform behind the Lambda API, not measured on AWS";
    expect(stdout).toContain(`lambda: ${place}`);
    expect(readFileSync(join(out, "figures/overhead/overhead.svg"), "utf8")).toContain(place);
    const [id = ""] = readdirSync(join(out, "runs/overhead"));
    const { manifest } = await readRun(join(out, "runs/overhead", id));
    expect(manifest.labels).toContain("not-measured-on-aws");
    expect(manifest.resolved.platform).toMatchObject({ onAws: false });
  });

  it("stops at the ceiling, says so, and shows no figures of what it had", async () => {
    // Each invocation under way reserves 30 s, 0.00069 USD: enough for the fill's eight, not for nine.
    const { code, stdout } = await run(
      ...onLambda,
      ..."--clients 9 --requests 3 --lambda-endpoint local --json".split(" "),
      ..."--max-cost-usd 0.006".split(" "),
    );
    expect(code).toBe(3);
    const { runs, notRun } = parseSuite(JSON.parse(stdout));
    expect(runs[0]?.valid).toBe(false);
    expect(notRun[0]?.why).toMatch(/stopped at the cost ceiling/);
  });
});
