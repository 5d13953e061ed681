/**
 * @module One cell, block by block: fill, warm-up, measured blocks, and the run directory.
 */
import type { Clock } from "#kit/clock.ts";
import { createPrng, type Prng } from "#kit/prng.ts";
import { eventAttempts, sendAsEvents } from "#harness/faas/event-policy.ts";
import { type EventReports, openEventReports } from "#harness/faas/event-reports.ts";
import { type RunningFaults, startFaults } from "#harness/faults/run.ts";
import { fill } from "#harness/loadgen/fill.ts";
import { concurrencyOf } from "#harness/loadgen/load.ts";
import { type CoresUsed, watchCpu } from "#harness/metrics/cpu.ts";
import { type Validity, validityOf } from "#harness/metrics/validity.ts";
import type { AttemptRecord } from "#harness/record/attempts.ts";
import type { RecordedTransaction } from "#harness/record/history.ts";
import type { Measurements, StorageSize } from "#harness/record/measurements.ts";
import { keepContinued } from "#harness/record/replays.ts";
import { beginRun, finishRun } from "#harness/record/run-directory.ts";
import type { RunManifest, RunSummary } from "#harness/record/run.ts";
import { histogramsOf } from "#harness/record/summarize.ts";
import { loadStateSystem } from "#shim/state/registry.ts";
import type { Workload } from "#workloads/port.ts";
import { openWorkload } from "#workloads/registry.ts";
import { awaitDrain, checkDurability, measureStorage } from "./after-load.ts";
import { CallBook } from "./call-book.ts";
import { ClusterWatch } from "./cluster-watch.ts";
import type { CellPlan } from "./define.ts";
import { type Environment, functionNameOf } from "./environment.ts";
import { startFleet } from "./fleet/fleet.ts";
import { type LoadGenerators, OwnGenerator } from "./generators.ts";
import { MishapCount } from "./mishap-count.ts";
import { RunObserver } from "./observe.ts";
import { probeLimits } from "./probe-limits.ts";
import { resolveUnknown } from "./resolve-unknown.ts";
import { type RunningSystem, type StorageCounters, withGrowth } from "./systems.ts";

export interface CellRunOptions {
  readonly plan: CellPlan;
  readonly environment: Environment;
  readonly directory: string;
  readonly manifest: RunManifest;
  readonly seed: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Absent: what suits the profile. */
  readonly validity?: Validity;
  /** Called after every request. */
  readonly onRequest: (last: Pick<AttemptRecord, "dueUs" | "endUs">) => void;
}

/** A cell whose environment is up; blocks of several cells may be interleaved. */
export class CellRun {
  readonly plan: CellPlan;
  readonly manifest: RunManifest;
  #workload: Workload | undefined;
  readonly #options: CellRunOptions;
  readonly #system: RunningSystem;
  readonly #observer: RunObserver;
  #generators: LoadGenerators | undefined;
  #reports: EventReports | undefined;
  #attempts: readonly AttemptRecord[] = [];
  readonly #transactions: RecordedTransaction[] = [];
  readonly #blocks: Measurements["blocks"][number][] = [];
  readonly #faultPrng: Prng;
  readonly #cpuSeconds = new Map<string, number>();
  readonly #waitSeconds = new Map<string, number>();
  #measuredSeconds = 0;
  #storage: StorageCounters | null = null;
  #coldStarts = 0;
  #invocations = 0;
  readonly #sizes: StorageSize[] = [];
  #clusterWatch: ClusterWatch | undefined;
  #faults = { attempts: 0, instancesKilled: 0, processesHit: 0 };
  readonly #mishaps = new MishapCount();
  readonly #calls = new CallBook();

