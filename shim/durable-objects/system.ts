/**
 * @module A durable object for each key as a state system (`#shim/objects/object-system.ts`), on workerd, the runtime
 * of Cloudflare's Workers; the objects' own code is `worker.ts`.
 */
import { objectsOf } from "#shim/objects/open.ts";
import { workerdPackage } from "#shim/objects/packages.ts";
import type { StateSystemModule } from "#shim/state/registry.ts";
import { durableRoutes } from "./routes.ts";

export const stateSystem: StateSystemModule = objectsOf({
  name: "durable-objects",
  engine: "workerd",
  routes: durableRoutes,
  needs: [workerdPackage],
});
