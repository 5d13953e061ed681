/**
 * @module Searches the capacity of every cell: probes are ordinary open-loop runs with run directories of
 * their own, judged by the same limits. Systems of one environment take turns, search by search.
 */
import type { Clock } from "#kit/clock.ts";
import { NotAvailableError, ProjectError } from "#kit/errors.ts";
import { createPrng, type Prng } from "#kit/prng.ts";
import { openLoad } from "#harness/loadgen/load.ts";
import type { Validity } from "#harness/metrics/validity.ts";
import type {
  CapacityCell,
  CapacityProbe,
  CapacityRepeat,
  CapacityResult,
} from "#harness/record/capacity.ts";
import type { NotRun } from "#harness/record/run.ts";
import { ratioOfBlocks } from "#harness/stats/bootstrap.ts";
import type { CellPlan, ExperimentDefinition, ProfileName } from "../define.ts";
import { type Environment, openEnvironment } from "../environment.ts";
import { groupCells } from "../group.ts";
import { describeHere, describeRun, runDirectoryOf } from "../manifest.ts";
import { CellRun } from "../run-cell.ts";
import { describeCell } from "../run-suite.ts";
import { searchCapacity } from "./search.ts";
import { judgeProbe, longestUs, samplesNeeded, type Slo } from "./slo.ts";

export interface CapacitySizes {
  readonly repeats: number;
  /** Measured time of one probe; longer where a percentile needs more requests. */
  readonly probeSeconds: number;
  readonly precision: number;
  readonly startPerSecond: number;
}

export interface CapacityRequest {
  readonly definition: ExperimentDefinition;
  readonly cells: readonly CellPlan[];
  readonly profile: ProfileName;
  readonly slo: Slo;
  readonly sizes: CapacitySizes;
  readonly seed: number;
  readonly outDirectory: string;
  readonly command: readonly string[];
  readonly externalSystems: ReadonlyMap<string, string>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Absent: what suits the profile. */
  readonly validity?: Validity;
  readonly note: (text: string) => void;
}

/** Bounds of the search; below one a second nothing can be told in reasonable time. */
const leastPerSecond = 5;
const mostPerSecond = 100_000;
/** First step of the bracketing, and that of later repeats, which begin near the answer. */
const firstFactor = 2;
const laterFactor = 1.25;
/** A busy machine is waited out so often. */
const triesPerProbe = 3;
/** No probe lasts longer, whatever its percentiles need. */
const longestProbeSeconds = 60;
/** Slots for four times what Little's law needs at the objective: fewer would be a limit of our own. */
const slotMargin = 4;
export const mostSlots = 4_096;

/** The machine was busy with something else, again and again. */
class UnfitError extends ProjectError {
  readonly code = "machine_unfit";
  readonly disposition = "abort";
  readonly reasons: readonly string[];

  constructor(reasons: readonly string[]) {
    super(`the machine is not fit to be measured on: ${reasons.join("; ")}`);
    this.reasons = reasons;
  }
}

export async function runCapacity(request: CapacityRequest): Promise<CapacityResult> {
  return new CapacityRunner(request).run();
}

interface SearchedCell {
  readonly plan: CellPlan;
  readonly repeats: CapacityRepeat[];
  readonly invalidReasons: string[];
  readonly violated: Set<string>;
}

class CapacityRunner {
  readonly #request: CapacityRequest;
  readonly #prng: Prng;
  readonly #about = describeHere();
  #probes = 0;

  constructor(request: CapacityRequest) {
    this.#request = request;
    this.#prng = createPrng(request.seed).fork("capacity");
  }

  async run(): Promise<CapacityResult> {
    const { cells, clock, signal, slo, sizes, profile } = this.#request;
    const startedAtMs = clock.nowMs();
    const found: CapacityCell[] = [];
    const notRun: NotRun[] = [];
    for (const { groups } of groupCells(cells)) {
      if (signal.aborted) break;
      const plans = groups.flatMap((group) => group.plans);
      const searched = await this.#searchIn(plans, notRun);
      found.push(...searched.map((one) => this.#conclude(one)));
    }
    return {
      schemaVersion: 1,
      slo: slo.text,
      profile,
      startedAtMs: Math.round(startedAtMs),
      durationMs: Math.round(clock.nowMs() - startedAtMs),
      state: signal.aborted ? "partial" : "complete",
      precision: sizes.precision,
      cells: found,
      notRun,
      machine: this.#about.machine,
    };
  }

  async #searchIn(plans: readonly CellPlan[], notRun: NotRun[]): Promise<SearchedCell[]> {
    const { seed, clock, externalSystems, signal, sizes, definition } = this.#request;
    let environment: Environment;
    try {
      environment = await openEnvironment({ plans, seed, clock, externalSystems });
    } catch (error) {
      if (!(error instanceof NotAvailableError)) throw error;
      const what = `${definition.id} storage:${plans[0]?.storage.service ?? "?"}`;
      notRun.push({ what, why: `${error.what} is not installed`, get: error.get });
      return [];
    }
    const cells = plans.map((plan): SearchedCell => ({
      plan,
      repeats: [],
      invalidReasons: [],
      violated: new Set(),
    }));
    try {
      for (let repeat = 0; repeat < sizes.repeats; repeat += 1)
        for (const cell of cells) {
          const over = signal.aborted || cell.invalidReasons.length > 0 || cell.violated.size > 0;
          if (!over) await this.#searchOnce(environment, cell);
        }
    } finally {
      await environment.close();
    }
    return cells;
  }

  async #searchOnce(environment: Environment, cell: SearchedCell): Promise<void> {
    const { sizes, note, signal } = this.#request;
    const last = cell.repeats.at(-1)?.ratePerSecond;
    try {
      const repeat = await searchCapacity({
        startPerSecond: last === undefined || last === 0 ? sizes.startPerSecond : last,
        factor: cell.repeats.length === 0 ? firstFactor : laterFactor,
        precision: sizes.precision,
        leastPerSecond,
        mostPerSecond,
        probe: async (rate) =>
          signal.aborted || cell.violated.size > 0
            ? undefined
            : this.#probe(environment, cell, rate),
      });
      if (repeat === undefined) return;
      cell.repeats.push(repeat);
      note(
        `${describeCell(cell.plan.cell)}: search ${cell.repeats.length} of ${sizes.repeats}: ${repeat.ratePerSecond}/s`,
      );
    } catch (error) {
      if (!(error instanceof UnfitError)) throw error;
      cell.invalidReasons.push(...error.reasons);
    }
  }

