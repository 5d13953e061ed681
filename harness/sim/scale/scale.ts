/**
 * @module A cluster of many replicas under virtual time, to see what limits its throughput: the production
 * replicas, members and fault manager, with latencies of cloud services as in real runs and CPU costs
 * measured on a real machine (`costs.ts`). Nothing fails here; the same configuration gives the same events.
 */
import { createPrng } from "#kit/prng.ts";
import { FaultManager } from "#shim/aft/cluster/manager.ts";
import { ReplicaMember } from "#shim/aft/cluster/replica-member.ts";
import { createNames } from "#shim/aft/protocol/names.ts";
import { defaultReplicaSettings } from "#shim/aft/replica/options.ts";
import type { Replica } from "#shim/aft/replica/port.ts";
import { createReplica } from "#shim/aft/replica/replica.ts";
import { emulated } from "#shim/storage/emulated/engine.ts";
import { type EmulationProfileName, emulationProfiles } from "#shim/storage/emulated/profiles.ts";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import type { StorageEngine } from "#shim/storage/port.ts";
import { createPaperWorkload } from "#workloads/mixes/paper.ts";
import type { Workload } from "#workloads/port.ts";
import { SimLoop } from "../loop.ts";
import { SimNetwork } from "../network.ts";
import { SimProcess } from "../process.ts";
import { Trace } from "../trace.ts";
import { Cores, type Executor } from "./cores.ts";
import type { ScaleCosts } from "./costs.ts";
import { ScaleLoad } from "./load.ts";
import { createScaleTransport, noTraffic, type Peer, type PeerTraffic } from "./peers.ts";
import { Relay, replicasOfARelay } from "./relays.ts";
import { SharedReports } from "./shared-reports.ts";

export interface ScaleConfig {
  readonly seed: number;
  readonly replicas: number;
  readonly clientsPerReplica: number;
  readonly emulation: EmulationProfileName;
  readonly zipfTheta: number;
  readonly keys: number;
  /** How commits spread; `relays` is tried here only. */
  readonly multicast: "all-to-all" | "relays";
  /** Cores that everything shares, functions and store included; absent: each process has its own machine. */
  readonly sharedCores?: number;
  /** Of virtual time: until measuring begins, and while it goes on. */
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** One way between machines. */
  readonly networkUs: number;
  readonly costs: ScaleCosts;
}

export interface ScaleResult {
  readonly replicas: number;
  readonly clients: number;
  readonly multicast: ScaleConfig["multicast"];
  readonly throughputPerSecond: number;
  readonly responseTimeMs: { readonly mean: number; readonly p50: number; readonly p99: number };
  readonly aborted: number;
  /** Shares of a core, while measuring. */
  readonly cpu: {
    readonly replicaMean: number;
    readonly replicaMax: number;
    /** Of a replica's: exchanges with peers. */
    readonly replicaPeers: number;
    readonly manager: number;
    readonly relayMax: number;
    readonly all: number;
  };
  /** A second, by all. */
  readonly peers: { readonly messages: number; readonly records: number; readonly bytes: number };
  /** From commit until another replica has taken it over; of those it takes over at all. */
  readonly heardAfterMs: { readonly mean: number; readonly max: number };
  readonly knownTransactionsPerReplica: number;
  readonly readsFromCache: number;
  readonly events: number;
  readonly virtualMs: number;
  readonly traceHash: string;
}

const roundMs = 1_000;
const fillBatch = 10;
const valueBytes = 64;
/** The members have found each other before there is load. */
const joinMs = 3_000;

/** CPU so far, in microseconds, process by process. */
interface Busy {
  readonly replicas: readonly number[];
  readonly managers: readonly number[];
  readonly relays: readonly number[];
}

interface Node extends Peer {
  readonly replica: Replica;
}

export async function simulateScale(config: ScaleConfig): Promise<ScaleResult> {
  return new ScaleRun(config).run();
}

class ScaleRun {
  readonly #config: ScaleConfig;
  readonly #loop = new SimLoop({ trace: new Trace() });
  readonly #network: SimNetwork;
  readonly #cores: Cores;
  readonly #store: StorageEngine = createMemoryEngine();
  readonly #prng;
  readonly #workload: Workload;
  readonly #nodes = new Map<string, Node>();
  readonly #managers: Peer[] = [];
  readonly #relays: Executor[] = [];
  readonly #traffic: PeerTraffic = noTraffic();
  readonly #reports = new SharedReports();
  #owners = 0;
  #heard = { count: 0, sumMs: 0, maxMs: 0 };

