/** @module A whole replica process: storage, replica, server, admin port; and its end. */
import { ConfigError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { openStorage } from "#shim/storage/registry.ts";
import type { StorageSpec } from "#shim/storage/target.ts";
import type { StorageEngine } from "#shim/storage/port.ts";
import type { ReplicaSettings } from "../replica/options.ts";
import type { Replica } from "../replica/port.ts";
import { createReplica } from "../replica/replica.ts";
import {
  defaultReloadMs,
  isLoopback,
  openSecurity,
  readPeerCredentials,
  refuseUnprotected,
  type SecretTexts,
  type Security,
  type SecurityConfig,
} from "./access/security.ts";
import { type AdminServer, startAdmin } from "./admin.ts";
import { type ClusterConfig, type JoinedCluster, openMember } from "./join.ts";
import { createLog, logRefusals } from "./log.ts";
import { type AftServer, type ListenAddress, type ServerLimits, startServer } from "./server.ts";

/** Everything that can be configured; survives JSON. */
export interface ReplicaConfig {
  readonly storage: StorageSpec;
  readonly listen: ListenAddress;
  readonly adminPort?: number;
  /** Default: loopback. */
  readonly adminHost?: string;
  /** One password with every right: for development. Others: `security`. */
  readonly password?: string;
  readonly security?: SecurityConfig;
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
  /** Reads users and certificates again. @throws ConfigError; then the old ones stay. */
  reload(): void;
  /** Refuses new work, finishes commits, releases everything. Idempotent. */
  close(): Promise<void>;
}

type Log = ReturnType<typeof createLog>;

/**
 * Rejects with `StorageError`, `ListenError` or `ConfigError`; then nothing is left open.
 * `secrets`: what the configuration itself does not hold.
 */
export async function serveReplica(
  config: ReplicaConfig,
  secrets: SecretTexts = {},
): Promise<ServingReplica> {
  const log = createLog();
  const given = { ...secrets, ...(config.password !== undefined && { password: config.password }) };
  const security = openReplicaSecurity(config, given, log);
  // Emulated latencies need the precise clock; everything else must not pay for it.
  const { emulation } = config.storage;
  const precise = emulation !== undefined && emulation.coarse !== true;
  const clock = createSystemClock({ precise });
  const storage = await openStorage(config.storage, { clock });
  const stops: (() => Promise<void>)[] = [() => storage.close()];
  const close = async (): Promise<void> => {
    for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop();
  };
  try {
    const replica = await openReplica(config, storage, log);
    stops.push(() => replica.close());
    let joined: JoinedCluster | undefined;
    let ready = false;
    let admin: AdminServer | undefined;
    if (config.adminPort !== undefined) {
      admin = await startAdmin({
        port: config.adminPort,
        ...(config.adminHost !== undefined && { host: config.adminHost }),
        figures: () => ({ ...figuresOf(replica), ...security.access.stats() }),
        isReady: () => ready && replica.peers.admission === undefined,
      });
      stops.push(admin.close);
    }
    const server = await openServer({ config, replica, security, log, joined: () => joined });
    if (config.cluster !== undefined)
      joined = joinAs(config.cluster, { config, secrets: given, replica, server, log });
    // Commits first get their outcome and their answers, then the sockets go.
    stops.push(async () => {
      ready = false;
      await joined?.leave();
      await replica.close();
      await server.close();
    });
    stops.push(watchFiles({ security, server, log, config: config.security ?? {} }));
    await joined?.member.join();
    ready = true;
    return {
      address: server.address,
      adminAddress: admin?.address,
      recovered: replica.stats().knownTransactions,
      reload: () => {
        reload(security, server);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What is wrong with users, certificates or the address is found before anything is opened. */
function openReplicaSecurity(config: ReplicaConfig, secrets: SecretTexts, log: Log): Security {
  const security = openSecurity({
    config: config.security ?? {},
    secrets,
    nowMs: () => Date.now(),
    onEvent: ({ message, ...fields }) => {
      log.warn(fields, message);
    },
  });
  const login = readPeerCredentials(config.security ?? {}, secrets);
  const { listen } = config;
  const byCertificate = config.security?.tls?.peerCaFile !== undefined;
  if (config.cluster !== undefined && security.access.hasUsers && !byCertificate)
    if (login.password === undefined) {
      const what = "is needed: with users, replicas could not talk to each other";
      const hint = "peer.passwordFile of a user with +@peer; or tls.peerCaFile";
      throw new ConfigError([{ where: "security.peer", what, hint }]);
    }
  const isTls = security.serverTls() !== undefined;
  if ("path" in listen) {
    if (isTls) {
      const what = "a Unix socket speaks no TLS";
      throw new ConfigError([{ where: "security.tls", what, hint: "listen on host and port" }]);
    }
    return security;
  }
  const { hasUsers } = security.access;
  refuseUnprotected({ host: listen.host, hasUsers, config: config.security ?? {} });
  if (!isLoopback(listen.host) && !isTls)
    log.warn({ host: listen.host }, "other machines send their passwords unencrypted: no TLS");
  return security;
}

function openReplica(config: ReplicaConfig, storage: StorageEngine, log: Log): Promise<Replica> {
  return createReplica({
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
}

function openServer(options: {
  readonly config: ReplicaConfig;
  readonly replica: Replica;
  readonly security: Security;
  readonly log: Log;
  readonly joined: () => JoinedCluster | undefined;
}): Promise<AftServer> {
  const { config, replica, security, log, joined } = options;
  const tls = security.serverTls();
  return startServer({
    replica,
    cluster: () => joined()?.endpoint,
    peerLoss: () => joined()?.loss,
    listen: config.listen,
    access: security.access,
    clock: createSystemClock(),
    ...(tls !== undefined && { tls }),
    ...(config.limits !== undefined && { limits: config.limits }),
    onBug: (error) => {
      log.error({ err: error }, "a command failed in a way it should not");
    },
  });
}

function joinAs(
  cluster: ClusterConfig,
  options: {
    readonly config: ReplicaConfig;
    readonly secrets: SecretTexts;
    readonly replica: Replica;
    readonly server: AftServer;
    readonly log: Log;
  },
): JoinedCluster {
  const { config, secrets, replica, server, log } = options;
  return openMember({
    config: cluster,
    replica,
    address: server.address,
    clock: createSystemClock(),
    credentials: () => readPeerCredentials(config.security ?? {}, secrets),
    onRefused: logRefusals(log),
    onEvent: ({ kind, message, cause }) => {
      if (kind === "rescan_failed" || kind === "rejoining")
        log.warn({ member: kind, err: cause }, message);
    },
  });
}

/** Takes over changed files; the answer stops it. */
function watchFiles(options: {
  readonly security: Security;
  readonly server: AftServer;
  readonly log: Log;
  readonly config: SecurityConfig;
}): () => Promise<void> {
  const { security, server, log, config } = options;
  const { reloadMs = defaultReloadMs } = config;
  if (reloadMs === 0) return () => Promise.resolve();
  const timer = setInterval(() => {
    if (!security.hasChanged()) return;
    try {
      reload(security, server);
    } catch (err) {
      log.warn({ err }, "users or certificates have changed and are wrong: the old ones stay");
    }
  }, reloadMs);
  return () => {
    clearInterval(timer);
    return Promise.resolve();
  };
}

function reload(security: Security, server: AftServer): void {
  // Both are read before either is used.
  const tls = security.serverTls();
  security.reloadUsers();
  server.renewLogins();
  if (tls !== undefined) server.renewTls(tls);
}

function figuresOf(replica: Replica): Record<string, number> {
  const { storage, ...stats } = replica.stats();
  const renamed = Object.entries(storage).map(([name, value]) => [`storage_${name}`, value]);
  return { ...stats, ...(Object.fromEntries(renamed) as Record<string, number>) };
}

/** Transaction ids must differ between replicas and restarts, so this seed is not a run's. */
function seedFromEntropy(): number {
  return crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
}
