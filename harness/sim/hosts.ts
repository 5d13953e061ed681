/** @module Where functions run: hosts with the production client, over simulated connections. */
import { delay } from "#kit/clock.ts";
import type { Prng } from "#kit/prng.ts";
import { createClusterSystem } from "#shim/aft/client/cluster.ts";
import { createAftSystem } from "#shim/aft/client/one-replica.ts";
import type { Connections } from "#shim/aft/client/port.ts";
import { ReplicaRouter } from "#shim/aft/client/router.ts";
import { createDirectSystem } from "#shim/direct/direct-system.ts";
import type { StateSystem } from "#shim/state/port.ts";
import type { FunctionHost } from "./attempt.ts";
import type { SimCluster } from "./cluster.ts";
import { functionHosts, type SimConfig } from "./config.ts";
import { SimPool } from "./connection.ts";
import type { SimNetwork } from "./network.ts";
import type { SimProcess } from "./process.ts";

const retryUs = 100_000;
const refreshMs = 1_000;

export class FunctionHosts {
  readonly hosts: FunctionHost[] = [];
  readonly #config: SimConfig;
  readonly #cluster: SimCluster;
  readonly #network: SimNetwork;
  /** Open pools, by the address they lead to. */
  readonly #pools: { readonly address: string; readonly pool: SimPool }[] = [];
  #opened = 0;

  constructor(options: { config: SimConfig; cluster: SimCluster; network: SimNetwork }) {
    this.#config = options.config;
    this.#cluster = options.cluster;
    this.#network = options.network;
  }

  /** Resolves when all of them have found a replica. */
  async open(): Promise<void> {
    await Promise.all(
      Array.from({ length: functionHosts }, async (_unused, index) => {
        const process = this.#cluster.newProcess(`f${index + 1}`);
        this.hosts.push({ process, system: await this.#openSystem(process) });
      }),
    );
    // In the order of their names, whoever was first.
    this.hosts.sort((a, b) => (a.process.name < b.process.name ? -1 : 1));
  }

  /** Breaks all connections to an address. */
  reset(address: string): void {
    for (const one of this.#pools) if (one.address === address) one.pool.reset();
  }

  async close(): Promise<void> {
    for (const { system } of this.hosts) await system.close();
  }

  async #openSystem(process: SimProcess): Promise<StateSystem> {
    const prng = process.prng.fork("client");
    if (this.#config.system === "direct")
      return createDirectSystem({ engine: this.#cluster.engineOf(process), clock: process, prng });
    for (;;) {
      try {
        return await this.#connect(process, prng);
      } catch {
        // Nobody serves yet.
        await delay(process, retryUs);
      }
    }
  }

  async #connect(process: SimProcess, prng: Prng): Promise<StateSystem> {
    const { managers, exactlyOnce, maxRidingWrites } = this.#config;
    const shared = { maxRidingWrites, clock: process, prng };
    const open = (address: string): Promise<Connections> => this.#openPool(process, address);
    if (managers === 0)
      return createAftSystem({ ...shared, connections: await open("r1"), exactlyOnce });
    const router = await ReplicaRouter.open({
      seeds: this.#cluster.addresses,
      connection: {},
      spreading: "round-robin",
      refreshMs,
      clock: process,
      open,
    });
    return createClusterSystem({ ...shared, router });
  }

  async #openPool(process: SimProcess, address: string): Promise<Connections> {
    const { connections, clientTimeoutMs, lateAnswers } = this.#config;
    this.#opened += 1;
    const pool = await SimPool.open({
      wiring: { network: this.#network, servingAt: (name) => this.#cluster.servingAt(name) },
      host: process,
      address,
      timeoutUs: clientTimeoutMs * 1_000,
      prng: process.prng.fork(`pool ${this.#opened}`),
      connections,
      lateAnswers,
    });
    this.#pools.push({ address, pool });
    return pool;
  }
}
