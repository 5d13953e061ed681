/**
 * Goal    Two revisions run side by side from checkouts of their own, and nothing is left behind.
 * Method  Real worktrees, runners, replicas; blocks too short to mean anything.
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { ConfigError } from "#kit/errors.ts";
import { type AbOptions, compareSides } from "#bench/ab-block/ab.ts";
import { checkOut, ownRoot } from "#bench/ab-block/revision.ts";
import { BlockRunnerFailedError, startBlockRunner } from "#bench/ab-block/runner.ts";
import { exactParameters } from "./exact-run.ts";

const side = { name: "aft", system: "aft", settings: {} };
const options: AbOptions = {
  base: side,
  candidate: side,
  storage: "memory",
  seed: 1,
  clients: 1,
  threshold: 0.2,
  tailThreshold: 1,
  sizes: { blocks: 2, blockMs: 30, warmUpMs: 30 },
  maxAttempts: 1,
  signal: new AbortController().signal,
  note: () => {},
};
const runner = {
  system: "aft",
  storage: "memory:",
  settings: {},
  seed: 1,
  clients: 1,
  workload: { ...exactParameters },
};

/** Checkouts made for a base; other worktrees of this repository are nobody's business here. */
function checkouts(): string[] {
  const list = execFileSync("git", ["worktree", "list"], { cwd: ownRoot, encoding: "utf8" });
  return list.split("\n").filter((line) => line.includes("aft-bench-base-"));
}

describe("ab", () => {
  it("runs a revision from a checkout of its own and removes it again", async () => {
    const before = checkouts();
    const { blocks, judgements, result } = await compareSides({
      ...options,
      baseRevision: "HEAD",
    });
    for (const answers of Object.values(blocks)) {
      expect(answers).toHaveLength(2);
      for (const { transactions, storage } of answers) {
        expect(transactions).toBeGreaterThan(0);
        expect(storage?.calls).toBeGreaterThan(0);
      }
    }
    // Two blocks support nothing, and the gate must say so.
    expect(result.outcome).toBe("inconclusive");
    expect(judgements[0]?.aa.blocks).toBe(2);
    expect(checkouts()).toEqual(before);
  });

  it("measures systems that call the store themselves", async () => {
    const direct = { name: "direct", system: "direct", settings: {} };
    const { blocks } = await compareSides({ ...options, storage: "lmdb", base: direct });
    expect(blocks.base[0]?.storage).toBeUndefined();
    expect(blocks.candidate[0]?.storage?.calls).toBeGreaterThan(0);
  });

  it("refuses a revision that ships no block runner", async () => {
    const root = await mkdtemp(`${tmpdir()}/aft-bench-no-runner-`);
    try {
      const started = startBlockRunner({ name: "v0", root, config: runner });
      await expect(started).rejects.toThrow(ConfigError);
    } finally {
      await rm(root, { recursive: true });
    }
  });

  it("refuses a revision that does not exist, and leaves no checkout", async () => {
    const before = checkouts();
    await expect(checkOut("no-such-revision")).rejects.toThrow(/--base: no revision/);
    await expect(checkOut("--help")).rejects.toThrow(ConfigError);
    expect(checkouts()).toEqual(before);
  });

  it("passes on why a runner could not start, and stops it", async () => {
    const config = { ...runner, storage: "nonsense:" };
    const started = startBlockRunner({ name: "candidate", root: ownRoot, config });
    await expect(started).rejects.toThrow(BlockRunnerFailedError);
    await expect(started).rejects.toThrow(/nonsense/);
  });

  it("gives a checkout back its directory when it is stopped", async () => {
    const checkout = await checkOut("HEAD");
    const { root, commit } = checkout;
    expect(commit).toMatch(/^[0-9a-f]{40}$/);
    expect((await stat(`${root}/package.json`)).isFile()).toBe(true);
    await checkout.stop();
    await expect(stat(root)).rejects.toThrow(/ENOENT/);
  });
});