  constructor(options: CellRunOptions) {
    const { plan, environment, seed } = options;
    this.#options = options;
    this.plan = plan;
    this.manifest = options.manifest;
    this.#faultPrng = createPrng(seed).fork("faults");
    const system = environment.systems.get(plan.system);
    if (system === undefined) throw new RangeError(`the environment has no "${plan.system}"`);
    this.#system = system;
    this.#observer = new RunObserver({
      directory: options.directory,
    });
  }

  get workload(): Workload {
    if (this.#workload === undefined) throw new RangeError("a cell is prepared before it is used");
    return this.#workload;
  }

  /** Creates the directory, fills the store, warms up. */
  async prepare(): Promise<void> {
    const { directory, manifest, plan, seed } = this.#options;
    this.#workload = await openWorkload({ ...plan.workload, seed });
    await beginRun(directory, manifest);
    this.#generators = await this.#startGenerators();
    const machine = this.#observer.watchPreparation();
    await fill({
      ...this.#attemptContext(),
      workload: this.workload,
      label: `fill-${manifest.runId}-`,
      concurrency: concurrencyOf(plan.load),
      onTransaction: (transaction) => {
        this.#transactions.push(transaction);
      },
    });
    await this.#generators.warmUp();
    machine.stop();
  }

  /** Runs one of the load's blocks, measured. */
  async runBlock(block: number): Promise<void> {
    const { environment, plan, clock } = this.#options;
    const { platform } = environment;
    const generators = this.#generators;
    if (generators === undefined) throw new RangeError("a cell is prepared before its blocks");
    if (plan.coldBlocks === true) await redeploy(environment, plan.system, block);
    const before = { stats: await platform.stats(), storage: await this.#storageCounters() };
    const watch = this.#observer.watchBlock();
    const cpu = watchCpu(this.#processes());
    const { cluster } = this.#system;
    if (cluster !== undefined) this.#clusterWatch ??= new ClusterWatch(cluster, clock);
    const faults = this.#startFaults(block);
    this.#calls.beginBlock();
    const done = await generators.block(block);
    this.#calls.endBlock();
    const broken = await faults.stop();
    // Nobody is left who could make the load; the record says why.
    if (done === undefined) return;
    const { startUs, endUs, elsewhere } = done;
    const seconds = (endUs - startUs) / 1_000_000;
    this.#addCpu(cpu.stop(), seconds);
    watch.stop({ seconds, generators: done.generators });
    this.#blocks.push({ block, startUs, endUs });
    this.#faults.attempts += broken.attempts;
    this.#faults.instancesKilled += broken.instancesKilled;
    this.#faults.processesHit += broken.processesHit ?? 0;
    if (cluster !== undefined && plan.after?.includes("drain") === true)
      this.#sizes.push(await measureStorage(cluster));
    const after = await platform.stats();
    this.#coldStarts += after.coldStarts - before.stats.coldStarts + elsewhere.coldStarts;
    this.#invocations += after.invocations - before.stats.invocations + elsewhere.invocations;
    this.#addStorage(before.storage, await this.#storageCounters());
  }

  /** Block throughputs in order, for comparisons. */
  blockFigures(): { readonly throughput: number[]; readonly medianUs: number[] } {
    const throughput: number[] = [];
    const medianUs: number[] = [];
    for (const { block, startUs, endUs } of this.#blocks) {
      const times = this.#attempts
        .filter((attempt) => attempt.block === block && attempt.outcome === "committed")
        .map((attempt) => attempt.endUs - attempt.dueUs)
        .toSorted((a, b) => a - b);
      throughput.push(times.length / ((endUs - startUs) / 1_000_000));
      medianUs.push(times[Math.floor(times.length / 2)] ?? Number.NaN);
    }
    return { throughput, medianUs };
  }

  /** Learns open outcomes, writes the run directory, and sums up. */
  async finish(): Promise<RunSummary> {
    const { directory, manifest, clock, signal, plan } = this.#options;
    const { spec } = this.#system;
    const module = await loadStateSystem(spec);
    const promises = module.promisesWith?.(spec.options) ?? module.promises;
    await this.#collect();
    await resolveUnknown(spec, this.#transactions);
    keepContinued(this.#transactions);
    const ofCluster = await this.#afterLoad();
    const isProbed = plan.probeLimits === true && !signal.aborted;
    const limits = isProbed ? await probeLimits(this.#attemptContext()) : undefined;
    const perSecond = (sums: ReadonlyMap<string, number>): Record<string, number> =>
      Object.fromEntries(
        [...sums].map(([name, seconds]) => [name, seconds / this.#measuredSeconds]),
      );
    const problems = this.#generators?.problems() ?? [];
    await this.close();
    const judged = this.#observer.conclude({
      smoke: manifest.profile === "smoke",
      validity: this.#options.validity ?? validityOf(manifest.profile),
      responseP99Us: histogramsOf(this.#attempts).responseTime.percentile(0.99),
    });
    const concluded = plan.countsOnly === true ? notForTimes(judged) : judged;
    const complete = !signal.aborted && this.#blocks.length === plan.load.blocks;
    return finishRun(directory, {
      manifest: {
        ...manifest,
        state: complete ? "complete" : "partial",
        durationMs: Math.round(clock.nowMs() - manifest.startedAtMs),
      },
      attempts: this.#attempts,
      transactions: this.#transactions,
      measurements: {
        blocks: this.#blocks,
        storage: this.#storage ?? this.#calls.measured(),
        platform: { coldStarts: this.#coldStarts, invocations: this.#invocations },
        cpuCores: perSecond(this.#cpuSeconds),
        coreWaits: perSecond(this.#waitSeconds),
        promises,
        ...concluded,
        invalidReasons: [...problems, ...concluded.invalidReasons],
        faults: { ...this.#faults, ...this.#mishaps.report(plan.faults) },
        ...ofCluster,
        ...(limits !== undefined && { limits }),
      },
    });
  }

  /** Processes are hit once, in the first block; all else in every one. */
  #startFaults(block: number): RunningFaults {
    const { environment, plan, clock } = this.#options;
    const processes = this.#system.cluster?.processes;
    return startFaults({
      plan: plan.faults.kind === "processes" && block > 0 ? { kind: "none" } : plan.faults,
      platform: environment.platform,
      clock,
      prng: this.#faultPrng,
      ...(processes !== undefined && { targets: { running: (role) => processes.processes(role) } }),
    });
  }

  /** What only a cluster can be asked. An interrupted run is not kept waiting for it. */
  async #afterLoad(): Promise<
    Pick<Measurements, "events" | "collection" | "durability" | "drain">
  > {
    const { clock, signal, plan } = this.#options;
    const { cluster } = this.#system;
    const { after = [] } = plan;
    if (cluster === undefined) return {};
    const ends = signal.aborted ? [] : after;
    const drain = ends.includes("drain")
      ? await awaitDrain({ cluster, clock, behindBlocks: this.#sizes })
      : undefined;
    const durability = ends.includes("durability")
      ? await checkDurability({
          cluster,
          keys: [...this.workload.keys()],
          transactions: this.#transactions,
          clock,
        })
      : undefined;
    return {
      ...(await this.#clusterWatch?.stop()),
      ...(drain !== undefined && { drain }),
      ...(durability !== undefined && { durability }),
    };
  }

  /** Ends the processes that make load, where there are further ones. Idempotent. */
  async close(): Promise<void> {
    await this.#generators?.close();
    await this.#reports?.close();
    this.#reports = undefined;
  }

  async #collect(): Promise<void> {
    const record = await this.#generators?.finish();
    if (record === undefined) return;
    this.#attempts = record.attempts;
    for (const transaction of record.transactions) this.#transactions.push(transaction);
  }

  async #startGenerators(): Promise<LoadGenerators> {
    const { plan, seed, signal, onRequest, environment, clock, directory } = this.#options;
    const { load, workload } = plan;
    if ((load.generators ?? 1) === 1) {
      const mishaps = this.#mishaps.planOf(plan.faults, seed);
      const own = { ...this.#attemptContext(), workload: this.workload, signal, ...mishaps };
      const context = plan.retriedBy === undefined ? own : { ...own, ...(await this.#asEvents()) };
      return new OwnGenerator({ load, seed, context, onRequest });
    }
    const { platform, functions } = environment;
    const { endpoint } = platform;
    const functionName = functionNameOf(plan.system);
    const reached = { ...plan.platform, functions, ...(endpoint !== undefined && { endpoint }) };
    const { runId: scope } = this.manifest;
    const config = { load, seed, workload, functionName, scope, platform: reached };
    return startFleet({ config, directory, clock, signal, onRequest });
  }

  /** Requests go as events; each attempt of the platform's is reported here. */
  async #asEvents() {
    const { environment, clock } = this.#options;
    const reports = await openEventReports();
    this.#reports = reports;
    const { platform } = environment;
    const { failures } = this.#attemptContext();
    return {
      platform: sendAsEvents({ platform, reports, nowUs: () => clock.monotonicUs() }),
      attempts: eventAttempts,
      ...(failures !== undefined && { failures: { ...failures, perAttempt: true } }),
    };
  }

  #attemptContext() {
    const { environment, plan, clock } = this.#options;
    const { platform } = environment;
    const functionName = functionNameOf(plan.system);
    const { faults, coldBlocks, timed, countCalls, countEffects } = plan;
    return {
      platform,
      functionName,
      scope: this.manifest.runId,
      clock,
      valueBytes: this.workload.valueBytes,
      ...((coldBlocks === true || timed === true) && { timed: true }),
      ...(countEffects === true && { marksFunctions: true }),
      ...(countCalls === true && {
        onCounters: this.#calls.note.bind(this.#calls),
      }),
      ...(faults.kind === "fail-operations" &&
        faults.probability > 0 && {
          failures: { probability: faults.probability, seed: this.#options.seed },
        }),
    };
  }

  #processes(): Record<string, readonly number[]> {
    const { storage, platform } = this.#options.environment;
    return {
      load: this.#generators?.pids ?? [],
      ...this.#system.pids,
      ...(storage.pids.length > 0 && { [storage.name]: storage.pids }),
      ...(platform.pids.length > 0 && { platform: platform.pids }),
    };
  }

  #addCpu(cores: CoresUsed, seconds: number): void {
    this.#measuredSeconds += seconds;
    const add = (sums: Map<string, number>, rates: Readonly<Record<string, number>>): void => {
      for (const [name, rate] of Object.entries(rates))
        sums.set(name, (sums.get(name) ?? 0) + rate * seconds);
    };
    add(this.#cpuSeconds, cores.used);
    add(this.#waitSeconds, cores.waited);
  }

  #addStorage(before: StorageCounters | undefined, after: StorageCounters | undefined): void {
    if (before === undefined || after === undefined) return;
    this.#storage = withGrowth(this.#storage, before, after);
  }

  async #storageCounters(): Promise<StorageCounters | undefined> {
    return this.#system.storageCounters?.();
  }
}

/** Instances of the system's function end, and the next one starts cold. */
async function redeploy(
  { functions, platform }: Environment,
  system: string,
  block: number,
): Promise<void> {
  const name = functionNameOf(system);
  const own = functions.filter((spec) => spec.name === name);
  // A service that is handed the same function again may keep its instances.
  const fresh = { AFT_BENCH_BLOCK: String(block) };
  await platform.deploy(
    own.map((spec) => ({ ...spec, environment: { ...spec.environment, ...fresh } })),
  );
}

/** What disturbs times is worth knowing where only counts are read off, and no more. */
export function notForTimes<Judged extends Pick<Measurements, "invalidReasons" | "notes">>(
  judged: Judged,
): Judged {
  const notes = judged.invalidReasons.map((reason) => `not fit for times: ${reason}`);
  return { ...judged, invalidReasons: [], notes: [...(judged.notes ?? []), ...notes] };
}
