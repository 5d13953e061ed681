/**
 * @module How each state system is brought up in front of a store: one line per system.
 *
 * `direct` needs nothing but the store; `aft` needs a replica process of its own. A system from
 * outside the repository is opened by its module with the store as its only option.
 */
import { startReplica } from "#harness/services/replica.ts";
import type { StateSystemSpec } from "#shim/state/registry.ts";
import type { StorageSpec } from "#shim/storage/target.ts";
import type { Scope } from "./scope.ts";

/** A system that is up and can be opened from any process. */
export interface RunningSystem {
  readonly spec: StateSystemSpec;
  /** Processes that belong to the system itself, by the name CPU is reported under. */
  readonly pids: Readonly<Record<string, readonly number[]>>;
  readonly description: Readonly<Record<string, unknown>>;
  /** Requests and bytes to the storage so far; absent where they cannot be seen from here. */
  storageCounters?(): Promise<StorageCounters>;
}

export interface StorageCounters {
  readonly calls: number;
  readonly bytes: number;
}

type BringUp = (storage: StorageSpec, scope: Scope) => Promise<RunningSystem>;

const bringUps: Readonly<Record<string, BringUp>> = {
  direct: bringUpDirect,
  aft: bringUpAft,
};

/** Starts what the system needs; `scope` stops it. `modulePath`: a system from outside. */
export function bringUpSystem(options: {
  readonly name: string;
  readonly modulePath?: string;
  readonly storage: StorageSpec;
  readonly scope: Scope;
}): Promise<RunningSystem> {
  const { name, modulePath, storage, scope } = options;
  const bringUp = bringUps[name];
  if (modulePath === undefined && bringUp !== undefined) return bringUp(storage, scope);
  return Promise.resolve({
    spec: { system: name, options: { storage }, ...(modulePath !== undefined && { modulePath }) },
    pids: {},
    description: { module: modulePath ?? name },
  });
}

function bringUpDirect(storage: StorageSpec): Promise<RunningSystem> {
  return Promise.resolve({
    spec: { system: "direct", options: { storage } },
    pids: {},
    description: { kind: "functions call the storage themselves" },
  });
}

async function bringUpAft(storage: StorageSpec, scope: Scope): Promise<RunningSystem> {
  const replica = scope.own(await startReplica({ storage, transport: "tcp" }));
  return {
    spec: { system: "aft", options: { endpoint: replica.endpoint } },
    pids: { replica: replica.pids },
    description: replica.description,
    storageCounters: async () => {
      const { storage: counters } = await replica.stats();
      return { calls: counters.calls, bytes: counters.bytesRead + counters.bytesWritten };
    },
  };
}
