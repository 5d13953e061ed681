/**
 * @module The platforms there are: one line each. One from outside this repository is named by its
 * module's path instead (`--use ./my-platform.ts`).
 */
import type { Clock } from "#kit/clock.ts";
import { ConfigError } from "#kit/errors.ts";
import { outsideExport } from "#kit/node/outside.ts";
import { createInlinePlatform, type InlineOptions } from "./inline/platform.ts";
import { openLambda, type OpenLambdaOptions } from "./lambda/open.ts";
import { createLambdaPlatform } from "./lambda/platform.ts";
import { createServerlessDeployment } from "./lambda/serverless-offline.ts";
import { defaultLambdaSettings } from "./lambda/settings.ts";
import { createLocalPlatform } from "./local/platform.ts";
import type { Platform } from "./port.ts";

export type PlatformOptions = InlineOptions & OpenLambdaOptions;

type Create = (options: PlatformOptions) => Promise<Platform> | Platform;

const platforms: Readonly<Record<string, Create>> = {
  inline: createInlinePlatform,
  local: (options) => createLocalPlatform(options),
  // Somebody else's implementation of the Invoke API; nothing is charged there.
  "serverless-offline": ({ clock }) =>
    createLambdaPlatform({
      name: "serverless-offline",
      settings: defaultLambdaSettings,
      deployment: createServerlessDeployment(),
      clock,
    }),
  lambda: openLambda,
};

/** What a module from outside exports as `platform`. */
export interface PlatformModule {
  /** The level of the factor `platform`. */
  readonly name: string;
  /** Starts it, with nothing deployed. */
  create(options: { readonly clock: Clock }): Promise<Platform>;
}

export const platformNames: readonly string[] = Object.keys(platforms);

/** Rejects with `ConfigError` for a module without a usable `platform`. */
export function loadPlatform(modulePath: string): Promise<PlatformModule> {
  return outsideExport(modulePath, "platform", { id: "name", methods: ["create"] });
}

/** Starts a platform. Rejects with `ConfigError` for an unknown name, `NotAvailableError` where there is none. */
export async function createPlatform(
  name: string,
  options: PlatformOptions,
  modulePath?: string,
): Promise<Platform> {
  if (modulePath !== undefined)
    return (await loadPlatform(modulePath)).create({ clock: options.clock });
  const create = platforms[name];
  if (create !== undefined) return create(options);
  const hint = `known: ${platformNames.join(", ")}`;
  throw new ConfigError([{ where: "platform", what: `unknown platform "${name}"`, hint }]);
}
