/**
 * @module Runs experiments: environments one after another, cells of a group in alternating blocks.
 *
 * What cannot run here is reported as not run, with how to have it; an interrupt ends the block under
 * way and keeps what was measured. Everything started is stopped, whatever happens.
 */
import type { Clock } from "#kit/clock.ts";
import { NotAvailableError } from "#kit/errors.ts";
import { createPrng, type Prng } from "#kit/prng.ts";
import { ratioOfBlocks } from "#harness/stats/bootstrap.ts";
import { FillError } from "#harness/loadgen/fill.ts";
import type { Validity } from "#harness/metrics/validity.ts";
import type { AttemptRecord } from "#harness/record/attempts.ts";
import type { Cell, Comparison, NotRun, RunSummary, SuiteResult } from "#harness/record/run.ts";
import { appendHistory, historyLineOf, historyPath } from "#harness/record/trend-history.ts";
import type { CellPlan, ExperimentDefinition, ProfileName } from "./define.ts";
import { type Environment, openEnvironment } from "./environment.ts";
import type { SuiteEvent } from "./events.ts";
import { type CellGroup, shareEnvironments } from "./group.ts";
import type { LambdaPlace } from "./lambda-place.ts";
import { LiveWindow, LoadExtent } from "./live.ts";
import { describeHere, describeRun, runDirectoryOf } from "./manifest.ts";
import { missingSystems } from "./missing-systems.ts";
import { CellRun } from "./run-cell.ts";

export interface SuiteRequest {
  readonly suite: string;
  readonly profile: ProfileName;
  readonly mode: "paper" | "sound";
  readonly parts: readonly {
    readonly definition: ExperimentDefinition;
    readonly cells: readonly CellPlan[];
  }[];
  readonly seed: number;
  /** Run directories go below `<outDirectory>/runs/<experiment>/`. */
  readonly outDirectory: string;
  readonly command: readonly string[];
  /** Paths of state system modules from outside, by name. */
  readonly externalSystems: ReadonlyMap<string, string>;
  readonly lambda?: LambdaPlace;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Absent: what suits the profile. */
  readonly validity?: Validity;
  readonly onEvent: (event: SuiteEvent) => void;
}

/** Claims are added by whoever reports; everything else is complete. */
export async function runSuite(request: SuiteRequest): Promise<SuiteResult> {
  return new SuiteRunner(request).run();
}

/** Between two reports of progress: figuring it out must cost the run nothing. */
const progressEveryUs = 250_000;

type SuiteRun = RunSummary & { readonly directory: string };

interface PlannedRun {
  readonly run: CellRun;
  readonly directory: string;
  /** When it is over. */
  summary?: RunSummary;
}

class SuiteRunner {
  readonly #request: SuiteRequest;
  readonly #prng: Prng;
  readonly #runs: SuiteRun[] = [];
  readonly #comparisons: Comparison[] = [];
  readonly #notRun: NotRun[] = [];
  readonly #about = describeHere();
  readonly #cells: number;
  readonly #startedAtMs: number;
  readonly #plannedSeconds: number;
  #doneCells = 0;
  #doneEstimate = 0;

  constructor(request: SuiteRequest) {
    this.#request = request;
    this.#prng = createPrng(request.seed).fork("order");
    const cells = request.parts.flatMap((part) => part.cells);
    this.#cells = cells.length;
    this.#plannedSeconds = sumOf(cells);
    this.#startedAtMs = request.clock.nowMs();
  }

