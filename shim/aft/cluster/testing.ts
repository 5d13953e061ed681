/**
 * @module For tests: replicas and managers over one memory store and one manual clock, joined by a
 * network that loses, repeats, delays, reorders and partitions. Messages travel as text.
 */
import { type Prng, createPrng } from "#kit/prng.ts";
import { createManualClock, type ManualClock } from "#kit/testing/manual-clock.ts";
import { type Clock, delay, type Timer } from "#kit/clock.ts";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import type { StorageEngine } from "#shim/storage/port.ts";
import { createNames } from "../protocol/names.ts";
import type { ReplicaSettings } from "../replica/options.ts";
import type { Replica } from "../replica/port.ts";
import { createReplica } from "../replica/replica.ts";
import { put, show } from "../replica/testing.ts";
import { decodeAnswer, decodeMessage, encodePeer } from "./codec.ts";
import { FaultManager, type ManagerEvent, type ManagerSettings } from "./manager.ts";
import type { ClusterSettings, Launcher, PeerEndpoint, Transport } from "./port.ts";
import { ReplicaMember } from "./replica-member.ts";

export interface NetworkFaults {
  /** Shares of messages, each way. */
  lose: number;
  repeat: number;
  /** Longest delay of a message. */
  delayMs: number;
  /** Links that carry nothing, as "from>to" in addresses; "m:" addresses are managers. */
  readonly cut: Set<string>;
}

const answerWithinMs = 1_000;

export class TestNetwork {
  readonly faults: NetworkFaults = { lose: 0, repeat: 0, delayMs: 0, cut: new Set() };
  readonly endpoints = new Map<string, PeerEndpoint>();
  /** Processes that are stopped: they neither hear nor speak. */
  readonly stopped = new Set<string>();
  readonly #clock: ManualClock;
  readonly #prng: Prng;
  asked = 0;

  constructor(clock: ManualClock, prng: Prng) {
    this.#clock = clock;
    this.#prng = prng;
  }

  transportOf(own: string): Transport {
    return {
      ask: async (address, message) => {
        this.asked += 1;
        const text = encodePeer(message);
        const deadline = delay(this.#clock, answerWithinMs * 1_000).then(() => {
          throw new Error("no answer in time");
        });
        const asking = this.#carry(own, address, () => {
          const endpoint = this.endpoints.get(address);
          if (endpoint === undefined) throw new Error("connection refused");
          const answer = encodePeer(endpoint.handle(decodeMessage(text)));
          if (this.#chance(this.faults.repeat)) endpoint.handle(decodeMessage(text));
          return answer;
        }).then((answer) => this.#carry(address, own, () => answer));
        return decodeAnswer(await Promise.race([asking, deadline]));
      },
    };
  }

  async #carry(from: string, to: string, arrive: () => string): Promise<string> {
    const never = new Promise<never>(() => {});
    const { lose, delayMs, cut } = this.faults;
    if (this.stopped.has(from) || cut.has(`${from}>${to}`) || this.#chance(lose)) return never;
    if (delayMs > 0) await delay(this.#clock, this.#prng.nextInt(delayMs * 1_000 + 1));
    if (this.stopped.has(to)) return never;
    return arrive();
  }

  #chance(share: number): boolean {
    return share > 0 && this.#prng.next() < share;
  }
}

/** The clock of a process that can be stopped: its timers then come late, all together. */
class ProcessClock implements Clock {
  readonly #clock: Clock;
  #stopped = false;
  #late: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  monotonicUs(): number {
    return this.#clock.monotonicUs();
  }

  schedule(delayUs: number, task: () => void): Timer {
    return this.#clock.schedule(delayUs, () => {
      this.#run(task);
    });
  }

  defer(task: () => void): void {
    this.#clock.defer(() => {
      this.#run(task);
    });
  }

  stop(): void {
    this.#stopped = true;
  }

  continue(): void {
    this.#stopped = false;
    const late = this.#late;
    this.#late = [];
    for (const task of late) task();
  }

  #run(task: () => void): void {
    if (this.#stopped) this.#late.push(task);
    else task();
  }
}

/** The same store with some calls replaced. */
export function withCalls(inner: StorageEngine, calls: Partial<StorageEngine>): StorageEngine {
  return {
    name: inner.name,
    capabilities: inner.capabilities,
    get: (name) => inner.get(name),
    multiGet: (names) => inner.multiGet(names),
    put: (name, value) => inner.put(name, value),
    multiPut: (entries) => inner.multiPut(entries),
    putIfAbsent: (name, value) => inner.putIfAbsent(name, value),
    putSealed: (groups) => inner.putSealed(groups),
    delete: (name) => inner.delete(name),
    multiDelete: (names) => inner.multiDelete(names),
    list: (prefix, options) => inner.list(prefix, options),
    close: () => inner.close(),
    ...calls,
  };
}

