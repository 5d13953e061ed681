/**
 * @module What a cell's generator and machine did while it was measured, and the verdict on it.
 */
import { availableParallelism } from "node:os";
import type { OpenLoopResult } from "#harness/loadgen/open-loop.ts";
import { type RunningFitness, watchFitness } from "#harness/metrics/fitness.ts";
import { watchGenerator } from "#harness/metrics/generator-watch.ts";
import { LatencyHistogram } from "#harness/metrics/histogram.ts";
import { judgeValidity, mergeWatches } from "#harness/metrics/validity.ts";
import type {
  FitnessWatch,
  GeneratorWatch,
  Measurements,
  OfferedLoad,
} from "#harness/record/measurements.ts";
import type { Percentile } from "#harness/record/run.ts";

type Counts = Pick<
  OpenLoopResult,
  "offered" | "sent" | "dropped" | "timedOut" | "unanswered" | "late" | "maxInFlight"
>;

/** A block under watch. */
export interface BlockWatch {
  /** `open`: what became of an open loop's schedule. */
  stop(block: { readonly seconds: number; readonly open?: Counts }): void;
}

export class RunObserver {
  readonly #directory: string;
  readonly #blocks: {
    seconds: number;
    generator: GeneratorWatch;
    fitness: FitnessWatch;
  }[] = [];
  readonly #lateness = new LatencyHistogram();
  #before: FitnessWatch | undefined;
  #counts: Counts | undefined;

  constructor(options: { readonly directory: string }) {
    this.#directory = options.directory;
  }

  /** While the cell is prepared: what the machine does before the load. */
  watchPreparation(): { stop(): void } {
    const running: RunningFitness = watchFitness(this.#directory);
    return {
      stop: () => {
        this.#before = running.stop();
      },
    };
  }

  watchBlock(): BlockWatch {
    const fitness = watchFitness(this.#directory);
    const generator = watchGenerator();
    return {
      stop: ({ seconds, open }) => {
        this.#blocks.push({ seconds, generator: generator.stop(), fitness: fitness.stop() });
        if (open !== undefined) this.#counts = sum(this.#counts, open);
      },
    };
  }

  recordLateness(us: number): void {
    this.#lateness.record(Math.max(0, Math.round(us)));
  }

  /** Everything for the record; nothing when no block was run. */
  conclude(options: {
    readonly smoke: boolean;
    readonly responseP99Us: Percentile;
    readonly generatorCores: number;
  }): Pick<Measurements, "invalidReasons" | "notes" | "load" | "generator" | "fitness"> {
    const merged = mergeWatches(this.#blocks);
    if (merged === undefined) return { invalidReasons: [] };
    const fitness = {
      ...merged.fitness,
      loadAverageBefore: this.#before?.loadAverageBefore ?? merged.fitness.loadAverageBefore,
      foreignCoresBefore: this.#before?.foreignCores ?? null,
    };
    const load = this.#counts === undefined ? undefined : this.#offered(this.#counts);
    const judgement = judgeValidity({
      ...options,
      cores: availableParallelism(),
      generator: merged.generator,
      fitness,
      ...(load !== undefined && { load }),
    });
    return {
      ...judgement,
      generator: merged.generator,
      fitness,
      ...(load !== undefined && { load }),
    };
  }

  #offered(counts: Counts): OfferedLoad {
    return {
      ...counts,
      dispatchLatenessUs: this.#lateness.summary(),
    };
  }
}

function sum(a: Counts | undefined, b: Counts): Counts {
  return {
    offered: (a?.offered ?? 0) + b.offered,
    sent: (a?.sent ?? 0) + b.sent,
    dropped: (a?.dropped ?? 0) + b.dropped,
    timedOut: (a?.timedOut ?? 0) + b.timedOut,
    unanswered: (a?.unanswered ?? 0) + b.unanswered,
    late: (a?.late ?? 0) + b.late,
    maxInFlight: Math.max(a?.maxInFlight ?? 0, b.maxInFlight),
  };
}
