/** @module Stores without a server: the memory engine, and LMDB in a directory of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

export async function startLmdb(): Promise<StorageService> {
  const directory = await mkdtemp(join(tmpdir(), "aft-bench-lmdb-"));
  return {
    name: "lmdb",
    target: { engine: "lmdb", directory },
    pids: [],
    description: { server: "none: embedded", durability: "flushed before acknowledgement" },
    stop: () => rm(directory, { recursive: true, force: true }),
  };
}