  /** `undefined` when it was stopped. Rejects with `UnfitError`. */
  async #probe(
    environment: Environment,
    cell: SearchedCell,
    rate: number,
  ): Promise<CapacityProbe | undefined> {
    const { note, signal } = this.#request;
    for (let left = triesPerProbe; ; left -= 1) {
      const probe = await this.#measure(environment, cell, rate);
      if (signal.aborted) return undefined;
      const why = probe.reasons.length === 0 ? "" : `: ${probe.reasons.join("; ")}`;
      note(`${describeCell(cell.plan.cell)}: ${rate}/s ${probe.verdict}${why}`);
      if (probe.verdict !== "unfit") return probe;
      if (left === 1) throw new UnfitError(probe.reasons);
    }
  }

  async #measure(
    environment: Environment,
    cell: SearchedCell,
    ratePerSecond: number,
  ): Promise<CapacityProbe> {
    const { slo, seed, clock, signal, profile, command, outDirectory, definition } = this.#request;
    const plan = this.#planAt(cell.plan, ratePerSecond);
    this.#probes += 1;
    // Other keys and due times each time: the spread over repeats is to be seen.
    const probeSeed = seed * 10_000 + this.#probes;
    const manifest = describeRun({
      experiment: definition.id,
      about: this.#about,
      profile,
      mode: "sound",
      seed: probeSeed,
      command,
      plan,
      environment,
      startedAtMs: clock.nowMs(),
      prng: this.#prng,
    });
    const directory = runDirectoryOf(outDirectory, manifest);
    const { validity } = this.#request;
    const run = new CellRun({
      ...(validity !== undefined && { validity }),
      plan,
      environment,
      directory,
      manifest,
      seed: probeSeed,
      clock,
      signal,
      onRequest: () => {},
    });
    try {
      await run.prepare();
      await run.runBlock(0);
      const summary = await run.finish();
      for (const promise of summary.violated) cell.violated.add(promise);
      return {
        ratePerSecond,
        ...judgeProbe(slo, summary),
        runId: manifest.runId,
        directory,
        responseTimeUsP50: summary.responseTimeUs.p50,
        responseTimeUsP99: summary.responseTimeUs.p99,
        throughputPerSecond: summary.throughputPerSecond,
        anomalous: summary.anomalies.anomalous.transactions,
      };
    } finally {
      await run.close();
    }
  }

  #planAt(plan: CellPlan, perSecond: number): CellPlan {
    const { slo, sizes } = this.#request;
    const needed = (samplesNeeded(slo) * 1.2) / perSecond;
    const seconds = Math.min(longestProbeSeconds, Math.max(sizes.probeSeconds, needed));
    const inFlight = (perSecond * longestUs(slo) * slotMargin) / 1_000_000;
    const timeoutUs = Math.max(1_000_000, longestUs(slo) * slotMargin);
    const slots = Math.min(mostSlots, Math.max(64, Math.ceil(inFlight)));
    const load = openLoad({
      arrivals: { kind: "poisson", perSecond, seconds },
      slots,
      slotWaitUs: Math.min(timeoutUs, 1_000_000),
      timeoutUs,
      drainUs: timeoutUs,
      blocks: 1,
      ...(plan.load.generators !== undefined && { generators: plan.load.generators }),
    });
    const arrivals = `poisson ${perSecond}/s`;
    return { ...plan, load, cell: { ...plan.cell, clients: slots, arrivals } };
  }

  #conclude({ plan, repeats, invalidReasons, violated }: SearchedCell): CapacityCell {
    const rates = repeats.map(({ ratePerSecond }) => ratePerSecond);
    const ones = rates.map(() => 1);
    const { median, low, high, confidence } = ratioOfBlocks(
      rates,
      ones,
      this.#prng.fork("interval"),
    );
    const limits = repeats.map(({ limitedBy }) => limitedBy);
    return {
      cell: plan.cell,
      valid: invalidReasons.length === 0 && violated.size === 0 && repeats.length > 0,
      invalidReasons,
      violated: [...violated],
      capacityPerSecond: rates.length === 0 ? null : { median, low, high, confidence },
      // One search that ended at the generator leaves the rest in doubt.
      limitedBy: limits.find((limit) => limit !== "slo") ?? limits[0] ?? null,
      repeats,
    };
  }
}
