/**
 * @module How each state system is brought up in front of a store: one line per system.
 *
 * `direct` needs nothing but the store; `aft` needs a replica process of its own. A system from
 * outside the repository is opened by its module with the store as its only option.
 */
import { type AftCluster, startAftCluster } from "#harness/services/aft-cluster.ts";
import { readReplicaStats, startReplica } from "#harness/services/replica.ts";
import { createNames } from "#shim/aft/protocol/names.ts";
import { defaultReplicaSettings } from "#shim/aft/replica/options.ts";
import type { ReplicaStats } from "#shim/aft/replica/port.ts";
import type { StateSystemSpec } from "#shim/state/registry.ts";
import type { StorageSpec } from "#shim/storage/target.ts";
import { bringUpDbos, bringUpHeld, onEtcd, onObjects, onPostgres } from "./database-systems.ts";
import type { ClusterPlan } from "./define.ts";
import { bringUpDynamodbTxn, bringUpIdempotency } from "./dynamodb-systems.ts";
import { preloadCommits } from "./preload.ts";
import { onRedis } from "./redis-systems.ts";
import type { Scope } from "./scope.ts";

/** A system that is up and can be opened from any process. */
export interface RunningSystem {
  readonly spec: StateSystemSpec;
  /** Processes that belong to the system itself, by the name CPU is reported under. */
  readonly pids: Readonly<Record<string, readonly number[]>>;
  readonly description: Readonly<Record<string, unknown>>;
  /** Of AFT as a cluster. */
  readonly cluster?: RunningCluster;
  /** Requests and bytes to the storage so far; absent where they cannot be seen from here. */
  storageCounters?(): Promise<StorageCounters>;
}

export interface RunningCluster {
  readonly processes: AftCluster;
  readonly plan: ClusterPlan;
  /** Under which all it stores stands. */
  readonly namespace: string;
  readonly storage: StorageSpec;
}

