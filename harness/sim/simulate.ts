/**
 * @module One simulation from its configuration: a safety phase in which anything may fail, then a
 * liveness phase in which nothing does, then the verdict. The same configuration gives the same events.
 */
import type { Clock } from "#kit/clock.ts";
import { createPrng } from "#kit/prng.ts";
import type { RecordedTransaction } from "#harness/record/history.ts";
import { createNames } from "#shim/aft/protocol/names.ts";
import type { AttemptEnd } from "./attempt.ts";
import { Clients } from "./clients.ts";
import { SimCluster } from "./cluster.ts";
import { isCalm, type SimConfig } from "./config.ts";
import { noStorageTrouble, type StorageTrouble } from "./engine.ts";
import { FaultInjector } from "./faults.ts";
import { Freshness } from "./freshness.ts";
import { FunctionHosts } from "./hosts.ts";
import { judgeRecords } from "./judge.ts";
import { breathe, SimLoop } from "./loop.ts";
import { SimNetwork } from "./network.ts";
import { Oracle } from "./oracle.ts";
import { missingAt, unsettled } from "./settle.ts";
import { SimStore } from "./store.ts";
import { Trace } from "./trace.ts";

export interface SimResult {
  readonly seed: number;
  /** Sentences; empty when everything held. */
  readonly violations: readonly string[];
  readonly traceHash: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly requests: { readonly done: number; readonly givenUp: number };
  readonly transactions: {
    readonly committed: number;
    readonly aborted: number;
    readonly unknown: number;
  };
  readonly operations: number;
  /** Codes of errors that functions met. */
  readonly errors: Readonly<Record<string, number>>;
}

/** The safety phase ends at the latest after so long. */
const safetyUs = 20_000_000;
const faultsOverMs = 9_000;
/** How often the liveness phase looks whether all is settled. */
const lookUs = 500_000;
const mostViolations = 5;

/** Never rejects for what the simulated system does: whatever that is, is in the result. */
export async function simulate(
  config: SimConfig,
  options: { readonly onLine?: (line: string) => void } = {},
): Promise<SimResult> {
  const simulation = new Simulation(config, options.onLine);
  const onRejection = (error: unknown): void => {
    simulation.violate(`unhandled rejection: ${String(error)}`);
  };
  process.on("unhandledRejection", onRejection);
  // Most errors are expected here, and nobody looks where they were made: that costs more than they do.
  const { stackTraceLimit } = Error;
  if (options.onLine === undefined) Error.stackTraceLimit = 0;
  try {
    return await simulation.run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    process.off("unhandledRejection", onRejection);
  }
}

class Simulation {
  readonly #config: SimConfig;
  readonly #loop: SimLoop;
  readonly #network: SimNetwork;
  readonly #store: SimStore;
  readonly #oracle: Oracle;
  readonly #cluster: SimCluster;
  readonly #hosts: FunctionHosts;
  readonly #clients: Clients;
  readonly #injector: FaultInjector;
  readonly #violations = new Set<string>();

