/** @module Stores without a server: the memory engine, and LMDB in a directory of its own. */
import { rm } from "node:fs/promises";
import { makeOwnDirectory } from "#kit/node/own-directory.ts";
import type { StorageService } from "./port.ts";

export function startMemory(): Promise<StorageService> {
  return Promise.resolve({
    name: "memory",
    target: { engine: "memory" },
    pids: [],
    description: { server: "none: a map in the process that uses it" },
    stop: () => Promise.resolve(),
  });
}

export function startLmdb(): Promise<StorageService> {
  const directory = makeOwnDirectory("lmdb");
  return Promise.resolve({
    name: "lmdb",
    target: { engine: "lmdb", directory },
    pids: [],
    description: { server: "none: embedded", durability: "flushed before acknowledgement" },
    stop: () => rm(directory, { recursive: true, force: true }),
  });
}
