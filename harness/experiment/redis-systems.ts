/** @module Systems that are functions and one Redis server: nothing to start but the server itself. */
import { ConfigError } from "#kit/errors.ts";
import { readRedisDurability } from "#harness/services/redis-durability.ts";
import { problemOfTarget } from "#shim/redis/options.ts";
import type { StorageSpec } from "#shim/storage/target.ts";
import type { RunningSystem } from "./systems.ts";

/** How a system is brought up; rejects with `ConfigError` in front of another store. */
export function onRedis(
  name: string,
  kind: string,
): (options: { readonly storage: StorageSpec }) => Promise<RunningSystem> {
  return async ({ storage }) => {
    const { target } = storage;
    const problem = problemOfTarget(target);
    if (problem !== undefined || target.engine !== "redis")
      throw new ConfigError([{ where: name, what: "runs on a Redis server", ...problem }]);
    return {
      spec: { system: name, options: { storage } },
      pids: {},
      description: { kind, durability: await readRedisDurability(target.urls[0] ?? "") },
    };
  };
}
