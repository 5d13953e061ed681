/** @module MULTI … EXEC at the end as a state system: its server, clock and randomness are the real ones. */
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { readRedisOptions } from "#shim/redis/options.ts";
import { RedisServer } from "#shim/redis/server.ts";
import type { StateSystemModule } from "#shim/state/registry.ts";
import { createMultiSystem, systemName } from "./multi-system.ts";

/** Options: `{ storage: StorageSpec, timeoutMs?, maxContextBytes? }`; the storage is one Redis server. */
export const stateSystem: StateSystemModule = {
  name: systemName,
  promises: ["read-your-writes"],
  open: async (options) => {
    const settings = readRedisOptions(systemName, options);
    const server = await RedisServer.open(settings);
    const seed = crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
    return createMultiSystem({
      server,
      clock: createSystemClock(),
      prng: createPrng(seed),
      maxContextBytes: settings.maxContextBytes,
    });
  },
};
