/** @module A whole fault manager process: storage, manager, admin port, and its end. */
import { createSystemClock } from "#kit/node/system-clock.ts";
import { openStorage } from "#shim/storage/registry.ts";
import type { StorageSpec } from "#shim/storage/target.ts";
import { FaultManager, type ManagerEvent, type ManagerSettings } from "../cluster/manager.ts";
import type { Launcher } from "../cluster/port.ts";
import { createNames } from "../protocol/names.ts";
import { defaultReplicaSettings } from "../replica/options.ts";
import { type AdminServer, startAdmin } from "./admin.ts";
import { answerWithinMs } from "./join.ts";
import {
  type PeerCredentials,
  readPeerCredentials,
  type SecretTexts,
  type SecurityConfig,
} from "./access/security.ts";
import { createLog, logRefusals } from "./log.ts";
import { createPeerTransport } from "./peer-transport.ts";

/** Everything that can be configured; survives JSON. */
export interface ManagerConfig {
  readonly storage: StorageSpec;
  readonly namespace?: string;
  /** Absent: it listens nowhere. */
  readonly adminPort?: number;
  /** Default: loopback. */
  readonly adminHost?: string;
  readonly settings: Partial<ManagerSettings>;
  /** Of the user `default` of all replicas: for development. Others: `security`. */
  readonly password?: string;
  /** How it logs in at replicas (`peer`, `tls`); it has no users. */
  readonly security?: SecurityConfig;
  /** `parent`: asks the process that started it, by an event on stdout. Default: nobody. */
  readonly launcher?: "parent" | "none";
}

export interface RunningManager {
  readonly manager: FaultManager;
  readonly adminAddress: string | undefined;
  close(): Promise<void>;
}

/** Rejects with `StorageError` or `ConfigError`; then nothing is left open. */
export async function startManager(
  config: ManagerConfig,
  options: {
    readonly launcher?: Launcher;
    readonly secrets?: SecretTexts;
    readonly onEvent: (event: ManagerEvent) => void;
  },
): Promise<RunningManager> {
  const { launcher, onEvent } = options;
  const { password, security = {} } = config;
  const secrets = { ...options.secrets, ...(password !== undefined && { password }) };
  const credentials = (): PeerCredentials => readPeerCredentials(security, secrets);
  // What is wrong with the files is said at the start.
  credentials();
  const clock = createSystemClock({ precise: false });
  const engine = await openStorage(config.storage, { clock });
  const transport = createPeerTransport({
    timeoutMs: answerWithinMs(config.settings),
    credentials,
    onRefused: logRefusals(createLog()),
  });
  const manager = new FaultManager({
    id: `manager-${crypto.randomUUID().slice(0, 13)}`,
    clock,
    transport,
    engine,
    names: createNames(config.namespace ?? defaultReplicaSettings.namespace),
    settings: config.settings,
    ...(launcher !== undefined && { launcher }),
    onEvent,
  });
  let admin: AdminServer | undefined;
  const close = async (): Promise<void> => {
    manager.close();
    transport.close();
    await admin?.close();
    await engine.close();
  };
  try {
    let ready = false;
    // Before the commit set is read, which may take long: it is alive meanwhile.
    admin = await openAdmin(config, manager, () => ready);
    await manager.start();
    ready = true;
    return { manager, adminAddress: admin?.address, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openAdmin(
  config: ManagerConfig,
  manager: FaultManager,
  isReady: () => boolean,
): Promise<AdminServer | undefined> {
  const { adminPort, adminHost } = config;
  if (adminPort === undefined) return undefined;
  return startAdmin({
    port: adminPort,
    ...(adminHost !== undefined && { host: adminHost }),
    // `isLeader` as 1 or 0.
    figures: () =>
      Object.fromEntries(
        Object.entries(manager.stats()).map(([name, value]) => [`manager_${name}`, Number(value)]),
      ),
    isReady,
  });
}
