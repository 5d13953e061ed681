/**
 * @module The processes of a simulation: replicas and fault managers, the production modules, started,
 * killed, stopped and started again.
 */
import type { Names } from "#shim/aft/protocol/names.ts";
import { FaultManager, type ManagerSettings } from "#shim/aft/cluster/manager.ts";
import type { Launcher } from "#shim/aft/cluster/port.ts";
import { ReplicaMember } from "#shim/aft/cluster/replica-member.ts";
import type { Replica } from "#shim/aft/replica/port.ts";
import { createReplica } from "#shim/aft/replica/replica.ts";
import { StorageError } from "#shim/storage/errors.ts";
import type { Prng } from "#kit/prng.ts";
import { ProjectError } from "#kit/errors.ts";
import type { SimConfig } from "./config.ts";
import { SimEngine, type StorageTrouble } from "./engine.ts";
import type { Freshness, WatchedReplica } from "./freshness.ts";
import type { SimLoop } from "./loop.ts";
import type { SimNetwork } from "./network.ts";
import { createSimTransport } from "./peer-transport.ts";
import { type MachineClock, SimProcess } from "./process.ts";
import type { ServingReplica } from "./server.ts";
import type { SimStore } from "./store.ts";

/** A dead one at whose address another is started comes up after this. */
const launchUs = 300_000;
const retryRecoveryUs = 200_000;

/** Nothing can be launched: every address is taken. */
class NothingToLaunchError extends ProjectError {
  readonly code = "nothing_to_launch";
  readonly disposition = "retry";
}

export interface RunningReplica extends ServingReplica {
  readonly member: ReplicaMember | undefined;
}

export interface RunningManager {
  readonly id: string;
  readonly process: SimProcess;
  readonly manager: FaultManager;
}

export interface ClusterParts {
  readonly config: SimConfig;
  readonly loop: SimLoop;
  readonly network: SimNetwork;
  readonly store: SimStore;
  readonly trouble: Readonly<StorageTrouble>;
  readonly prng: Prng;
  readonly names: Names;
  readonly freshness: Freshness;
  readonly onViolation: (what: string) => void;
}

export class SimCluster {
  readonly names: Names;
  readonly replicas = new Map<string, RunningReplica>();
  readonly managers = new Map<string, RunningManager>();
  readonly #parts: ClusterParts;
  readonly #machines = new Map<string, MachineClock>();
  readonly #owners = new Map<string, number>();
  /** Started, not serving yet. */
  readonly #starting = new Map<string, SimProcess>();
  #lives = 0;

  constructor(parts: ClusterParts) {
    this.#parts = parts;
    this.names = parts.names;
  }

