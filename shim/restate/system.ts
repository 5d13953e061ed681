/**
 * @module A virtual object of Restate for each key as a state system (`#shim/objects/object-system.ts`). Reads are
 * calls of a shared handler, writes of an exclusive one with an idempotency key, by which Restate itself
 * does each once.
 */
import { objectsOf } from "#shim/objects/open.ts";
import { restatePackages } from "#shim/objects/packages.ts";
import type { StateSystemModule } from "#shim/state/registry.ts";
import { restateRoutes } from "./routes.ts";

export const stateSystem: StateSystemModule = objectsOf({
  name: "restate",
  engine: "restate",
  routes: restateRoutes,
  needs: Object.values(restatePackages),
});