export interface StorageCounters {
  readonly calls: number;
  readonly bytes: number;
  /** Reads and writes, summed up. */
  readonly waitedUs: number;
  readonly itemsRead: number;
  readonly itemsWritten: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** What was counted between two looks, added to what was counted before. */
export function withGrowth(
  sum: StorageCounters | null,
  before: StorageCounters,
  after: StorageCounters,
): StorageCounters {
  const grown = (of: (counters: StorageCounters) => number): number =>
    (sum === null ? 0 : of(sum)) + of(after) - of(before);
  return {
    calls: grown(({ calls }) => calls),
    bytes: grown(({ bytes }) => bytes),
    waitedUs: grown(({ waitedUs }) => waitedUs),
    itemsRead: grown(({ itemsRead }) => itemsRead),
    itemsWritten: grown(({ itemsWritten }) => itemsWritten),
    bytesRead: grown(({ bytesRead }) => bytesRead),
    bytesWritten: grown(({ bytesWritten }) => bytesWritten),
  };
}

type BringUp = (options: {
  readonly storage: StorageSpec;
  readonly scope: Scope;
  readonly exactlyOnce: boolean;
}) => Promise<RunningSystem>;

const bringUps: Readonly<Record<string, BringUp>> = {
  direct: bringUpDirect,
  aft: bringUpAft,
  "redis-multi": onRedis("redis-multi", "writes kept in the context, MULTI … EXEC at the end"),
  "redis-occ": onRedis("redis-occ", "versions in the context, checked and written by one script"),
  "dynamodb-txn": bringUpDynamodbTxn,
  "powertools-idempotency": bringUpIdempotency,
  "step-log": onRedis("step-log", "each step and its log entry in one script, replayed by retries"),
  "postgres-rc": onPostgres("postgres-rc"),
  "postgres-rr": onPostgres("postgres-rr"),
  "postgres-ser": onPostgres("postgres-ser"),
  "postgres-held": bringUpHeld,
  dbos: bringUpDbos,
  etcd: onEtcd("etcd"),
  "etcd-ser": onEtcd("etcd-ser"),
  restate: onObjects("restate"),
  "durable-objects": onObjects("durable-objects"),
};

/** Longer than a replica takes that is only busy; a stopped one is given up for by then. */
const clientTimeoutMs = 3_000;

/** Starts what the system needs; `scope` stops it. `modulePath`: a system from outside. */
export function bringUpSystem(options: {
  readonly name: string;
  readonly modulePath?: string;
  readonly storage: StorageSpec;
  readonly scope: Scope;
  readonly cluster?: ClusterPlan;
  readonly exactlyOnce?: boolean;
  /** A replica that is up and not the suite's. */
  readonly aftEndpoint?: string;
}): Promise<RunningSystem> {
  const { name, modulePath, storage, scope, cluster, exactlyOnce = false } = options;
  if (cluster !== undefined) return bringUpCluster(cluster, storage, scope);
  if (name === "aft" && options.aftEndpoint !== undefined)
    return Promise.resolve(aftElsewhere(options.aftEndpoint, exactlyOnce));
  const bringUp = bringUps[name];
  if (modulePath === undefined && bringUp !== undefined)
    return bringUp({ storage, scope, exactlyOnce });
  return Promise.resolve({
    spec: { system: name, options: { storage }, ...(modulePath !== undefined && { modulePath }) },
    pids: {},
    description: { module: modulePath ?? name },
  });
}

function bringUpDirect({ storage }: { readonly storage: StorageSpec }): Promise<RunningSystem> {
  return Promise.resolve({
    spec: { system: "direct", options: { storage } },
    pids: {},
    description: { kind: "functions call the storage themselves" },
  });
}

async function bringUpAft(options: Parameters<BringUp>[0]): Promise<RunningSystem> {
  const { storage, scope, exactlyOnce } = options;
  const replica = scope.own(await startReplica({ storage, transport: "tcp" }));
  return {
    spec: {
      system: "aft",
      options: { endpoint: replica.endpoint, ...(exactlyOnce && { exactlyOnce }) },
    },
    pids: { replica: replica.pids },
    description: replica.description,
    storageCounters: async () => countersOf([await replica.stats()]),
  };
}

/** Of all replicas together. */
function countersOf(stats: readonly ReplicaStats[]): StorageCounters {
  const sum = (of: (counters: ReplicaStats["storage"]) => number): number =>
    stats.reduce((total, { storage }) => total + of(storage), 0);
  return {
    calls: sum(({ calls }) => calls),
    bytes: sum(({ bytesRead, bytesWritten }) => bytesRead + bytesWritten),
    waitedUs: sum(({ waitedUs }) => waitedUs),
    itemsRead: sum(({ itemsRead }) => itemsRead),
    itemsWritten: sum(({ itemsWritten }) => itemsWritten),
    bytesRead: sum(({ bytesRead }) => bytesRead),
    bytesWritten: sum(({ bytesWritten }) => bytesWritten),
  };
}

function aftElsewhere(endpoint: string, exactlyOnce: boolean): RunningSystem {
  return {
    spec: { system: "aft", options: { endpoint, ...(exactlyOnce && { exactlyOnce }) } },
    pids: {},
    description: { kind: "a replica that was there", endpoint },
  };
}

async function bringUpCluster(
  plan: ClusterPlan,
  storage: StorageSpec,
  scope: Scope,
): Promise<RunningSystem> {
  const { replicas, managers, settings = {}, cluster = {}, manager = {}, preload = 0 } = plan;
  const { namespace } = { ...defaultReplicaSettings, ...settings };
  if (preload > 0) await preloadCommits({ storage, names: createNames(namespace), count: preload });
  const processes = scope.own(
    await startAftCluster({ storage, replicas, managers, settings, cluster, manager }),
  );
  return {
    spec: {
      system: "aft",
      options: { endpoints: processes.seeds, timeoutMs: clientTimeoutMs, refreshMs: 500 },
    },
    get pids() {
      return Object.fromEntries(processes.processes().map(({ name, pid }) => [name, [pid]]));
    },
    description: { ...processes.description, preload },
    // Several replicas come and go, and what a dead one has counted is gone with it.
    ...(replicas === 1 && {
      storageCounters: async () =>
        countersOf(
          await Promise.all(
            processes.processes("replica").map(({ endpoint }) => readReplicaStats(endpoint)),
          ),
        ),
    }),
    cluster: { processes, plan, namespace, storage },
  };
}
