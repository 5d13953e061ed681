/**
 * Goal    A replay is the same run only if schedule, keys and mix are equal and times equivalent.
 * Method  The committed record against itself with one thing changed.
 */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { readRun } from "#harness/record/run-directory.ts";
import type { RawRun } from "#harness/record/summarize.ts";
import { judgeReplay } from "./replay.ts";

const directory = fileURLToPath(new URL("../record/testing/v1-record", import.meta.url));

/** Its attempts as eight blocks, one after another, every response `factor` times as long. */
async function recorded(factor = 1): Promise<RawRun> {
  const run = await readRun(directory);
  const blocks = Array.from({ length: 8 }, (_unused, block) => ({
    block,
    startUs: 0,
    endUs: 1_000,
  }));
  const attempts = run.attempts.map((attempt, at) => ({
    ...attempt,
    block: at % blocks.length,
    endUs: attempt.dueUs + factor * (1_000 + (at % 5)),
  }));
  const measured = blocks.map((block) => ({ ...block, endUs: factor * block.endUs }));
  return { ...run, attempts, measurements: { ...run.measurements, blocks: measured } };
}

function outcomes(a: RawRun, b: RawRun): Record<string, string> {
  const checks = judgeReplay({ recorded: a, replayed: b, margin: 0.5, prng: createPrng(1) });
  return Object.fromEntries(checks.map(({ name, outcome }) => [name, outcome]));
}

const same = { requests: "pass", "operations and keys": "pass", p50: "pass", throughput: "pass" };

describe("judgeReplay", () => {
  it("accepts the same run, and one a little slower", async () => {
    expect(outcomes(await recorded(), await recorded())).toEqual(same);
    expect(outcomes(await recorded(), await recorded(1.2))).toEqual(same);
  });

  it("finds a run twice as slow", async () => {
    const found = outcomes(await recorded(), await recorded(2));
    expect(found).toEqual({ ...same, p50: "fail", throughput: "fail" });
  });

  it("finds another key, and a request that is missing", async () => {
    const run = await recorded();
    const transactions = run.transactions.map((transaction) => ({
      ...transaction,
      operations: transaction.operations.map((operation) => ({ ...operation, key: "other" })),
    }));
    expect(outcomes(run, { ...run, transactions })).toMatchObject({
      requests: "pass",
      "operations and keys": "fail",
    });
    const attempts = run.attempts.slice(1);
    expect(outcomes(run, { ...run, attempts })).toMatchObject({ requests: "fail" });
  });

  it("compares due times of an open loop to the microsecond", async () => {
    const run = await recorded();
    const manifest = { ...run.manifest, labels: ["open-loop"] as const };
    const open = { ...run, manifest };
    const late = open.attempts.map((attempt, at) =>
      at === 20 ? { ...attempt, dueUs: attempt.dueUs + 5 } : attempt,
    );
    expect(outcomes(open, open)).toMatchObject({ "due times": "pass" });
    expect(outcomes(open, { ...open, attempts: late })).toMatchObject({ "due times": "fail" });
  });

  it("cannot tell times from one block", async () => {
    const run = await readRun(directory);
    expect(outcomes(run, run)).toMatchObject({ p50: "inconclusive", throughput: "inconclusive" });
  });
});
