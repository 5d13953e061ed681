/** @module For tests: what to skip, and how to say so, when a server is not installed. */
import { spawnSync } from "node:child_process";
import { installEtcd } from "./etcd.ts";
import { findPostgres, installPostgres } from "./postgres-programs.ts";

export const redisMissing = "redis-server is not installed: apt-get install redis-server";

export const postgresMissing = `PostgreSQL is not installed: ${installPostgres}`;
export const etcdMissing = `etcd is not installed: ${installEtcd}`;

/** Whether redis-server is there. Where it is required (CI), its absence is a failure. */
export function hasRedis(): boolean {
  const isThere = spawnSync("redis-server", ["--version"]).error === undefined;
  return required(isThere, "AFT_BENCH_REQUIRE_REDIS", redisMissing);
}

/** Whether PostgreSQL is there, in the same way. */
export function hasPostgres(): boolean {
  return required(findPostgres() !== undefined, "AFT_BENCH_REQUIRE_POSTGRES", postgresMissing);
}

/** Whether etcd is there, in the same way. */
export function hasEtcd(): boolean {
  const isThere = spawnSync("etcd", ["--version"]).error === undefined;
  return required(isThere, "AFT_BENCH_REQUIRE_ETCD", etcdMissing);
}

function required(isThere: boolean, variable: string, missing: string): boolean {
  if (isThere) return true;
  if (process.env[variable] === "1") throw new Error(missing);
  process.stderr.write(`skipped: ${missing}\n`);
  return false;
}
