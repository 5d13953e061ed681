/** @module Where Restate's ingress has the objects; a write is named by the header for that. */
import { mebibyte } from "#kit/bytes.ts";
import type { ObjectRoutes } from "#shim/objects/object-client.ts";
import { pathPart } from "#shim/objects/open.ts";

/** As its handlers are registered. */
export const objectName = "AftBenchValue";

export const restateRoutes: ObjectRoutes = {
  product: "restate",
  // Its ingress takes 32 MiB unless told otherwise; less what stands in front of a value.
  maxValueBytes: 32 * mebibyte - 65_536,
  readPath: (key) => `/${objectName}/${pathPart(key)}/read`,
  writePath: (key) => `/${objectName}/${pathPart(key)}/write`,
  writeHeaders: ({ request, step }) => ({ "idempotency-key": `${request}/${step}` }),
};
