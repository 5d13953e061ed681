/** @module Exactly-once by logged steps on Redis as a state system: server, clock and randomness are real. */
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { readRedisOptions } from "#shim/redis/options.ts";
import { RedisServer } from "#shim/redis/server.ts";
import type { StateSystemModule } from "#shim/state/registry.ts";
import { createStepLogSystem, systemName } from "./step-system.ts";

/** Options: `{ storage: StorageSpec, timeoutMs?, retentionMs?, replayMs? }`; the storage is one Redis server. */
export const stateSystem: StateSystemModule = {
  name: systemName,
  promises: ["exactly-once"],
  open: async (options) => {
    const settings = readRedisOptions(systemName, options);
    const server = await RedisServer.open(settings);
    const seed = crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
    const { retentionMs, replayMs } = settings;
    const [clock, prng] = [createSystemClock(), createPrng(seed)];
    return createStepLogSystem({ server, clock, prng, retentionMs, replayMs });
  },
};
