/** @module Objects behind HTTP as a state system; clock and randomness are the real ones. */
import type { OptionalPackage } from "#kit/node/optional-package.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import type { StateSystemModule } from "#shim/state/registry.ts";
import { ObjectClient, type ObjectRoutes } from "./object-client.ts";
import { createObjectSystem } from "./object-system.ts";
import { readObjectOptions } from "./options.ts";

/** Asked for when the system is opened; nobody writes it. */
const nobodysKey = "aft-bench/opened";

/** Options: `{ storage: StorageSpec, timeoutMs?, maxConnections? }`; the storage is the product's. */
export function objectsOf(of: {
  readonly name: string;
  readonly engine: "restate" | "workerd";
  readonly routes: ObjectRoutes;
  /** Its server. Functions need nothing but its address. */
  readonly needs: readonly OptionalPackage[];
}): StateSystemModule {
  const { name, engine, routes, needs } = of;
  return {
    name,
    needs,
    promises: ["exactly-once"],
    open: async (options) => {
      const store = new ObjectClient(routes, readObjectOptions(name, engine, options));
      try {
        await store.read(nobodysKey);
      } catch (error) {
        store.close();
        throw error;
      }
      const prng = createPrng(crypto.getRandomValues(new Int32Array(1))[0] ?? 0);
      return createObjectSystem({ name, store, clock: createSystemClock(), prng });
    },
  };
}

/** Any text as a part of a path. */
export function pathPart(key: string): string {
  return Buffer.from(key).toString("base64url");
}
