/** @module An AFT replica as a child process. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import type { ReplicaSettings } from "#shim/aft/replica/options.ts";
import type { ReplicaStats } from "#shim/aft/replica/port.ts";
import type { StorageSpec } from "#shim/storage/target.ts";
import { startModule } from "./child.ts";
import type { Service } from "./port.ts";

export interface ReplicaOptions {
  readonly storage: StorageSpec;
  readonly transport?: "tcp" | "unix";
  /** A fixed port, for a replica that comes back where it was. Default: any free one. */
  readonly port?: number;
  readonly settings?: Partial<ReplicaSettings>;
}

export interface ReplicaService extends Service {
  /** As the client's `endpoint` option. */
  readonly endpoint: string;
  /** Transactions found in storage at the start. */
  readonly recovered: number;
  readonly exited: Promise<void>;
  /** SIGKILL. */
  kill(): void;
  stats(): Promise<ReplicaStats>;
}

const modulePath = fileURLToPath(import.meta.resolve("#shim/aft/server/main.ts"));

/** Starts a replica and waits until it serves. Rejects with `ServiceStartError`. */
export async function startReplica(options: ReplicaOptions): Promise<ReplicaService> {
  const { storage, transport = "tcp", port = 0, settings } = options;
  const directory = transport === "unix" ? await mkdtemp(join(tmpdir(), "aft-bench-socket-")) : "";
  const listen =
    transport === "unix" ? { path: join(directory, "aft.sock") } : { host: "127.0.0.1", port };
  const child = await startModule({
    name: "aft replica",
    modulePath,
    environment: { AFT_REPLICA_CONFIG: JSON.stringify({ storage, listen, settings }) },
  });
  const endpoint = String(child.ready["address"]);
  const admin = new Redis({
    ...("path" in listen ? { path: listen.path } : hostAndPort(endpoint)),
    lazyConnect: true,
    maxRetriesPerRequest: 0,
  });
  admin.on("error", () => {});
  return {
    name: "aft-replica",
    pids: [child.pid],
    endpoint,
    recovered: Number(child.ready["recovered"]),
    exited: child.exited,
    description: { transport, storage: { ...storage }, settings: { ...settings } },
    kill: child.kill,
    stats: async () => JSON.parse(String(await admin.call("AFT.STATS"))) as ReplicaStats,
    stop: async () => {
      admin.disconnect();
      await child.stop();
      if (directory !== "") await rm(directory, { recursive: true, force: true });
    },
  };
}

function hostAndPort(endpoint: string): { host: string; port: number } {
  const [host = "127.0.0.1", port = "0"] = endpoint.split(":");
  return { host, port: Number(port) };
}
