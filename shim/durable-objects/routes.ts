/** @module Where the worker has its objects. */
import type { ObjectRoutes } from "#shim/objects/object-client.ts";
import { pathPart } from "#shim/objects/open.ts";

export const durableRoutes: ObjectRoutes = {
  product: "durable-objects",
  readPath: (key) => `/read/${pathPart(key)}`,
  writePath: (key) => `/write/${pathPart(key)}`,
};
