/**
 * @module What a cell's generator and machine did while it was measured, and the verdict on it.
 */
import { availableParallelism } from "node:os";
import { type RunningFitness, watchFitness } from "#harness/metrics/fitness.ts";
import { LatencyHistogram } from "#harness/metrics/histogram.ts";
import {
  type GeneratorObservation,
  judgeValidity,
  mergeFitness,
  mergeWatches,
  type Validity,
} from "#harness/metrics/validity.ts";
import type { FitnessWatch, Measurements, OfferedLoad } from "#harness/record/measurements.ts";
import type { Percentile } from "#harness/record/run.ts";
import type { GeneratorBlock, OpenCounts } from "./generators.ts";

/** A block under watch. */
export interface BlockWatch {
  stop(block: { readonly seconds: number; readonly generators: readonly GeneratorBlock[] }): void;
}

interface WatchedBlock {
  readonly seconds: number;
  readonly fitness: FitnessWatch;
  readonly generators: readonly GeneratorBlock[];
}

export class RunObserver {
  readonly #directory: string;
  readonly #blocks: WatchedBlock[] = [];
  #before: FitnessWatch | undefined;

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
    return {
      stop: ({ seconds, generators }) => {
        this.#blocks.push({ seconds, generators, fitness: fitness.stop() });
      },
    };
  }

  /** Everything for the record; nothing when no block was run. */
  conclude(options: {
    readonly smoke: boolean;
    readonly validity: Validity;
    readonly responseP99Us: Percentile;
  }): Pick<
    Measurements,
    "invalidReasons" | "validity" | "notes" | "load" | "generator" | "generators" | "fitness"
  > {
    const merged = mergeFitness(this.#blocks);
    if (merged === undefined) return { invalidReasons: [] };
    const fitness = {
      ...merged,
      loadAverageBefore: this.#before?.loadAverageBefore ?? merged.loadAverageBefore,
      foreignCoresBefore: this.#before?.foreignCores ?? null,
    };
    const count = Math.max(...this.#blocks.map(({ generators }) => generators.length));
    const generators = Array.from({ length: count }, (_unused, index) =>
      observationOf(this.#blocks, ({ generators: all }) => all.slice(index, index + 1)),
    );
    const together = observationOf(this.#blocks, ({ generators: all }) => all);
    const judgement = judgeValidity({
      ...options,
      cores: availableParallelism(),
      generators,
      fitness,
    });
    return {
      ...judgement,
      validity: options.validity,
      generator: together.generator,
      ...(count > 1 && { generators }),
      fitness,
      ...(together.load !== undefined && { load: together.load }),
    };
  }
}

/** What some of the processes did over all blocks. */
function observationOf(
  blocks: readonly WatchedBlock[],
  pick: (block: WatchedBlock) => readonly GeneratorBlock[],
): GeneratorObservation {
  const picked = blocks.flatMap((block) =>
    pick(block).map((generator) => ({ seconds: block.seconds, generator })),
  );
  const generator = mergeWatches(
    picked.map(({ seconds, generator: { watch } }) => ({ seconds, generator: watch })),
  );
  const seconds = picked.reduce((sum, part) => sum + part.seconds, 0);
  const used = picked.reduce((sum, part) => sum + part.seconds * part.generator.cores, 0);
  const load = offeredBy(picked.map((part) => part.generator));
  return {
    generator,
    cores: Math.round((used / Math.max(seconds, 1e-9)) * 1_000) / 1_000,
    ...(load !== undefined && { load }),
  };
}

function offeredBy(parts: readonly GeneratorBlock[]): OfferedLoad | undefined {
  const counts = parts.flatMap(({ open }) => open ?? []);
  if (counts.length === 0) return undefined;
  const lateness = new LatencyHistogram();
  for (const part of parts) lateness.merge(part.lateness);
  return { ...counts.reduce(addCounts), dispatchLatenessUs: lateness.summary() };
}

function addCounts(a: OpenCounts, b: OpenCounts): OpenCounts {
  return {
    offered: a.offered + b.offered,
    sent: a.sent + b.sent,
    dropped: a.dropped + b.dropped,
    timedOut: a.timedOut + b.timedOut,
    unanswered: a.unanswered + b.unanswered,
    late: a.late + b.late,
    maxInFlight: Math.max(a.maxInFlight, b.maxInFlight),
  };
}
