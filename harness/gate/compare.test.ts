/**
 * Goal    Runs of different kinds are refused with every reason at once; equal kinds give ratios.
 * Method  The committed record, and copies of it that differ in one thing each.
 */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { blockFiguresOf } from "#harness/record/blocks.ts";
import { readRun, readSummary } from "#harness/record/run-directory.ts";
import { compareRuns, type RecordedRun, whyNotComparable } from "./compare.ts";

const directory = fileURLToPath(new URL("../record/testing/v1-record", import.meta.url));

async function recorded(): Promise<RecordedRun> {
  const { manifest, attempts, measurements } = await readRun(directory);
  const summary = await readSummary(directory);
  return { manifest, summary, blocks: blockFiguresOf(attempts, measurements) };
}

function changed(run: RecordedRun, manifest: object, summary: object = {}): RecordedRun {
  return {
    ...run,
    manifest: { ...run.manifest, ...manifest },
    summary: { ...run.summary, ...summary },
  };
}

describe("whyNotComparable", () => {
  it("has nothing against a run and itself, another seed, system, commit or port", async () => {
    const run = await recorded();
    const { cell, resolved } = run.manifest;
    const other = changed(run, {
      seeds: { seed: 2 },
      cell: { ...cell, system: "other" },
      git: { commit: "abc", dirty: true },
      resolved: { ...resolved, storage: { ...resolved.storage, port: 1234 } },
    });
    expect(whyNotComparable(run, other)).toEqual([]);
  });

  it("names emulation, durability, workload, profile, platform and machine, all at once", async () => {
    const run = await recorded();
    const { cell, resolved, machine } = run.manifest;
    const other = changed(run, {
      labels: ["emulated", "closed-loop"],
      profile: "paper",
      cell: { ...cell, platform: "local", emulation: "dynamodb" },
      resolved: {
        ...resolved,
        workload: { ...resolved.workload, keyCount: 7 },
        storage: { ...resolved.storage, durability: "appendfsync always" },
      },
      machine: { ...machine, cores: 64 },
    });
    const reasons = whyNotComparable(run, other).join("\n");
    for (const part of [
      'kind: ["closed-loop","measured"] and ["closed-loop","emulated"]',
      'profile: "smoke" and "paper"',
      'cell platform: "inline" and "local"',
      'cell emulation: "none" and "dynamodb"',
      "workload keyCount: 1000 and 7",
      'storage durability: none and "appendfsync always"',
      "machine cores: 2 and 64",
    ])
      expect(reasons).toContain(part);
  });

  it("refuses runs without valid figures", async () => {
    const run = await recorded();
    const broken = changed(run, {}, { violated: ["read-atomic"] });
    const invalid = changed(run, {}, { valid: false, invalidReasons: ["late"] });
    expect(whyNotComparable(broken, invalid)).toEqual([
      "A broke read-atomic: it has no performance figures",
      "B is invalid: late",
    ]);
  });
});

it("gives ratios of B to A, and the same ones twice", async () => {
  const run = await recorded();
  const values = [10, 11, 10, 12, 11, 10, 11];
  const a = { ...run, blocks: { medianUs: values, throughputPerSecond: values } };
  const slow = values.map((value) => value * 2);
  const b = { ...run, blocks: { medianUs: slow, throughputPerSecond: values } };
  const compared = compareRuns(a, b, createPrng(1));
  expect(compared.ratios[0]).toMatchObject({
    figure: "p50",
    ratio: { median: 2, confidence: 0.95 },
  });
  expect(compared.ratios[1]?.ratio.median).toBe(1);
  expect(compareRuns(a, b, createPrng(1))).toEqual(compared);
});
