/** @module Makes the faults of a plan happen, and ends all of them when the safety phase is over. */
import type { SimCluster } from "./cluster.ts";
import type { Fault } from "./config.ts";
import { noStorageTrouble, type StorageTrouble } from "./engine.ts";
import type { SimLoop } from "./loop.ts";
import type { SimNetwork } from "./network.ts";
import { digestText } from "./trace.ts";

export interface FaultTargets {
  readonly loop: SimLoop;
  readonly cluster: SimCluster;
  readonly network: SimNetwork;
  readonly storage: StorageTrouble;
  /** Breaks all client connections to an address. */
  readonly reset: (address: string) => void;
}

export class FaultInjector {
  readonly #targets: FaultTargets;
  #over = false;
  readonly #heals = new Set<() => void>();

  constructor(targets: FaultTargets) {
    this.#targets = targets;
  }

  schedule(faults: readonly Fault[]): void {
    const { loop } = this.#targets;
    for (const fault of faults) {
      const digest = digestText(JSON.stringify(fault));
      loop.after(fault.atMs * 1_000 - loop.nowUs, { kind: "fault", owner: 0, digest }, () => {
        if (this.#over) return;
        loop.say(() => `fault ${JSON.stringify(fault)}`);
        this.#begin(fault);
      });
    }
  }

  /** Everything is healed; nothing fails any more. */
  stop(): void {
    this.#over = true;
    for (const heal of this.#heals) heal();
    this.#heals.clear();
    const { cluster } = this.#targets;
    for (const name of [...cluster.addresses, ...cluster.managerNames]) cluster.restart(name);
  }

  #begin(fault: Fault): void {
    const { loop, cluster, network, storage } = this.#targets;
    switch (fault.kind) {
      case "crash":
        cluster.kill(fault.target);
        if (!fault.silent) this.#targets.reset(fault.target);
        // 0: it is left to whoever notices.
        if (fault.restartMs > 0)
          loop.after(fault.restartMs * 1_000, { kind: "fault", owner: 0, digest: 1 }, () => {
            if (!this.#over) cluster.restart(fault.target);
          });
        return;
      case "pause": {
        const process = cluster.processOf(fault.target);
        process?.stop();
        this.#healAfter(fault.forMs, () => {
          process?.continue();
        });
        return;
      }
      case "cut":
        this.#healAfter(fault.forMs, network.cut(fault.from, fault.to));
        return;
      case "network":
        Object.assign(network.trouble, fault.trouble);
        this.#healAfter(fault.forMs, () => {
          Object.assign(network.trouble, { lose: 0, repeat: 0, delayUs: 0 });
        });
        return;
      case "storage":
        Object.assign(storage, fault.trouble);
        this.#healAfter(fault.forMs, () => {
          Object.assign(storage, noStorageTrouble);
        });
        return;
      case "clock":
        cluster.machineOf(fault.target).offsetMs += fault.byMs;
        return;
      case "reset":
        this.#targets.reset(fault.target);
        return;
    }
  }

  #healAfter(forMs: number, heal: () => void): void {
    this.#heals.add(heal);
    this.#targets.loop.after(forMs * 1_000, { kind: "fault", owner: 0, digest: 2 }, () => {
      if (this.#heals.delete(heal)) heal();
    });
  }
}
