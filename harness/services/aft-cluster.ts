/**
 * @module A whole AFT cluster of processes: replicas that know each other, fault managers, and what is
 * done to them (kill, stop, go on). Everything ends with `stop`, and with this process.
 */
import { fileURLToPath } from "node:url";
import type { ManagerSettings } from "#shim/aft/cluster/manager.ts";
import type { ClusterSettings } from "#shim/aft/cluster/port.ts";
import type { ReplicaSettings } from "#shim/aft/replica/options.ts";
import type { SecurityConfig } from "#shim/aft/server/access/security.ts";
import { type StorageSpec, withoutSecrets } from "#shim/storage/target.ts";
import { replicaNodeArguments } from "./replica-node.ts";
import { type Child, startModule } from "./child.ts";
import { freePort } from "./free-port.ts";
import type { Service } from "./port.ts";

export interface AftClusterOptions {
  readonly storage: StorageSpec;
  readonly replicas: number;
  readonly managers?: number;
  /** Ports of the first replicas; further ones, and replacements, take any free one. */
  readonly ports?: readonly number[];
  readonly password?: string;
  /** Users, certificates, and how replicas and managers log in at each other; in files. */
  readonly security?: SecurityConfig;
  /** Every process has an HTTP admin port: any free one, or counted from this one on. */
  readonly withAdmin?: boolean | { readonly firstPort: number };
  /** A replacement listens where a replica of the start did, if that is free again. */
  readonly reusePorts?: boolean;
  /** Told each event as it happens. */
  readonly onEvent?: (event: ClusterEvent) => void;
  readonly settings?: Partial<ReplicaSettings>;
  readonly cluster?: Partial<Omit<ClusterSettings, "seeds">>;
  /** Allows `AFT.DEBUG` at its replicas. */
  readonly debug?: boolean;
  readonly manager?: Partial<ManagerSettings>;
  /** Replicas that the managers ask for when one is dead are started. Default: yes. */
  readonly replace?: boolean;
}

export interface ClusterProcess {
  readonly name: string;
  readonly role: "replica" | "manager";
  readonly pid: number;
  /** Of a replica; as the client's endpoint. */
  readonly endpoint: string;
  /** `127.0.0.1:PORT`, with `withAdmin`. */
  readonly adminAddress: string | undefined;
  readonly exited: Promise<void>;
  /** The end of what it wrote to stderr. */
  log(): string;
  /** SIGKILL. */
  kill(): void;
  /** SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
  /** SIGTERM: it finishes what is open and leaves. */
  stop(): Promise<void>;
}

