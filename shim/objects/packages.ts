/** @module npm packages that servers of objects are made of. None is a dependency; each is used when the user has it. */
import type { OptionalPackage } from "#kit/node/optional-package.ts";

/** The server is under BSL 1.1, its SDK under MIT. */
export const restatePackages = {
  server: { name: "@restatedev/restate-server", version: "1.7.12" },
  sdk: { name: "@restatedev/restate-sdk", version: "1.17.2" },
} as const satisfies Readonly<Record<string, OptionalPackage>>;

/** Apache-2.0; some 120 MB. */
export const workerdPackage: OptionalPackage = { name: "workerd", version: "1.20261117.1" };
