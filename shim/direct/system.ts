/** @module The baseline as a state system: its storage, clock and randomness are the real ones. */
import { ConfigError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import type { StateSystemModule } from "#shim/state/registry.ts";
import { openStorage } from "#shim/storage/registry.ts";
import type { StorageSpec } from "#shim/storage/target.ts";
import { createDirectSystem } from "./direct-system.ts";

/** Options: `{ storage: StorageSpec }`. */
export const stateSystem: StateSystemModule = {
  name: "direct",
  promises: [],
  open: async (options) => {
    const storage = options["storage"] as StorageSpec | undefined;
    if (storage?.target === undefined)
      throw new ConfigError([{ where: "direct", what: "needs a storage" }]);
    const clock = createSystemClock({ precise: storage.emulation !== undefined });
    const seed = crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
    const engine = await openStorage(storage, { clock });
    return createDirectSystem({ engine, clock, prng: createPrng(seed) });
  },
};
