/** @module The platforms there are: one line each. */
import { ConfigError } from "#kit/errors.ts";
import { createInlinePlatform, type InlineOptions } from "./inline/platform.ts";
import { createLocalPlatform } from "./local/platform.ts";
import type { Platform } from "./port.ts";

export type PlatformOptions = InlineOptions;

const platforms: Readonly<Record<string, (options: PlatformOptions) => Promise<Platform>>> = {
  inline: (options) => Promise.resolve(createInlinePlatform(options)),
  local: (options) => createLocalPlatform(options),
};

export const platformNames: readonly string[] = Object.keys(platforms);

/** Starts a platform. Rejects with `ConfigError` for an unknown name. */
export async function createPlatform(name: string, options: PlatformOptions): Promise<Platform> {
  const create = platforms[name];
  if (create !== undefined) return create(options);
  const hint = `known: ${platformNames.join(", ")}`;
  throw new ConfigError([{ where: "platform", what: `unknown platform "${name}"`, hint }]);
}
