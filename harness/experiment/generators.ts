/**
 * @module Who makes a cell's load: this process (`OwnGenerator`), or several (`fleet/fleet.ts`), each of
 * which is an `OwnGenerator` with a share of the load.
 *
 * Every process keeps its own record and watches itself: dispatch lateness, stalls and exhausted slots
 * are judged one by one, because a mean over processes would hide the one that was late.
 */
import { type Clock, delay } from "#kit/clock.ts";
import { collectWhenFull } from "#harness/loadgen/heap.ts";
import { type LoadPlan, type LoadShare, wholeLoad } from "#harness/loadgen/load.ts";
import type { OpenLoopResult } from "#harness/loadgen/open-loop.ts";
import type { LoadSinks, Pending } from "#harness/loadgen/request.ts";
import { watchGenerator } from "#harness/metrics/generator-watch.ts";
import { LatencyHistogram } from "#harness/metrics/histogram.ts";
import type { AttemptRecord } from "#harness/record/attempts.ts";
import type { RecordedTransaction } from "#harness/record/history.ts";
import type { GeneratorWatch } from "#harness/record/measurements.ts";
import { type DriveContext, Driver } from "./drive.ts";

/** What became of a schedule, without the requests themselves. */
export type OpenCounts = Pick<
  OpenLoopResult,
  "offered" | "sent" | "dropped" | "timedOut" | "unanswered" | "late" | "maxInFlight"
>;

/** One process in one block. */
export interface GeneratorBlock {
  readonly watch: GeneratorWatch;
  readonly lateness: LatencyHistogram;
  /** CPU of the process, in cores. */
  readonly cores: number;
  /** Of an open loop. */
  readonly open?: OpenCounts;
}

export interface LoadBlock {
  readonly startUs: number;
  readonly endUs: number;
  /** In the order of the processes. */
  readonly generators: readonly GeneratorBlock[];
  /** Of functions that ran in other generator processes, which the suite's platform does not see. */
  readonly elsewhere: { readonly coldStarts: number; readonly invocations: number };
}

export interface LoadRecord {
  readonly attempts: AttemptRecord[];
  /** Of the warm-up only what it wrote. */
  readonly transactions: RecordedTransaction[];
}

export interface LoadGenerators {
  readonly pids: readonly number[];
  /** What is sent here is not measured, but what it writes is read later and belongs to the history. */
  warmUp(): Promise<void>;
  /** `undefined`: the load cannot be made any more; `problems` says why. */
  block(block: number): Promise<LoadBlock | undefined>;
  /** Waits, for a bounded time, for what was given up; then everything that was recorded. */
  finish(): Promise<LoadRecord>;
  /** `code: sentence` for each process that did not live to the end. */
  problems(): readonly string[];
  /** Ends all processes. Idempotent. */
  close(): Promise<void>;
}

/** How long requests that were given up are waited for, so that the history is whole. */
const leftOverWaitUs = 5_000_000;

export interface OwnGeneratorOptions {
  readonly load: LoadPlan;
  readonly seed: number;
  readonly share?: LoadShare;
  readonly context: Omit<DriveContext, "sinks">;
  /** Called after every measured request. */
  readonly onRequest: (ended: AttemptRecord) => void;
}

/** Load from this process. */
export class OwnGenerator implements LoadGenerators {
  readonly pids: readonly number[] = [process.pid];
  readonly #clock: Clock;
  readonly #driver: Driver;
  readonly #attempts: AttemptRecord[] = [];
  readonly #transactions: RecordedTransaction[] = [];
  readonly #leftOver: Pending[] = [];
  #lateness = new LatencyHistogram();

  constructor({ load, seed, share = wholeLoad, context, onRequest }: OwnGeneratorOptions) {
    this.#clock = context.clock;
    collectWhenFull();
    const sinks: LoadSinks = {
      onAttempt: (record) => {
        this.#attempts.push(record);
        if (record.final) onRequest(record);
      },
      onTransaction: (transaction) => {
        this.#transactions.push(transaction);
      },
    };
    this.#driver = new Driver({
      load,
      seed,
      share,
      onLateness: (us) => {
        this.#lateness.record(Math.max(0, Math.round(us)));
      },
      context: { ...context, sinks },
    });
  }

  async warmUp(): Promise<void> {
    await this.#driver.warmUp({
      onAttempt: () => {},
      onTransaction: (transaction) => {
        this.#transactions.push({ ...transaction, operations: writesOf(transaction) });
      },
    });
  }

  /** `originUs`: when the block begins, for processes that must begin together. */
  async block(block: number, originUs?: number): Promise<LoadBlock> {
    this.#lateness = new LatencyHistogram();
    const watch = watchGenerator();
    const cpuBefore = process.cpuUsage();
    const { startUs, endUs, open } = await this.#driver.block(block, originUs);
    const { user, system } = process.cpuUsage(cpuBefore);
    const cores = (user + system) / Math.max(1, endUs - startUs);
    if (open !== undefined) this.#leftOver.push(...open.leftOver);
    return {
      startUs,
      endUs,
      generators: [
        {
          watch: watch.stop(),
          lateness: this.#lateness,
          cores,
          ...(open !== undefined && { open: countsOf(open) }),
        },
      ],
      elsewhere: { coldStarts: 0, invocations: 0 },
    };
  }

  async finish(): Promise<LoadRecord> {
    const ended = Promise.all(this.#leftOver.map(({ done }) => done));
    if (this.#leftOver.length > 0) await Promise.race([ended, delay(this.#clock, leftOverWaitUs)]);
    for (const pending of this.#leftOver.splice(0)) pending.abandon();
    return { attempts: this.#attempts, transactions: this.#transactions };
  }

  problems(): readonly string[] {
    return [];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function countsOf({
  leftOver: _requests,
  startUs: _start,
  endUs: _end,
  ...counts
}: OpenLoopResult): OpenCounts {
  return counts;
}

function writesOf({ operations }: RecordedTransaction): RecordedTransaction["operations"] {
  return operations.filter(({ kind }) => kind === "write");
}