export interface TestMember {
  readonly address: string;
  readonly replica: Replica;
  readonly member: ReplicaMember;
  /** One transaction; its id. Throws unless it commits. */
  readonly write: (values: Readonly<Record<string, string>>) => Promise<string>;
  readonly peek: (key: string) => Promise<string | null>;
  /** As `kill -9`. */
  readonly kill: () => void;
}

export class TestCluster {
  readonly clock = createManualClock();
  readonly prng: Prng;
  readonly network: TestNetwork;
  readonly storage: StorageEngine;
  readonly names = createNames("aft");
  readonly events: ManagerEvent[] = [];
  readonly settings: Partial<ClusterSettings>;
  readonly #clocks = new Map<string, ProcessClock>();
  #started = 0;

  constructor(options: {
    seed: number;
    storage?: StorageEngine;
    settings?: Partial<ClusterSettings>;
  }) {
    this.prng = createPrng(options.seed);
    this.network = new TestNetwork(this.clock, this.prng.fork("network"));
    this.storage = options.storage ?? createMemoryEngine();
    this.settings = { seeds: ["r1", "r2", "r3"], ...options.settings };
  }

  /** As SIGSTOP to the process at that address. */
  stop(address: string): void {
    this.#clockOf(address).stop();
    this.network.stopped.add(address);
  }

  /** As SIGCONT. */
  continue(address: string): void {
    this.network.stopped.delete(address);
    this.#clockOf(address).continue();
  }

  #clockOf(address: string): ProcessClock {
    let clock = this.#clocks.get(address);
    if (clock === undefined) this.#clocks.set(address, (clock = new ProcessClock(this.clock)));
    return clock;
  }

  /** Starts a replica; `join` resolves as time goes on. */
  async replica(
    address: string,
    options: { settings?: Partial<ReplicaSettings>; storage?: StorageEngine } = {},
  ): Promise<TestMember> {
    this.#started += 1;
    const id = `${address}-${this.#started}`;
    const replica = await createReplica({
      storage: options.storage ?? this.storage,
      clock: this.#clockOf(address),
      prng: this.prng.fork(id),
      deferRecovery: true,
      settings: { storageGc: "off", orphanSweepMs: 0, ...options.settings },
    });
    const member = new ReplicaMember({
      id,
      address,
      peers: replica.peers,
      clock: this.#clockOf(address),
      transport: this.network.transportOf(address),
      settings: this.settings,
    });
    this.network.endpoints.set(address, member);
    void member.join();
    return {
      address,
      replica,
      member,
      kill: () => {
        member.close();
        if (this.network.endpoints.get(address) === member) this.network.endpoints.delete(address);
      },
      write: async (values) => {
        const begun = replica.begin({ requestId: "w" });
        if (begun.kind !== "begun") throw new Error(begun.message);
        const { transactionId } = begun;
        for (const [name, value] of Object.entries(values))
          await put(replica, transactionId, name, value);
        const answer = await replica.commit({ transactionId });
        if (answer.kind !== "committed") throw new Error(answer.refusal.message);
        // The next one, wherever, is younger.
        await this.clock.advance(1_000);
        return transactionId;
      },
      peek: async (name) => {
        const begun = replica.begin({ requestId: "p" });
        if (begun.kind !== "begun") return `!${begun.code}`;
        const { transactionId } = begun;
        const seen = show(await replica.get({ transactionId, key: name }));
        replica.abort({ transactionId });
        return seen;
      },
    };
  }

  manager(
    options: {
      id?: string;
      settings?: Partial<ManagerSettings>;
      launcher?: Launcher;
      storage?: StorageEngine;
    } = {},
  ): FaultManager {
    const id = options.id ?? "m:1";
    const manager = new FaultManager({
      id,
      clock: this.#clockOf(id),
      transport: this.network.transportOf(id),
      engine: options.storage ?? this.storage,
      names: this.names,
      settings: { ...this.settings, orphanSweepMs: 0, ...options.settings },
      ...(options.launcher !== undefined && { launcher: options.launcher }),
      onEvent: (event) => {
        this.events.push(event);
      },
    });
    void manager.start();
    return manager;
  }

  async seconds(count: number): Promise<void> {
    // In steps, so that what a timer starts is finished before the next one fires.
    for (let step = 0; step < count * 20; step += 1) await this.clock.advance(50_000);
  }

  async storedData(): Promise<string[]> {
    return [...(await this.storage.list(this.names.dataPrefix)).keys];
  }

  async storedRecords(): Promise<string[]> {
    return [...(await this.storage.list(this.names.commitPrefix)).keys];
  }
}
