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
import { type KubernetesConfig, type PodDecision, PodReplacer } from "./kubernetes.ts";
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
  /**
   * Who replaces a dead replica. `parent`: the process that started this one, asked by an event on
   * stdout. `kubernetes`: its StatefulSet, once the pod is deleted. Default: nobody.
   */
  readonly launcher?: "parent" | "kubernetes" | "none";
  /** With that launcher. */
  readonly kubernetes?: KubernetesConfig;
}

export type RunningEvent =
  ManagerEvent | { readonly kind: "pod"; readonly id: string; readonly decision: PodDecision };

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
    readonly onEvent: (event: RunningEvent) => void;
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
  const replacePod = podReplacement(config, onEvent);
  const manager = new FaultManager({
    id: `manager-${crypto.randomUUID().slice(0, 13)}`,
    clock,
    transport,
    engine,
    names: createNames(config.namespace ?? defaultReplicaSettings.namespace),
    settings: config.settings,
    ...(launcher !== undefined && { launcher }),
    onEvent: (event) => {
      onEvent(event);
      if (event.kind === "dead" && manager.isLeader) replacePod(event);
    },
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

/** The StatefulSet counts its replicas itself, so each death is looked at on its own. */
function podReplacement(
  { launcher, kubernetes }: ManagerConfig,
  onEvent: (event: RunningEvent) => void,
): (dead: { id: string; silentMs: number }) => void {
  if (launcher !== "kubernetes" || kubernetes === undefined) return () => {};
  const replacer = new PodReplacer(kubernetes, { nowMs: () => Date.now() });
  return ({ id, silentMs }) => {
    replacer.replace({ id, silentMs }).then(
      (decision) => {
        onEvent({ kind: "pod", id, decision });
      },
      (cause: unknown) => {
        onEvent({ kind: "failed", what: `replacing the pod of ${id}`, cause });
      },
    );
  };
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
