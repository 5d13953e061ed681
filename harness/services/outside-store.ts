/** @module A store of an engine from outside this repository, in a folder of its own. */
import { rm } from "node:fs/promises";
import { makeOwnDirectory } from "#kit/node/own-directory.ts";
import { loadStorageEngine } from "#shim/storage/outside.ts";
import type { StorageService } from "./port.ts";

/** Rejects with `ConfigError` for a module that cannot be used, and with whatever its `start` does. */
export async function startOutsideStore(modulePath: string): Promise<StorageService> {
  const module = await loadStorageEngine(modulePath);
  const { name } = module;
  const directory = makeOwnDirectory(name);
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const store = await module.start({ directory });
    const { options, pids = [], description = {} } = store;
    return {
      name,
      target: { engine: "module", modulePath, options },
      pids,
      description: { ...description, module: modulePath },
      stop: async () => {
        await store.stop?.().catch(() => {});
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