  async run(): Promise<SuiteResult> {
    const { parts, onEvent, signal, clock, suite, profile } = this.#request;
    onEvent({ kind: "plan", cells: this.#cells, estimateSeconds: this.#plannedSeconds });
    const possible = await this.#withoutMissing(parts);
    for (const users of shareEnvironments(possible)) {
      if (signal.aborted) break;
      await this.#runEnvironment(users);
    }
    return {
      schemaVersion: 1,
      suite,
      profile,
      startedAtMs: this.#startedAtMs,
      durationMs: Math.round(clock.nowMs() - this.#startedAtMs),
      state: signal.aborted ? "partial" : "complete",
      runs: this.#runs,
      comparisons: this.#comparisons,
      claims: [],
      notRun: this.#notRun,
      machine: this.#about.machine,
    };
  }

  /** A system whose package is not installed must not keep those from running that share its store. */
  async #withoutMissing(parts: SuiteRequest["parts"]): Promise<SuiteRequest["parts"]> {
    const possible: SuiteRequest["parts"][number][] = [];
    for (const { definition, cells } of parts) {
      const missing = await missingSystems(cells, this.#request.externalSystems);
      for (const [system, error] of missing) {
        const what = `${definition.id} system:${system}`;
        this.#skip(
          what,
          cells.filter((plan) => plan.system === system),
          error,
        );
      }
      possible.push({ definition, cells: cells.filter(({ system }) => !missing.has(system)) });
    }
    return possible;
  }

  /** Servers and functions are started once for all experiments that can use them. */
  async #runEnvironment(
    users: readonly {
      readonly definition: ExperimentDefinition;
      readonly groups: readonly CellGroup[];
    }[],
  ): Promise<void> {
    const { seed, clock, externalSystems, signal, lambda } = this.#request;
    const plans = users.flatMap(({ groups }) => groups.flatMap((group) => group.plans));
    let environment: Environment;
    try {
      environment = await openEnvironment({
        plans,
        seed,
        clock,
        externalSystems,
        ...(lambda !== undefined && { lambda }),
      });
    } catch (error) {
      if (!(error instanceof NotAvailableError)) throw error;
      for (const { definition, groups } of users) {
        const skipped = groups.flatMap((group) => group.plans);
        const { storage, platform } = skipped[0] ?? {};
        const where = `platform:${platform?.name ?? "?"} storage:${storage?.service ?? "?"}`;
        this.#skip(`${definition.id} ${where}`, skipped, error);
      }
      return;
    }
    try {
      for (const { definition, groups } of users)
        for (const group of groups) {
          if (signal.aborted) break;
          await this.#runGroup(definition, environment, group);
        }
    } finally {
      await environment.close();
    }
  }

  async #runGroup(
    definition: ExperimentDefinition,
    environment: Environment,
    group: CellGroup,
  ): Promise<void> {
    const { seed, clock, signal } = this.#request;
    const { plans } = group;
    const extent = new LoadExtent(plans.map(({ load }) => load));
    const label = labelOf(definition, plans);
    const live = new LiveWindow();
    let shownUs = -Infinity;
    const onRequest = ({ dueUs, endUs }: Pick<AttemptRecord, "dueUs" | "endUs">): void => {
      extent.noteRequest();
      live.record(endUs, endUs - dueUs);
      const nowUs = clock.monotonicUs();
      if (nowUs - shownUs < progressEveryUs) return;
      shownUs = nowUs;
      const estimate = sumOf(plans);
      this.#progress({ label, estimate, ...extent.at(nowUs), ...live.figures(nowUs) });
    };
    const cells = plans.map((plan): PlannedRun => {
      const { profile, mode, command, outDirectory, validity } = this.#request;
      const manifest = describeRun({
        experiment: definition.id,
        about: this.#about,
        profile,
        mode,
        seed,
        command,
        plan,
        environment,
        startedAtMs: clock.nowMs(),
        prng: this.#prng,
      });
      const directory = runDirectoryOf(outDirectory, manifest);
      return {
        directory,
        run: new CellRun({
          ...(validity !== undefined && { validity }),
          plan,
          environment,
          directory,
          manifest,
          seed,
          clock,
          signal,
          onRequest,
        }),
      };
    });
    try {
      await this.#measure(cells, {
        begin: () => {
          extent.beginBlock(clock.monotonicUs());
        },
        end: () => {
          extent.endBlock(clock.monotonicUs());
        },
      });
    } finally {
      for (const { run } of cells) await run.close();
    }
    // A ratio to or of an invalid run would be one more invalid number.
    const valid = cells.filter(({ summary }) => summary?.valid === true).map(({ run }) => run);
    if (valid[0] === cells[0]?.run) this.#compare(definition, valid);
  }

  /** Prepares all cells, runs their blocks in turn, and sums each of them up. */
  async #measure(
    cells: readonly PlannedRun[],
    onBlock: { readonly begin: () => void; readonly end: () => void },
  ): Promise<void> {
    const { signal, outDirectory } = this.#request;
    try {
      for (const { run } of cells) await run.prepare();
    } catch (error) {
      // Stopped while the store was being filled: there is nothing to sum up.
      if (signal.aborted && error instanceof FillError) return;
      throw error;
    }
    const blocks = Math.max(...cells.map(({ run }) => run.plan.load.blocks));
    for (let block = 0; block < blocks && !signal.aborted; block += 1)
      for (const { run } of shuffled(cells, this.#prng))
        if (!signal.aborted) {
          onBlock.begin();
          await run.runBlock(block);
          onBlock.end();
        }
    for (const cell of cells) {
      const { run, directory } = cell;
      const summary = await run.finish();
      cell.summary = summary;
      this.#runs.push({ ...summary, directory });
      const line = historyLineOf(run.manifest, summary);
      if (line !== undefined) await appendHistory(historyPath(outDirectory), [line]);
      this.#doneCells += 1;
      this.#doneEstimate += run.plan.estimateSeconds;
      this.#announce(summary);
    }
  }

  /** Every other system against the first, which is the baseline. */
  #compare(definition: ExperimentDefinition, runs: readonly CellRun[]): void {
    const [baseline, ...others] = runs;
    if (baseline === undefined || baseline.plan.countsOnly === true) return;
    const base = baseline.blockFigures();
    for (const other of others) {
      const figures = other.blockFigures();
      if (figures.medianUs.length !== base.medianUs.length) continue;
      const pair = `${other.plan.system}/${baseline.plan.system}`;
      const where = `${definition.id} ${describeCell(other.plan.cell)}`;
      for (const [figure, name] of [
        ["medianUs", "p50"],
        ["throughput", "throughput"],
      ] as const) {
        const estimate = ratioOfBlocks(
          figures[figure],
          base[figure],
          this.#prng.fork(where + name),
        );
        const { median, low, high, blocks, confidence } = estimate;
        const ratio = { median: round(median), low: round(low), high: round(high) };
        const runIds = [other.manifest.runId, baseline.manifest.runId];
        const title = `${pair} ${name}: ${where}`;
        this.#comparisons.push({ name: title, ratio, blocks, confidence, runIds });
      }
    }
  }

  #skip(what: string, plans: readonly CellPlan[], error: NotAvailableError): void {
    const { onEvent } = this.#request;
    const notRun = { what, why: error.why, get: error.get };
    this.#notRun.push(notRun);
    this.#doneCells += plans.length;
    this.#doneEstimate += sumOf(plans);
    onEvent({ kind: "not-run", notRun });
  }

  #announce(summary: RunSummary): void {
    const { onEvent } = this.#request;
    const { p50 } = summary.responseTimeUs;
    const median = typeof p50 === "number" ? `p50 ${(p50 / 1_000).toFixed(2)} ms` : "";
    const { anomalous } = summary.anomalies;
    const broken = summary.violated.length > 0 ? `  BROKE ${summary.violated.join(", ")}` : "";
    const invalid = summary.valid ? "" : `  INVALID ${summary.invalidReasons.join("; ")}`;
    onEvent({
      kind: "cell-done",
      index: this.#doneCells,
      cells: this.#cells,
      label: `${summary.experiment} ${describeCell(summary.cell)}`,
      outcome:
        `${summary.transactions.committed} committed  ${median}` +
        `  ${anomalous.transactions} with anomalies${broken}${invalid}`,
      secondsLeft: this.#secondsLeft(0),
    });
  }

  #progress(now: {
    readonly label: string;
    readonly done: number;
    readonly total: number;
    readonly unit: "requests" | "s";
    readonly estimate: number;
    readonly throughputPerSecond: number;
    readonly p99Us: number | null;
  }): void {
    const { onEvent } = this.#request;
    onEvent({
      kind: "cell-progress",
      index: this.#doneCells + 1,
      cells: this.#cells,
      label: now.label,
      done: now.done,
      total: now.total,
      unit: now.unit,
      throughputPerSecond: now.throughputPerSecond,
      p99Us: now.p99Us,
      secondsLeft: this.#secondsLeft((now.done / now.total) * now.estimate),
    });
  }

  /** The rest of the estimate, at the speed seen so far. */
  #secondsLeft(extraDone: number): number {
    const done = this.#doneEstimate + extraDone;
    const seconds = (this.#request.clock.nowMs() - this.#startedAtMs) / 1_000;
    const speed = done > 1 ? seconds / done : 1;
    return Math.max(0, (this.#plannedSeconds - done) * speed);
  }
}

/** A cell in a few words: what differs between cells of an experiment. */
export function describeCell(cell: Cell): string {
  const { system, storage, emulation, zipfTheta, faults, platform } = cell;
  const parts = [`${system} over ${emulation === "none" ? storage : `emulated ${emulation}`}`];
  if (["lambda", "serverless-offline"].includes(platform)) parts.push(`on ${platform}`);
  if (zipfTheta > 0) parts.push(`zipf ${zipfTheta}`);
  if (faults !== "none") parts.push(faults);
  if (cell["retriedBy"] === "platform") parts.push("events tried again by the platform");
  if (cell["replicas"] !== undefined)
    parts.push(`${String(cell["replicas"])} replicas, ${cell.clients} clients`);
  if (cell["writes"] !== undefined)
    parts.push(`${String(cell["writes"])} ${String(cell["batch"])}`);
  return parts.join(", ");
}

/** Of cells that are run side by side and differ only in their system. */
function labelOf({ id }: ExperimentDefinition, plans: readonly CellPlan[]): string {
  const [first] = plans;
  if (first === undefined) return id;
  const system = plans.map((plan) => plan.system).join(" and ");
  return `${id} ${describeCell({ ...first.cell, system })}`;
}

function sumOf(plans: readonly CellPlan[]): number {
  return plans.reduce((sum, { estimateSeconds }) => sum + estimateSeconds, 0);
}

function shuffled<T>(items: readonly T[], prng: Prng): T[] {
  const drawn = items.map((item) => ({ item, at: prng.next() }));
  return drawn.toSorted((a, b) => a.at - b.at).map(({ item }) => item);
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
