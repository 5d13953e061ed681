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

  it("stops at the ceiling, says so, and shows no figures of what it had", async () => {
    // Each invocation under way reserves 30 s, 0.00069 USD: enough at most for the fill's eight, not for nine.
    const { code, stdout } = await run(
      ...onLambda,
      ..."--clients 9 --requests 3 --lambda-endpoint local --json".split(" "),
      ..."--max-cost-usd 0.006".split(" "),
    );
    expect(code).toBe(3);
    const { runs, notRun } = parseSuite(JSON.parse(stdout));
    expect(runs.every(({ valid }) => !valid)).toBe(true);
    expect(notRun[0]?.why).toMatch(/stopped at the cost ceiling/);
  });
});

describe("experiments that compare platforms", () => {
  it("lambda-twin tells cold and warm apart, says what nobody reports, and that it was not AWS", async () => {
    const { code, stdout } = await run(
      ..."lambda-twin --lambda-endpoint local --only system:aft".split(" "),
      ..."--only platform:lambda,platform:serverless-offline".split(" "),
    );
    expect(code).toBe(0);
    for (const kind of ["cold", "warm"])
      expect(stdout).toMatch(
        new RegExp(`serverless-offline +aft +${kind} .* not reported +not reported`),
      );
    expect(stdout).toMatch(/lambda +aft +cold .* \d+ +[\d.]+\n/);
    const place = "our local platform behind the Lambda API, not measured on AWS";
    expect(stdout).toContain(`lambda: ${place}`);
    const figure = readFileSync(join(out, "figures/lambda-twin/lambda-twin.svg"), "utf8");
    expect(figure).toMatch(/serverless-offline [\d.]+, not measured on AWS/);
    expect(figure).toContain(place);
    const text = readFileSync(join(out, "figures/lambda-twin/suite.json"), "utf8");
    for (const { split, labels, directory } of parseSuite(JSON.parse(text)).runs) {
      expect(labels).toContain("not-measured-on-aws");
      const { manifest } = await readRun(directory);
      expect(manifest.resolved.platform).toMatchObject({ onAws: false });
      expect(split?.cold?.requests).toBe(1);
      const { platformUs: cold = null } = split?.cold ?? {};
      expect(cold).toBeGreaterThan(3 * (split?.warm?.platformUs ?? Infinity));
    }
  });

  it("retries: whoever tries again, others see torn and repeated effects of direct, and none of aft", async () => {
    const { code, stdout } = await run(
      ..."retries --only platform:local --only failurePercent:5 --json".split(" "),
      ..."--clients 3 --requests 70".split(" "),
    );
    // Counts are as good when the machine was too busy for times.
    expect([0, 3]).toContain(code);
    const { runs } = parseSuite(JSON.parse(stdout));
    expect(runs).toHaveLength(4);
    for (const { cell, effects, transactions } of runs) {
      const { torn, repeated, failedAttempts = 0 } = effects ?? {};
      const seen = (torn?.requests ?? 0) + (repeated?.requests ?? 0);
      expect(failedAttempts).toBeGreaterThan(50);
      expect({ cell, isSeen: seen > 0 }).toEqual({ cell, isSeen: cell.system === "direct" });
      // Three attempts are all that an event has; the driver has many.
      const isGivenUp = transactions.committed < 210;
      expect({ cell, isGivenUp }).toEqual({ cell, isGivenUp: cell["retriedBy"] === "platform" });
    }
  });

  it("retries: cells that share a replica do not take each other's requests for attempts of theirs", async () => {
    const { stdout } = await run(
      ..."retries --only platform:local,system:aft,retriedBy:driver --json".split(" "),
      ..."--only failurePercent:0,failurePercent:5 --clients 2 --requests 40".split(" "),
    );
    const { runs } = parseSuite(JSON.parse(stdout));
    expect(runs).toHaveLength(2);
    for (const { directory, transactions: counts } of runs) {
      const { transactions } = await readRun(directory);
      const joined = transactions.filter(
        ({ reason }) => reason?.startsWith("committed by") === true,
      );
      // Only a lost answer can hide a commit.
      expect(joined.length).toBeLessThanOrEqual(counts.unknown);
    }
  });
});
