/** @module Optimistic concurrency control on Redis as a state system: server, clock and randomness are real. */
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { readRedisOptions } from "#shim/redis/options.ts";
import { RedisServer } from "#shim/redis/server.ts";
import type { StateSystemModule } from "#shim/state/registry.ts";
import { createOccSystem, systemName } from "./occ-system.ts";

/**
 * Options: `{ storage: StorageSpec, timeoutMs?, maxContextBytes?, retentionMs? }`; the storage is one Redis
 * server. Promises are about transactions that commit.
 */
export const stateSystem: StateSystemModule = {
  name: systemName,
  promises: ["read-atomic", "read-your-writes", "repeatable-read", "session-order", "exactly-once"],
  open: async (options) => {
    const settings = readRedisOptions(systemName, options);
    const server = await RedisServer.open(settings);
    const seed = crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
    const [clock, prng] = [createSystemClock(), createPrng(seed)];
    const { maxContextBytes, retentionMs } = settings;
    return createOccSystem({ server, clock, prng, maxContextBytes, retentionMs });
  },
};