  constructor(config: ScaleConfig) {
    this.#config = config;
    this.#prng = createPrng(config.seed).fork("scale");
    const { networkUs } = config;
    this.#network = new SimNetwork({
      loop: this.#loop,
      prng: this.#prng.fork("network"),
      link: { baseUs: networkUs * 0.8, jitterUs: networkUs * 0.2 },
    });
    this.#cores = new Cores(this.#loop, config.sharedCores ?? Infinity);
    this.#workload = createPaperWorkload(
      {
        functions: 2,
        readsPerFunction: 2,
        writesPerFunction: 1,
        keyCount: config.keys,
        zipfTheta: config.zipfTheta,
        valueBytes,
      },
      config.seed,
    );
  }

  async run(): Promise<ScaleResult> {
    const [config, loop] = [this.#config, this.#loop];
    await this.#fill();
    for (let index = 1; index <= config.replicas; index += 1) await this.#startReplica(`r${index}`);
    if (config.multicast === "relays") this.#connectByRelays();
    else this.#connectToEachOther();
    await loop.run(joinMs * 1_000);
    const load = this.#startLoad();
    await loop.run((joinMs + config.warmUpMs) * 1_000);
    const before = this.#busy();
    const traffic = { ...this.#traffic };
    this.#heard = { count: 0, sumMs: 0, maxMs: 0 };
    load.isCounting = true;
    await loop.run((joinMs + config.warmUpMs + config.measuredMs) * 1_000);
    load.isCounting = false;
    const result = this.#describe(load, before, traffic);
    loop.clear();
    return result;
  }

  /** All keys, before anybody starts; costs no virtual time. */
  async #fill(): Promise<void> {
    const process = this.#newProcess("fill");
    const replica = await createReplica({
      storage: this.#store,
      clock: process,
      prng: process.prng,
      settings: { storageGc: "off", orphanSweepMs: 0 },
    });
    const keys = [...this.#workload.keys()];
    for (let start = 0; start < keys.length; start += fillBatch) {
      const begun = replica.begin({ requestId: `fill-${start}` });
      if (begun.kind !== "begun") throw new Error(begun.message);
      const { transactionId } = begun;
      for (const [sequence, key] of keys.slice(start, start + fillBatch).entries())
        await replica.put({ transactionId, key, value: Buffer.from("v"), sequence });
      const committing = Promise.resolve(replica.commit({ transactionId }));
      await this.#loop.run(this.#loop.nowUs + 100);
      await committing;
    }
    process.kill();
  }

  async #startReplica(address: string): Promise<void> {
    const { emulation } = this.#config;
    const process = this.#newProcess(address);
    const worker = this.#cores.worker(process.owner);
    const engine = emulated({
      engine: this.#store,
      profile: emulationProfiles[emulation],
      clock: process,
      prng: process.prng.fork("emulation"),
    });
    const replica = await createReplica({
      storage: engine,
      clock: process,
      prng: process.prng.fork("replica"),
      deferRecovery: true,
      settings: { ...defaultReplicaSettings, storageGc: "off", orphanSweepMs: 0 },
    });
    this.#watchHearing(process, replica);
    this.#nodes.set(address, { process, worker, replica, endpoint: undefined });
  }

  /** How late replicas hear of what others commit. */
  #watchHearing(process: SimProcess, { peers }: Replica): void {
    const merge = peers.merge.bind(peers);
    peers.merge = (records) => {
      const news = merge(records);
      if (news > 0)
        for (const { id } of records.slice(0, news)) {
          const lateMs = process.nowMs() - id.timestampUs / 1_000;
          this.#heard.count += 1;
          this.#heard.sumMs += lateMs;
          this.#heard.maxMs = Math.max(this.#heard.maxMs, lateMs);
        }
      return news;
    };
  }

  #connectToEachOther(): void {
    const seeds = [...this.#nodes.keys()].slice(0, 3);
    for (const [address, node] of this.#nodes) {
      const member = new ReplicaMember({
        id: `${address}-1`,
        address,
        peers: node.replica.peers,
        clock: node.process,
        transport: this.#transportOf(node, false),
        settings: { seeds, multicastMs: roundMs },
      });
      this.#nodes.set(address, { ...node, endpoint: member });
      // Not all at the same instant.
      node.process.schedule(this.#prng.nextInt(roundMs * 1_000), () => void member.join());
    }
    const process = this.#newProcess("m1");
    const worker = this.#cores.worker(process.owner);
    const self = { process, worker };
    this.#managers.push({ ...self, endpoint: undefined });
    const manager = new FaultManager({
      id: "m1-1",
      clock: process,
      transport: this.#transportOf(self, true),
      engine: emulated({
        engine: this.#store,
        profile: emulationProfiles[this.#config.emulation],
        clock: process,
        prng: process.prng.fork("emulation"),
      }),
      names: createNames(defaultReplicaSettings.namespace),
      settings: { seeds, multicastMs: roundMs, orphanSweepMs: 0 },
    });
    void manager.start();
  }

  #connectByRelays(): void {
    const nodes = [...this.#nodes.values()];
    const relays: Relay[] = [];
    for (let start = 0; start < nodes.length; start += replicasOfARelay) {
      const process = this.#newProcess(`relay${relays.length + 1}`);
      const worker = this.#cores.worker(process.owner);
      this.#relays.push(worker);
      const relay = new Relay({
        process,
        worker,
        network: this.#network,
        costs: this.#config.costs,
        traffic: this.#traffic,
        roundUs: roundMs * 1_000,
      });
      for (const node of nodes.slice(start, start + replicasOfARelay)) {
        relay.add(node);
        void node.replica.peers.rescan();
      }
      relays.push(relay);
    }
    for (const relay of relays) relay.start(relays);
  }

  #transportOf(self: Omit<Peer, "endpoint">, isManager: boolean) {
    return createScaleTransport({
      self,
      network: this.#network,
      peerAt: (address) => this.#nodes.get(address),
      costs: this.#config.costs,
      timeoutUs: 1_000_000,
      traffic: this.#traffic,
      reports: this.#reports,
      isManager,
    });
  }

  #startLoad(): ScaleLoad {
    const { replicas, clientsPerReplica, costs, sharedCores } = this.#config;
    const isShared = sharedCores !== undefined;
    const load = new ScaleLoad({
      loop: this.#loop,
      network: this.#network,
      prng: this.#prng.fork("load"),
      costs,
      workload: this.#workload,
      clients: replicas * clientsPerReplica,
      targets: [...this.#nodes.values()].map(({ worker, replica, process }) => ({
        worker,
        replica,
        nowMs: () => process.nowMs(),
      })),
      host: isShared ? this.#cores.worker(0) : undefined,
      store: isShared ? this.#cores.worker(0) : undefined,
    });
    load.start();
    return load;
  }

  #busy(): Busy {
    return {
      replicas: [...this.#nodes.values()].map(({ worker }) => worker.busyUs),
      managers: this.#managers.map(({ worker }) => worker.busyUs),
      relays: this.#relays.map(({ busyUs }) => busyUs),
    };
  }

  #describe(load: ScaleLoad, before: Busy, traffic: PeerTraffic): ScaleResult {
    const { replicas, clientsPerReplica, measuredMs, multicast, costs } = this.#config;
    const measuredUs = measuredMs * 1_000;
    const after = this.#busy();
    const shares = (kind: keyof typeof after): number[] =>
      after[kind].map((us, index) => (us - (before[kind][index] ?? 0)) / measuredUs);
    const perSecond = (count: number): number => Math.round((count * 1_000) / measuredMs);
    const sorted = load.responsesUs.toSorted((a, b) => a - b);
    const at = (share: number): number =>
      ms(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
    const own = shares("replicas");
    const mean = sum(own) / own.length;
    const committedEach = load.responsesUs.length / replicas;
    const stats = [...this.#nodes.values()].map(({ replica }) => replica.stats());
    return {
      replicas,
      clients: replicas * clientsPerReplica,
      multicast,
      throughputPerSecond: perSecond(load.responsesUs.length),
      responseTimeMs: {
        mean: ms(sum(sorted) / Math.max(1, sorted.length)),
        p50: at(0.5),
        p99: at(0.99),
      },
      aborted: load.aborted,
      cpu: {
        replicaMean: round(mean),
        replicaMax: round(Math.max(...own)),
        replicaPeers: round(Math.max(0, mean - (committedEach * costs.replicaUs) / measuredUs)),
        manager: round(Math.max(0, ...shares("managers"))),
        relayMax: round(Math.max(0, ...shares("relays"))),
        all: round(sum(own) + sum(shares("managers")) + sum(shares("relays"))),
      },
      peers: {
        messages: perSecond(this.#traffic.messages - traffic.messages),
        records: perSecond(this.#traffic.records - traffic.records),
        bytes: perSecond(this.#traffic.bytes - traffic.bytes),
      },
      heardAfterMs: {
        mean: Math.round(this.#heard.sumMs / Math.max(1, this.#heard.count)),
        max: Math.round(this.#heard.maxMs),
      },
      knownTransactionsPerReplica: Math.round(
        sum(stats.map(({ knownTransactions }) => knownTransactions)) / stats.length,
      ),
      readsFromCache: round(
        sum(stats.map(({ cacheHitsTotal }) => cacheHitsTotal)) /
          Math.max(1, sum(stats.map(({ readsTotal }) => readsTotal))),
      ),
      events: this.#loop.events,
      virtualMs: Math.round(this.#loop.nowUs / 1_000),
      traceHash: this.#loop.trace.hash,
    };
  }

  #newProcess(name: string): SimProcess {
    this.#owners += 1;
    return new SimProcess({
      name,
      owner: this.#owners,
      loop: this.#loop,
      machine: { offsetMs: 0, driftPpm: 0 },
      prng: this.#prng.fork(name),
    });
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function ms(us: number): number {
  return Math.round(us / 10) / 100;
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