/** Something that happened, by this machine's wall clock. */
export interface ClusterEvent {
  readonly atMs: number;
  readonly kind: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface AftCluster extends Service {
  /** All that were started and have not ended. */
  processes(role?: "replica" | "manager"): readonly ClusterProcess[];
  /** Of the replicas the cluster began with; a client finds the others through them. */
  readonly seeds: readonly string[];
  /** What managers said and what was done to processes, in order. */
  readonly events: readonly ClusterEvent[];
  startReplica(): Promise<ClusterProcess>;
  startManager(): Promise<ClusterProcess>;
  /** Resolves with the first event of that kind after `sinceMs`; rejects after `withinMs`. */
  waitFor(kind: string, options: { sinceMs: number; withinMs: number }): Promise<ClusterEvent>;
  /** The newest figures of the manager that leads; `undefined` before there are any. */
  figures(): Readonly<Record<string, unknown>> | undefined;
}

const replicaPath = fileURLToPath(import.meta.resolve("#shim/aft/server/main.ts"));
const managerPath = fileURLToPath(import.meta.resolve("#shim/aft/server/manager-main.ts"));

/** A child of the suite is killed if it does not end in five seconds: leaving must be quicker. */
const drainMs = 2_000;

/** Rejects with `ServiceStartError`; then nothing is left running. */
export async function startAftCluster(options: AftClusterOptions): Promise<AftCluster> {
  const seeds: string[] = [];
  for (let index = 0; index < options.replicas; index += 1)
    seeds.push(`127.0.0.1:${options.ports?.[index] ?? (await freePort())}`);
  const cluster = new ProcessCluster(options, seeds);
  try {
    await Promise.all(seeds.map((seed) => cluster.startReplicaAt(portOf(seed))));
    for (let index = 0; index < (options.managers ?? 1); index += 1) await cluster.startManager();
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

class ProcessCluster implements AftCluster {
  readonly name = "aft-cluster";
  readonly seeds: readonly string[];
  readonly events: ClusterEvent[] = [];
  readonly #options: AftClusterOptions;
  readonly #running = new Map<ClusterProcess, Child>();
  readonly #starting = new Set<Promise<unknown>>();
  readonly #startingAt = new Set<string>();
  #figures: Readonly<Record<string, unknown>> | undefined;
  #started = 0;
  #stopped = false;

  constructor(options: AftClusterOptions, seeds: readonly string[]) {
    this.#options = options;
    this.seeds = seeds;
  }

  get pids(): readonly number[] {
    return this.processes().map(({ pid }) => pid);
  }

  get description(): Readonly<Record<string, unknown>> {
    const { storage, replicas, managers = 1, settings, cluster, manager } = this.#options;
    return {
      storage: { ...withoutSecrets(storage) },
      replicas,
      managers,
      settings,
      cluster,
      manager,
    };
  }

  processes(role?: "replica" | "manager"): readonly ClusterProcess[] {
    return [...this.#running.keys()].filter((one) => role === undefined || one.role === role);
  }

  figures(): Readonly<Record<string, unknown>> | undefined {
    return this.#figures;
  }

  async startReplica(): Promise<ClusterProcess> {
    return this.startReplicaAt(this.#options.reusePorts === true ? this.#freeSeedPort() : 0);
  }

  async startReplicaAt(port: number): Promise<ClusterProcess> {
    const { storage, settings, cluster, debug, password, security } = this.#options;
    const config = {
      storage,
      listen: { host: "127.0.0.1", port },
      ...(password !== undefined && { password }),
      security,
      adminPort: this.#adminPort(this.seeds.findIndex((seed) => portOf(seed) === port)),
      settings,
      cluster: { drainMs, ...cluster, debug, seeds: this.seeds },
    };
    const at = `127.0.0.1:${port}`;
    this.#startingAt.add(at);
    try {
      return await this.#start("replica", { AFT_REPLICA_CONFIG: JSON.stringify(config) });
    } finally {
      this.#startingAt.delete(at);
    }
  }

  async startManager(): Promise<ClusterProcess> {
    const { storage, settings, cluster, manager, password, security, replicas, replace } =
      this.#options;
    const shared = {
      outcomeRetentionMs: settings?.outcomeRetentionMs,
      transactionTimeoutMs: settings?.transactionTimeoutMs,
    };
    const config = {
      storage,
      ...(password !== undefined && { password }),
      security,
      adminPort: this.#adminPort(replicas + this.processes("manager").length),
      namespace: settings?.namespace,
      settings: { replicas, ...shared, ...cluster, ...manager, seeds: this.seeds },
      launcher: replace === false ? "none" : "parent",
    };
    return this.#start("manager", { AFT_MANAGER_CONFIG: JSON.stringify(config) }, (line) => {
      this.#hear(line);
    });
  }

  /** `index`: counted from the first port; -1: any. */
  #adminPort(index: number): number | undefined {
    const { withAdmin = false } = this.#options;
    if (typeof withAdmin === "boolean") return withAdmin ? 0 : undefined;
    return index < 0 ? 0 : withAdmin.firstPort + index;
  }

  /** Of a replica that has ended; 0 (any) where all are running or about to. */
  #freeSeedPort(): number {
    const taken = new Set([...this.#running.keys()].map(({ endpoint }) => endpoint));
    const free = this.seeds.find((seed) => !taken.has(seed) && !this.#startingAt.has(seed));
    return free === undefined ? 0 : portOf(free);
  }

  async waitFor(
    kind: string,
    options: { sinceMs: number; withinMs: number },
  ): Promise<ClusterEvent> {
    const untilMs = Date.now() + options.withinMs;
    for (;;) {
      const found = this.events.find((e) => e.kind === kind && e.atMs >= options.sinceMs);
      if (found !== undefined) return found;
      if (Date.now() > untilMs) {
        const seen = this.events.map((event) => event.kind).join(", ");
        throw new Error(`no "${kind}" within ${options.withinMs} ms; there was: ${seen}`);
      }
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.allSettled(this.#starting);
    const children = [...this.#running];
    // Managers first: they must not replace what is stopped on purpose.
    for (const role of ["manager", "replica"] as const) {
      const some = children.filter(([one]) => one.role === role);
      await Promise.all(
        some.map(([one, child]) => {
          // A stopped process hears no SIGTERM.
          one.resume();
          return child.stop();
        }),
      );
    }
  }

  async #start(
    role: "replica" | "manager",
    environment: Readonly<Record<string, string>>,
    onLine?: (line: string) => void,
  ): Promise<ClusterProcess> {
    const isReplica = role === "replica";
    // Until it is adopted: whoever waits for those that start, to stop them, must find it then.
    const starting = startModule({
      name: isReplica ? "aft replica" : "aft fault manager",
      modulePath: isReplica ? replicaPath : managerPath,
      nodeArguments: isReplica ? replicaNodeArguments : [],
      environment,
      ...(onLine !== undefined && { onLine }),
    }).then((child) => this.#adopt(role, child));
    this.#starting.add(starting);
    try {
      return await starting;
    } finally {
      this.#starting.delete(starting);
    }
  }

  #adopt(role: "replica" | "manager", child: Child): ClusterProcess {
    const endpoint = role === "replica" ? String(child.ready["address"]) : "";
    this.#started += 1;
    const name = `${role}-${this.#started}`;
    const signal = (kind: NodeJS.Signals) => (): void => {
      if (!this.#running.has(one)) return;
      this.#note(kind, { name, endpoint });
      process.kill(child.pid, kind);
    };
    const one: ClusterProcess = {
      name,
      role,
      pid: child.pid,
      endpoint,
      adminAddress: child.ready["adminAddress"] as string | undefined,
      exited: child.exited,
      log: () => child.errorOutput(),
      kill: signal("SIGKILL"),
      pause: signal("SIGSTOP"),
      resume: signal("SIGCONT"),
      stop: () => child.stop(),
    };
    this.#running.set(one, child);
    this.#note("started", { name, endpoint });
    void child.exited.then(() => {
      this.#running.delete(one);
      this.#note("exited", { name, endpoint });
    });
    return one;
  }

  #hear(line: string): void {
    const said = JSON.parse(line) as Readonly<Record<string, unknown>>;
    const kind = String(said["kind"]);
    if (kind === "stats") {
      if (said["isLeader"] === true) this.#figures = said;
      return;
    }
    this.#keep({ atMs: Number(said["atMs"]), kind, detail: said });
    if (kind !== "launch" || this.#stopped) return;
    this.startReplica().catch((error: unknown) => {
      this.#note("launch_failed", { message: String(error) });
    });
  }

  #note(kind: string, detail: Readonly<Record<string, unknown>>): void {
    this.#keep({ atMs: Date.now(), kind, detail });
  }

  #keep(event: ClusterEvent): void {
    this.events.push(event);
    this.#options.onEvent?.(event);
  }
}

function portOf(endpoint: string): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(":") + 1));
}