  constructor(config: SimConfig, onLine: ((line: string) => void) | undefined) {
    const prng = createPrng(config.seed).fork("run");
    this.#config = config;
    const ties = config.shuffleTies ? prng.fork("ties") : undefined;
    const loop = new SimLoop({ trace: new Trace(onLine), ties });
    this.#loop = loop;
    const onViolation = (what: string): void => {
      this.violate(what);
    };
    this.#network = new SimNetwork({ loop, prng: prng.fork("network"), link: config.link });
    this.#store = new SimStore({
      nowUs: () => loop.nowUs,
      prng: prng.fork("store"),
      lagUs: config.engine.lagUs,
    });
    const storage: StorageTrouble = { ...noStorageTrouble };
    const names = createNames("aft");
    const watching = { store: this.#store, names, onViolation };
    this.#oracle = new Oracle({ ...watching, isCluster: config.managers > 0 });
    this.#store.watcher = this.#oracle;
    this.#cluster = new SimCluster({
      config,
      loop,
      network: this.#network,
      store: this.#store,
      trouble: storage,
      prng: prng.fork("cluster"),
      names,
      freshness: new Freshness({
        ...watching,
        oracle: this.#oracle,
        isExact: config.engine.lagUs === 0,
      }),
      onViolation,
    });
    const shared = { config, cluster: this.#cluster, network: this.#network };
    this.#hosts = new FunctionHosts(shared);
    this.#clients = new Clients({
      config,
      hosts: this.#hosts.hosts,
      prng: prng.fork("clients"),
      trueClock: trueClock(loop),
      onAnswer: (record, end) => {
        this.#noteAnswer(record, end);
      },
      onBug: (error) => {
        this.violate(`a function met what it must never meet: ${describe(error)}`);
      },
    });
    this.#injector = new FaultInjector({
      loop,
      cluster: this.#cluster,
      network: this.#network,
      storage,
      reset: (address) => {
        this.#hosts.reset(address);
      },
    });
  }

  violate(what: string): void {
    this.#loop.say(() => `VIOLATION ${what}`);
    if (this.#violations.size < mostViolations) this.#violations.add(what);
  }

  async run(): Promise<SimResult> {
    try {
      await this.#safety();
      await this.#liveness();
    } catch (error) {
      this.violate(`the simulation broke off: ${describe(error)}`);
    }
    this.#loop.clear();
    // What nobody handled is reported now, to the seed it belongs to.
    await breathe();
    const { records, errors } = this.#clients;
    this.#holdAgainstStorage();
    const inOrder = !this.#clients.hasOverlaps;
    for (const what of judgeRecords(this.#config, records, inOrder)) this.violate(what);
    const count = (outcome: RecordedTransaction["outcome"]): number =>
      records.filter((one) => one.outcome === outcome).length;
    return {
      seed: this.#config.seed,
      violations: [...this.#violations],
      traceHash: this.#loop.trace.hash,
      events: this.#loop.events,
      virtualMs: Math.round(this.#loop.nowUs / 1_000),
      requests: { done: this.#clients.requestsDone, givenUp: this.#clients.requestsGivenUp },
      transactions: {
        committed: count("committed"),
        aborted: count("aborted"),
        unknown: count("unknown"),
      },
      operations: records.reduce((sum, { operations }) => sum + operations.length, 0),
      errors: Object.fromEntries([...errors].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    };
  }

  async #safety(): Promise<void> {
    const { faults, system } = this.#config;
    if (system === "aft") this.#cluster.start();
    this.#injector.schedule(faults);
    let opened = false;
    void this.#hosts.open().then(() => {
      opened = true;
      this.#clients.start();
    });
    const lastFaultUs = faults.length === 0 ? 0 : faultsOverMs * 1_000;
    await this.#loop.run(
      safetyUs,
      () => opened && this.#clients.areDone && this.#loop.nowUs >= lastFaultUs,
    );
  }

  /** Nothing fails any more: everything must settle within a bound. */
  async #liveness(): Promise<void> {
    this.#loop.say(() => "nothing fails any more");
    this.#injector.stop();
    this.#clients.stop();
    const startUs = this.#loop.nowUs;
    const boundUs = startUs + settleBoundMs(this.#config) * 1_000;
    if (this.#config.system === "direct") {
      await this.#loop.run(boundUs, () => this.#clients.isQuiet);
      return;
    }
    let closed = false;
    for (;;) {
      await this.#loop.run(Math.min(boundUs, this.#loop.nowUs + lookUs));
      if (this.#clients.isQuiet && !closed) {
        closed = true;
        await this.#hosts.close();
      }
      const why = this.#clients.isQuiet ? unsettled(this.#parts()) : "functions are still running";
      const isOver = this.#loop.nowUs >= boundUs;
      // Figures may agree by chance before a late commit is known everywhere; only the bound makes it a fault.
      const missing = why === undefined || isOver ? await this.#missing() : [];
      if (why === undefined && missing.length === 0) return;
      if (!isOver) continue;
      // What readers miss tells more than what is left behind.
      for (const what of missing) this.violate(`visibility: ${what}`);
      this.violate(`liveness: ${why ?? "not everything is visible everywhere"}`);
      return;
    }
  }

  #parts(): Parameters<typeof unsettled>[0] {
    return { cluster: this.#cluster, oracle: this.#oracle, store: this.#store };
  }

  /** What readers do not see yet, at whichever replica. */
  async #missing(): Promise<readonly string[]> {
    const missing: string[] = [];
    let waiting = 0;
    for (const running of this.#cluster.replicas.values()) {
      waiting += 1;
      void missingAt(running, this.#oracle.newest).then((found) => {
        waiting -= 1;
        missing.push(...found);
      });
    }
    await this.#loop.run(this.#loop.nowUs + 10_000_000, () => waiting === 0);
    if (waiting > 0) missing.push("a read was not answered");
    return missing;
  }

  /** An answer must be true when it is given: a commit is durable then (P1, C1). */
  #noteAnswer(record: RecordedTransaction, end: AttemptEnd): void {
    this.#loop.say(
      () =>
        `${record.requestId}#${record.attempt} ${record.transactionId} ${record.outcome}` +
        ` ${record.reason ?? end.kind}`,
    );
    if (this.#config.system === "direct" || end.kind !== "ended") return;
    const { outcome } = end;
    if (outcome.kind !== "committed") return;
    const uuid = outcome.committedBy ?? record.transactionId;
    if (outcome.commitOrder !== undefined && !this.#oracle.committed.has(uuid))
      this.violate(`C1: ${uuid} was answered as committed, and is not in storage`);
  }

  /** What was answered must stay true (P3). */
  #holdAgainstStorage(): void {
    const { system } = this.#config;
    if (system === "direct") return;
    for (const { transactionId, outcome, reason, commitOrder } of this.#clients.records) {
      const record = this.#oracle.committed.get(transactionId);
      if (outcome === "aborted" && record !== undefined)
        this.violate(`P3: ${transactionId} was answered as aborted (${reason}), and is committed`);
      if (outcome !== "committed" || record === undefined || commitOrder === undefined) continue;
      if (Number(commitOrder.slice(0, 17)) !== record.id.timestampUs)
        this.violate(`P3: ${transactionId} was answered with another timestamp than it has`);
    }
    // Nothing failed, so nobody had to be refused a version that was collected too early (D10, D33).
    const refused = this.#clients.errors.get("no_valid_version") ?? 0;
    const missing = this.#clients.errors.get("storage_unavailable") ?? 0;
    if (isCalm(this.#config) && refused + missing > 0)
      this.violate(`D10: ${refused + missing} reads were refused although nothing failed`);
  }
}

/** Generous: several of every period that something may have to wait for. */
function settleBoundMs({ settings, cluster }: SimConfig): number {
  const { transactionTimeoutMs, orphanSweepMs, commitResolveMs } = settings;
  const { deadAfterMs, scanMs, multicastMs } = cluster;
  return (
    15_000 +
    4 * transactionTimeoutMs +
    3 * orphanSweepMs +
    2 * commitResolveMs +
    10 * deadAfterMs +
    2 * scanMs +
    10 * multicastMs
  );
}

function trueClock(loop: SimLoop): Clock {
  const schedule = (delayUs: number, task: () => void): { cancel(): void } => {
    const event = loop.after(delayUs, { kind: "load", owner: 0, digest: 0 }, task);
    return {
      cancel: () => {
        loop.cancel(event);
      },
    };
  };
  return {
    nowMs: () => Math.floor(loop.nowUs / 1_000),
    monotonicUs: () => loop.nowUs,
    schedule,
    defer: (task) => {
      schedule(0, task);
    },
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
