/** @module The platforms there are: one line each. */
import { ConfigError } from "#kit/errors.ts";
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

export const platformNames: readonly string[] = Object.keys(platforms);

/** Starts a platform. Rejects with `ConfigError` for an unknown name, `NotAvailableError` where there is none. */
export async function createPlatform(name: string, options: PlatformOptions): Promise<Platform> {
  const create = platforms[name];
  if (create !== undefined) return create(options);
  const hint = `known: ${platformNames.join(", ")}`;
  throw new ConfigError([{ where: "platform", what: `unknown platform "${name}"`, hint }]);
}
