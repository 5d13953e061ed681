/** @module A whole fault manager process: storage, manager, and its end. It listens nowhere. */
import { ConfigError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { openStorage } from "#shim/storage/registry.ts";
import type { StorageSpec } from "#shim/storage/target.ts";
import { FaultManager, type ManagerEvent, type ManagerSettings } from "../cluster/manager.ts";
import type { Launcher } from "../cluster/port.ts";
import { createNames } from "../protocol/names.ts";
import { defaultReplicaSettings } from "../replica/options.ts";
import { answerWithinMs } from "./join.ts";
import { createPeerTransport, type PeerCredentials } from "./peer-transport.ts";

/** Everything that can be configured; survives JSON. */
export interface ManagerConfig {
  readonly storage: StorageSpec;
  readonly namespace?: string;
  readonly settings: Partial<ManagerSettings>;
  readonly password?: string;
  /** `parent`: asks the process that started it, by an event on stdout. Default: nobody. */
  readonly launcher?: "parent" | "none";
}

export interface RunningManager {
  readonly manager: FaultManager;
  close(): Promise<void>;
}

/** Rejects with `StorageError` or `ConfigError`; then nothing is left open. */
export async function startManager(
  config: ManagerConfig,
  options: {
    readonly launcher?: Launcher;
    readonly connection?: PeerCredentials;
    readonly onEvent: (event: ManagerEvent) => void;
  },
): Promise<RunningManager> {
  const clock = createSystemClock({ precise: false });
  const engine = await openStorage(config.storage, { clock });
  const { connection = {}, launcher, onEvent } = options;
  const transport = createPeerTransport({
    timeoutMs: answerWithinMs(config.settings),
    connection: {
      ...connection,
      ...(config.password !== undefined && { password: config.password }),
    },
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
  await manager.start();
  return {
    manager,
    close: async () => {
      manager.close();
      transport.close();
      await engine.close();
    },
  };
}

/** Reads a configuration as the process entry gets it. @throws ConfigError */
export function parseManagerConfig(text: string | undefined): ManagerConfig {
  const where = "AFT_MANAGER_CONFIG";
  if (text === undefined) throw new ConfigError([{ where, what: "is not set" }]);
  try {
    const parsed = JSON.parse(text) as Partial<ManagerConfig>;
    if (parsed.storage?.target !== undefined && parsed.settings?.seeds !== undefined)
      return parsed as ManagerConfig;
  } catch (cause) {
    throw new ConfigError([{ where, what: "is not JSON" }], { cause });
  }
  throw new ConfigError([{ where, what: "needs storage.target and settings.seeds" }]);
}
