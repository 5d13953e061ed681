/**
 * Goal    Wrong options are refused before anything is opened, all at once, without passwords.
 */
import { expect, it } from "vitest";
import { ConfigError } from "#kit/errors.ts";
import { defaultMaxContextBytes } from "#shim/state/carried.ts";
import type { StorageTarget } from "#shim/storage/target.ts";
import { readRedisOptions } from "./options.ts";

const server: StorageTarget = {
  engine: "redis",
  urls: ["redis://user:secret@127.0.0.1:1"],
  cluster: false,
};

function problemsOf(options: Readonly<Record<string, unknown>>): readonly string[] {
  try {
    readRedisOptions("redis-multi", options);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n");
    throw error;
  }
  return [];
}

it("takes one server, and has a default for everything else", () => {
  const { url, ...settings } = readRedisOptions("redis-multi", { storage: { target: server } });
  expect(url).toBe("redis://user:secret@127.0.0.1:1");
  expect(settings).toEqual({
    emulation: undefined,
    timeoutMs: 5_000,
    maxContextBytes: defaultMaxContextBytes,
    retentionMs: 300_000,
    replayMs: 10_000,
  });
});

it("refuses what is no single Redis server, an emulation of another service, and odd numbers", () => {
  expect(problemsOf({})).toEqual([expect.stringContaining("needs a storage")]);
  expect(problemsOf({ storage: { target: { engine: "memory" } } })).toEqual([
    expect.stringContaining("runs on a Redis server, not on memory"),
  ]);
  expect(problemsOf({ storage: { target: { ...server, cluster: true } } })).toEqual([
    expect.stringContaining("all keys on one server"),
  ]);
  const storage = { target: server, emulation: { profile: "s3", seed: 1 } };
  const problems = problemsOf({ storage, timeoutMs: 0, retentionMs: "long" });
  expect(problems).toHaveLength(3);
  expect(problems[0]).toMatch(/cannot emulate "s3".*elasticache/);
  expect(problems.join(" ")).not.toContain("secret");
});
