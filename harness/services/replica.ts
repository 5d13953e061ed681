/** @module An AFT replica as a child process. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Redis, type RedisOptions } from "ioredis";
import { makeOwnDirectory } from "#kit/node/own-directory.ts";
import type { ReplicaSettings } from "#shim/aft/replica/options.ts";
import type { ReplicaStats } from "#shim/aft/replica/port.ts";
import { replicaNodeArguments } from "./replica-node.ts";
import type { SecurityConfig } from "#shim/aft/server/access/security.ts";
import { type StorageSpec, withoutSecrets } from "#shim/storage/target.ts";
import { startModule } from "./child.ts";
import type { Service } from "./port.ts";

export interface ReplicaOptions {
  readonly storage: StorageSpec;
  readonly transport?: "tcp" | "unix";
  /** A fixed port, for a replica that comes back where it was. Default: any free one. */
  readonly port?: number;
  readonly settings?: Partial<ReplicaSettings>;
  /** Users and certificates, in files. */
  readonly security?: SecurityConfig;
  /** HTTP, on any free port. */
  readonly withAdmin?: boolean;
  /** How `stats` logs in: an administrator. */
  readonly administrator?: Pick<RedisOptions, "username" | "password" | "tls">;
}

export interface ReplicaService extends Service {
  /** As the client's `endpoint` option. */
  readonly endpoint: string;
  /** `127.0.0.1:PORT`, with `withAdmin`. */
  readonly adminAddress: string | undefined;
  /** Transactions found in storage at the start. */
  readonly recovered: number;
  readonly exited: Promise<void>;
  /** The end of what it wrote to stderr. */
  log(): string;
  /** SIGKILL. */
  kill(): void;
  stats(): Promise<ReplicaStats>;
}

const modulePath = fileURLToPath(import.meta.resolve("#shim/aft/server/main.ts"));

/** Starts a replica and waits until it serves. Rejects with `ServiceStartError`. */
export async function startReplica(options: ReplicaOptions): Promise<ReplicaService> {
  const { storage, transport = "tcp", port = 0, settings, security, withAdmin } = options;
  const directory = transport === "unix" ? makeOwnDirectory("socket") : "";
  const listen =
    transport === "unix" ? { path: join(directory, "aft.sock") } : { host: "127.0.0.1", port };
  const adminPort = withAdmin === true ? 0 : undefined;
  const config = { storage, listen, settings, security, adminPort };
  const child = await startModule({
    name: "aft replica",
    modulePath,
    nodeArguments: replicaNodeArguments,
    environment: { AFT_REPLICA_CONFIG: JSON.stringify(config) },
  });
  const endpoint = String(child.ready["address"]);
  const admin = new Redis({
    ...("path" in listen ? { path: listen.path } : hostAndPort(endpoint)),
    ...options.administrator,
    lazyConnect: true,
    maxRetriesPerRequest: 0,
  });
  admin.on("error", () => {});
  return {
    name: "aft-replica",
    pids: [child.pid],
    endpoint,
    adminAddress: withAdmin === true ? String(child.ready["adminAddress"]) : undefined,
    recovered: Number(child.ready["recovered"]),
    exited: child.exited,
    log: () => child.errorOutput(),
    description: { transport, storage: { ...withoutSecrets(storage) }, settings: { ...settings } },
    kill: child.kill,
    stats: async () => JSON.parse(String(await admin.call("AFT.STATS"))) as ReplicaStats,
    stop: async () => {
      admin.disconnect();
      await child.stop();
      if (directory !== "") await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Asks a replica that somebody else started; on loopback without users. Rejects when it is gone. */
export async function readReplicaStats(endpoint: string): Promise<ReplicaStats> {
  const admin = new Redis({ ...hostAndPort(endpoint), lazyConnect: true, maxRetriesPerRequest: 0 });
  admin.on("error", () => {});
  try {
    return JSON.parse(String(await admin.call("AFT.STATS"))) as ReplicaStats;
  } finally {
    admin.disconnect();
  }
}

function hostAndPort(endpoint: string): { host: string; port: number } {
  const [host = "127.0.0.1", port = "0"] = endpoint.split(":");
  return { host, port: Number(port) };
}
