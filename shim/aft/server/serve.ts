/** @module A whole replica process: storage, replica, server, admin port; and its end. */
import { pino } from "pino";
import { ConfigError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { openStorage } from "#shim/storage/registry.ts";
import type { StorageSpec } from "#shim/storage/target.ts";
import type { ReplicaSettings } from "../replica/options.ts";
import { createReplica } from "../replica/replica.ts";
import { type AdminServer, startAdmin } from "./admin.ts";
import { type ClusterConfig, type JoinedCluster, openMember } from "./join.ts";
import { type ListenAddress, type ServerLimits, startServer } from "./server.ts";

/** Everything that can be configured; survives JSON. */
export interface ReplicaConfig {
  readonly storage: StorageSpec;
  readonly listen: ListenAddress;
  readonly adminPort?: number;
  readonly password?: string;
  readonly settings?: Partial<ReplicaSettings>;
  /** Absent: the only replica, which then also collects garbage in storage. */
  readonly cluster?: ClusterConfig;
  readonly limits?: Partial<ServerLimits>;
}

export interface ServingReplica {
  readonly address: string;
  readonly adminAddress: string | undefined;
  /** Transactions in the index after recovery. */
  readonly recovered: number;
  /** Refuses new work, finishes commits, releases everything. Idempotent. */
  close(): Promise<void>;
}

/** Rejects with `StorageError`, `ListenError` or `ConfigError`; then nothing is left open. */
export async function serveReplica(config: ReplicaConfig): Promise<ServingReplica> {
  const log = pino({ name: "aft", level: "warn" }, pino.destination({ dest: 2, sync: true }));
  // Emulated latencies need the precise clock; everything else must not pay for it.
  const clock = createSystemClock({ precise: config.storage.emulation !== undefined });
  const storage = await openStorage(config.storage, { clock });
  const stops: (() => Promise<void>)[] = [() => storage.close()];
  const close = async (): Promise<void> => {
    for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop();
  };
  try {
    const replica = await createReplica({
      storage,
      clock: createSystemClock(),
      prng: createPrng(seedFromEntropy()),
      ...(config.cluster === undefined
        ? { settings: config.settings ?? {} }
        : { settings: { ...config.settings, storageGc: "off" }, deferRecovery: true }),
      onIncident: ({ kind, message, cause }) => {
        log.warn({ incident: kind, err: cause }, message);
      },
    });
    stops.push(() => replica.close());
    let admin: AdminServer | undefined;
    let ready = false;
    if (config.adminPort !== undefined) {
      const isReady = (): boolean => ready && replica.peers.admission === undefined;
      admin = await startAdmin({ replica, port: config.adminPort, isReady });
      stops.push(admin.close);
    }
    let joined: JoinedCluster | undefined;
    const server = await startServer({
      replica,
      cluster: () => joined?.member,
      listen: config.listen,
      ...(config.password !== undefined && { password: config.password }),
      ...(config.limits !== undefined && { limits: config.limits }),
      onBug: (error) => {
        log.error({ err: error }, "a command failed in a way it should not");
      },
    });
    if (config.cluster !== undefined) {
      joined = openMember({
        config: config.cluster,
        replica,
        address: server.address,
        clock: createSystemClock(),
        ...(config.password !== undefined && { connection: { password: config.password } }),
        onEvent: ({ kind, message, cause }) => {
          if (kind === "rescan_failed" || kind === "rejoining")
            log.warn({ member: kind, err: cause }, message);
        },
      });
    }
    // Commits first get their outcome and their answers, then the sockets go.
    stops.push(async () => {
      ready = false;
      await joined?.leave();
      await replica.close();
      await server.close();
    });
    await joined?.member.join();
    ready = true;
    const recovered = replica.stats().knownTransactions;
    return { address: server.address, adminAddress: admin?.address, recovered, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Reads a configuration as the process entry gets it. @throws ConfigError */
export function parseReplicaConfig(text: string | undefined): ReplicaConfig {
  const where = "AFT_REPLICA_CONFIG";
  if (text === undefined) throw new ConfigError([{ where, what: "is not set" }]);
  try {
    const parsed = JSON.parse(text) as Partial<ReplicaConfig>;
    if (parsed.storage?.target !== undefined && parsed.listen !== undefined)
      return parsed as ReplicaConfig;
  } catch (cause) {
    throw new ConfigError([{ where, what: "is not JSON" }], { cause });
  }
  throw new ConfigError([{ where, what: "needs storage.target and listen" }]);
}

/** Transaction ids must differ between replicas and restarts, so this seed is not a run's. */
function seedFromEntropy(): number {
  return crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
}