  get addresses(): string[] {
    return numbered("r", this.#parts.config.replicas);
  }

  get managerNames(): string[] {
    return numbered("m", this.#parts.config.managers);
  }

  start(): void {
    for (const address of this.addresses) this.startReplica(address);
    for (const name of this.managerNames) this.startManager(name);
  }

  servingAt(address: string): RunningReplica | undefined {
    return this.replicas.get(address);
  }

  /** The process of that name, if one lives. */
  processOf(name: string): SimProcess | undefined {
    return (
      this.replicas.get(name)?.process ??
      this.#starting.get(name) ??
      this.managers.get(name)?.process
    );
  }

  machineOf(name: string): MachineClock {
    let machine = this.#machines.get(name);
    if (machine === undefined) {
      const { config, prng } = this.#parts;
      const own = prng.fork(`machine ${name}`);
      const offsetMs = own.nextInt(2 * config.skewMs + 1) - config.skewMs;
      machine = { offsetMs, driftPpm: (own.nextInt(3) - 1) * config.driftPpm };
      this.#machines.set(name, machine);
    }
    return machine;
  }

  newProcess(name: string): SimProcess {
    this.#lives += 1;
    let owner = this.#owners.get(name);
    if (owner === undefined) this.#owners.set(name, (owner = this.#owners.size + 1));
    const { loop, prng } = this.#parts;
    const machine = this.machineOf(name);
    return new SimProcess({
      name,
      id: `${name}-${this.#lives}`,
      owner,
      loop,
      machine,
      prng: prng.fork(`${name} ${this.#lives}`),
    });
  }

  engineOf(process: SimProcess): SimEngine {
    const { loop, store, config, trouble, network } = this.#parts;
    return new SimEngine({
      loop,
      store,
      process,
      prng: process.prng.fork("engine"),
      settings: config.engine,
      trouble,
      isReachable: () => !network.isCut(process.name, "store"),
    });
  }

  /** As `kill -9`; of no effect on who is not there. */
  kill(name: string): void {
    this.processOf(name)?.kill();
    this.#starting.delete(name);
    this.managers.delete(name);
    this.replicas.delete(name);
  }

  /** Starts whoever is not there. */
  restart(name: string): void {
    const isKnown = this.addresses.includes(name) || this.managerNames.includes(name);
    if (this.#parts.config.system === "direct" || !isKnown || this.processOf(name) !== undefined)
      return;
    if (name.startsWith("m")) this.startManager(name);
    else this.startReplica(name);
  }

  startReplica(address: string): void {
    const process = this.newProcess(address);
    this.#starting.set(address, process);
    this.#parts.loop.say(() => `${address} starts`);
    void this.#openReplica(process);
  }

  async #openReplica(process: SimProcess): Promise<void> {
    const { name: address } = process;
    const { config, loop, freshness, onViolation } = this.#parts;
    const isSole = config.managers === 0;
    const floor = freshness.floor();
    let replica: Replica;
    try {
      replica = await createReplica({
        storage: this.engineOf(process),
        clock: process,
        prng: process.prng.fork("replica"),
        deferRecovery: !isSole,
        settings: { ...config.settings, storageGc: isSole ? "sole-replica" : "off" },
        onIncident: ({ kind, message }) => {
          loop.say(() => `${address} ${kind}: ${message}`);
        },
      });
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      // Whoever supervises it starts it again.
      process.schedule(retryRecoveryUs, () => {
        void this.#openReplica(process);
      });
      return;
    }
    const watched = freshness.watch(replica, process.id, floor);
    const member = isSole ? undefined : this.#memberOf(process, watched);
    this.#starting.delete(address);
    this.replicas.set(address, {
      process,
      replica: watched,
      member,
      onBug: (error) => {
        onViolation(`a command of ${address} threw: ${String(error)}`);
      },
    });
    void member?.join();
  }

  #memberOf(process: SimProcess, replica: WatchedReplica): ReplicaMember {
    const { config, loop } = this.#parts;
    const { multicastMs, deadAfterMs, maxBatch, maxKept } = config.cluster;
    return new ReplicaMember({
      id: process.id,
      address: process.name,
      peers: replica.peers,
      clock: process,
      transport: this.#transportOf(process),
      settings: { seeds: this.addresses, multicastMs, deadAfterMs, maxBatch, maxKept },
      onEvent: ({ kind, message }) => {
        if (kind === "rejoining") replica.joinsAgain();
        loop.say(() => `${process.name} ${kind}: ${message}`);
      },
    });
  }

  startManager(name: string): void {
    const { config, loop } = this.#parts;
    const process = this.newProcess(name);
    const { outcomeRetentionMs, transactionTimeoutMs, gcIntervalMs, gcBatch, orphanSweepMs } =
      config.settings;
    const settings: Partial<ManagerSettings> = {
      ...config.cluster,
      outcomeRetentionMs,
      transactionTimeoutMs,
      gcIntervalMs,
      gcBatch,
      orphanSweepMs,
      seeds: this.addresses,
      replicas: config.replicas,
    };
    const { id } = process;
    const manager = new FaultManager({
      id,
      clock: process,
      transport: this.#transportOf(process),
      engine: this.engineOf(process),
      names: this.names,
      settings,
      launcher: this.#launcherOf(process),
      onEvent: (event) => {
        loop.say(() => `${name} ${JSON.stringify(event, plainError)}`);
      },
    });
    this.managers.set(name, { id, process, manager });
    void manager.start();
  }

  #launcherOf(process: SimProcess): Launcher {
    return {
      launch: () => {
        const free = this.addresses.find((address) => this.processOf(address) === undefined);
        if (free === undefined)
          return Promise.reject(new NothingToLaunchError("every address is taken"));
        process.later({ kind: "fault", delayUs: launchUs, digest: 0 }, () => {
          this.restart(free);
        });
        return Promise.resolve();
      },
    };
  }

  #transportOf(process: SimProcess): ReturnType<typeof createSimTransport> {
    const { config, network } = this.#parts;
    return createSimTransport({
      process,
      network,
      servingAt: (address) => this.replicas.get(address),
      timeoutUs: Math.max(100, Math.ceil(config.cluster.deadAfterMs / 3)) * 1_000,
      asText: config.peersAsText,
    });
  }
}

function numbered(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_unused, index) => `${letter}${index + 1}`);
}

function plainError(_name: string, value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}
