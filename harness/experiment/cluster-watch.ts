/**
 * @module What happened to the processes of a cluster while its cell ran, on the requests' time axis.
 *
 * A replacement counts as serving when a transaction has committed through it, not when it says so:
 * every replica that starts during the watch is tried at once.
 */
import type { Clock } from "#kit/clock.ts";
import type { CollectionSample, SystemEvent } from "#harness/record/measurements.ts";
import type { ClusterEvent } from "#harness/services/aft-cluster.ts";
import { openStateSystem } from "#shim/state/registry.ts";
import type { RunningCluster } from "./systems.ts";

/** Between two looks at what is new. */
const lookMs = 50;
const sampleUs = 1_000_000;
/** A probe that fails is tried again, so often. */
const probeAttempts = 100;

/** Words of the process table, as the record has them. */
const kinds: Readonly<Record<string, string>> = {
  SIGKILL: "kill",
  SIGSTOP: "pause",
  SIGCONT: "resume",
};

export class ClusterWatch {
  readonly #cluster: RunningCluster;
  readonly #clock: Clock;
  readonly #names = new Map<string, string>();
  readonly #events: SystemEvent[] = [];
  readonly #samples: CollectionSample[] = [];
  readonly #probes: Promise<void>[] = [];
  readonly #timer: NodeJS.Timeout;
  #seen = 0;
  #sampledUs = -Infinity;
  #stopped = false;

  constructor(cluster: RunningCluster, clock: Clock) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#seen = cluster.processes.events.length;
    for (const { name, endpoint } of cluster.processes.processes()) this.#names.set(endpoint, name);
    this.#timer = setInterval(() => {
      this.#look();
    }, lookMs);
    this.#timer.unref();
  }

  async stop(): Promise<{
    readonly events: readonly SystemEvent[];
    readonly collection: readonly CollectionSample[];
  }> {
    this.#look();
    this.#stopped = true;
    clearInterval(this.#timer);
    await Promise.all(this.#probes);
    const events = this.#events.toSorted((a, b) => a.atUs - b.atUs);
    return { events, collection: this.#samples };
  }

  #look(): void {
    const { events } = this.#cluster.processes;
    for (; this.#seen < events.length; this.#seen += 1) {
      const event = events[this.#seen];
      if (event !== undefined) this.#take(event);
    }
    this.#sample();
  }

  #take({ atMs, kind, detail }: ClusterEvent): void {
    const endpoint = textOf(detail["endpoint"]);
    if (kind === "started") {
      this.#names.set(endpoint, textOf(detail["name"]));
      if (endpoint !== "") this.#probes.push(this.#probe(endpoint));
    }
    this.#events.push({
      atUs: this.#monotonicUs(atMs),
      kind: kinds[kind] ?? kind,
      who: this.#whoIn(detail),
    });
  }

  /** Members are named by their address and something unique. */
  #whoIn(detail: ClusterEvent["detail"]): string {
    if (detail["name"] !== undefined) return textOf(detail["name"]);
    const id = textOf(detail["id"]) || textOf(detail["replaces"]);
    const address = id.slice(0, Math.max(0, id.lastIndexOf("-")));
    return this.#names.get(address) ?? id;
  }

  async #probe(endpoint: string): Promise<void> {
    for (let attempt = 0; attempt < probeAttempts && !this.#stopped; attempt += 1) {
      try {
        const system = await openStateSystem({ system: "aft", options: { endpoint } });
        try {
          const session = system.begin({ requestId: `probe-${endpoint}` });
          await session.put(`probe-${endpoint}`, Buffer.from("serving"));
          const outcome = await session.commit();
          if (outcome.kind !== "committed") continue;
          const atUs = this.#clock.monotonicUs();
          const who = this.#names.get(endpoint) ?? endpoint;
          this.#events.push({ atUs, kind: "serving", who });
          return;
        } finally {
          await system.close();
        }
      } catch {
        // Not there yet, or gone again: the events say which.
        await new Promise((resolve) => {
          setTimeout(resolve, lookMs);
        });
      }
    }
  }

  #sample(): void {
    const atUs = this.#clock.monotonicUs();
    if (atUs - this.#sampledUs < sampleUs) return;
    const figures = this.#cluster.processes.figures();
    if (figures === undefined) return;
    this.#sampledUs = atUs;
    this.#samples.push({
      atUs,
      collectedTotal: Number(figures["collectedTotal"]),
      waiting: Number(figures["waitingForCollection"]),
      knownTransactions: Number(figures["knownTransactions"]),
    });
  }

  #monotonicUs(atMs: number): number {
    return Math.round(this.#clock.monotonicUs() - (this.#clock.nowMs() - atMs) * 1_000);
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
