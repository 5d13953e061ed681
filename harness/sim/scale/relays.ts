/**
 * @module A change that is tried here and not in the product: commits go through relays instead of from each
 * replica to each other.
 *
 * A relay serves some replicas. Each round a replica tells it what it has committed and is still newest; the
 * relay drops what another of its replicas has written over meanwhile, tells the other relays, and tells each
 * of its replicas what is newest of all. However many replicas there are, a replica hears at most one
 * version of a key a round; the price is two more rounds until it does.
 *
 * Commits, versions and what is superseded are the product's; losses and repair are not modelled.
 */
import { isSuperseded } from "#shim/aft/protocol/superseded.ts";
import type { CommitRecord } from "#shim/aft/protocol/types.ts";
import { VersionIndex } from "#shim/aft/protocol/version-index.ts";
import type { Replica } from "#shim/aft/replica/port.ts";
import type { SimNetwork } from "../network.ts";
import type { SimProcess } from "../process.ts";
import type { Executor } from "./cores.ts";
import type { ScaleCosts } from "./costs.ts";
import type { PeerTraffic } from "./peers.ts";

/** Replicas of one relay. */
export const replicasOfARelay = 32;

export interface Relayed {
  readonly process: SimProcess;
  readonly worker: Executor;
  readonly replica: Replica;
}

interface RelayOptions {
  readonly process: SimProcess;
  readonly worker: Executor;
  readonly network: SimNetwork;
  readonly costs: ScaleCosts;
  readonly traffic: PeerTraffic;
  readonly roundUs: number;
}

interface Receiver {
  readonly name: string;
  readonly worker: Executor;
  readonly hear: (records: readonly CommitRecord[]) => void;
}

export class Relay {
  readonly #options: RelayOptions;
  readonly #index = new VersionIndex();
  /** Heard from its replicas, and from other relays, since the last round. */
  #fromReplicas: CommitRecord[] = [];
  #fromRelays: CommitRecord[] = [];
  readonly #replicas: Receiver[] = [];
  #others: readonly Relay[] = [];

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** Serves a replica: takes what it commits, tells it what others do. */
  add({ process, worker, replica }: Relayed): void {
    const { peers } = replica;
    let said: CommitRecord[] = [];
    peers.onCommit = (record) => {
      said.push(record);
    };
    this.#replicas.push({
      name: process.name,
      worker,
      hear: (records) => {
        peers.merge(records);
      },
    });
    const self: Receiver = {
      name: this.#options.process.name,
      worker: this.#options.worker,
      hear: (records) => {
        this.#fromReplicas.push(...this.#learn(records));
      },
    };
    this.#everyRound(process, () => {
      const records = said.filter((record) => !peers.isSuperseded(record));
      said = [];
      this.#send({ name: process.name, worker }, self, records);
    });
  }

  start(relays: readonly Relay[]): void {
    this.#others = relays.filter((one) => one !== this);
    this.#everyRound(this.#options.process, () => {
      const { process, worker } = this.#options;
      const own = this.#stillNewest(this.#fromReplicas);
      const all = [...own, ...this.#stillNewest(this.#fromRelays)];
      this.#fromReplicas = [];
      this.#fromRelays = [];
      const self = { name: process.name, worker };
      for (const other of this.#others) this.#send(self, other.#asReceiver(), own);
      for (const replica of this.#replicas) this.#send(self, replica, all);
    });
  }

  #asReceiver(): Receiver {
    const { process, worker } = this.#options;
    return {
      name: process.name,
      worker,
      hear: (records) => {
        this.#fromRelays.push(...this.#learn(records));
      },
    };
  }

  /** What was news, and is not superseded. */
  #learn(records: readonly CommitRecord[]): CommitRecord[] {
    return records.filter((record) => {
      if (isSuperseded(record, this.#index)) return false;
      for (const old of this.#index.add(record)) this.#index.remove(old);
      return true;
    });
  }

  #stillNewest(records: readonly CommitRecord[]): CommitRecord[] {
    return records.filter((record) => !isSuperseded(record, this.#index));
  }

  #everyRound(process: SimProcess, act: () => void): void {
    const { roundUs } = this.#options;
    const again = (): void => {
      act();
      process.schedule(roundUs, again);
    };
    // Not all at the same instant.
    process.schedule(process.prng.nextInt(roundUs), again);
  }

  #send(
    from: Pick<Receiver, "name" | "worker">,
    to: Receiver,
    records: readonly CommitRecord[],
  ): void {
    const { network, costs, traffic, process } = this.#options;
    const outUs = costs.messageUs + costs.memberUs + records.length * costs.recordOutUs;
    const inUs = costs.messageUs + costs.memberUs + records.length * costs.recordInUs;
    traffic.messages += 1;
    traffic.members += 1;
    traffic.records += records.length;
    traffic.bytes += costs.memberBytes + records.length * costs.recordBytes;
    traffic.cpuUs += outUs + inUs;
    from.worker.do(outUs, () => {
      const way = { from: from.name, to: to.name, owner: process.owner, digest: records.length };
      network.datagram(way, () => {
        to.worker.do(inUs, () => {
          to.hear(records);
        });
      });
    });
  }
}
