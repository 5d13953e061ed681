/** @module For tests: what to skip, and how to say so, when a server is not installed. */
import { spawnSync } from "node:child_process";

export const redisMissing = "redis-server not installed: apt-get install redis-server";

/** Whether redis-server is there. Where it is required (CI), its absence is a failure. */
export function hasRedis(): boolean {
  if (spawnSync("redis-server", ["--version"]).error === undefined) return true;
  if (process.env["AFT_BENCH_REQUIRE_REDIS"] === "1") throw new Error(redisMissing);
  process.stderr.write(`skipped: ${redisMissing}\n`);
  return false;
}
