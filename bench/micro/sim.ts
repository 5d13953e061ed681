/**
 * @module How fast the simulator is on one core, and whether its memory stays flat: seeds one after
 * another, in blocks. Simulated time is of no interest here; the wall clock is measured.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { quantile } from "#harness/stats/quantile.ts";
import { runSeeds } from "#harness/sim/run-seeds.ts";
import type { Micro, MicroFigure } from "./micro.ts";

/** What one core of a laptop should do at least. */
const leastEventsPerSecond = 150_000;
const warmUpBlocks = 6;
/** By so much the heap may be larger after the last half of the run than after the first: compiled code. */
const mostGrowthMebibytes = 4;
const mebibyte = 1_048_576;

export const sim: Micro = {
  id: "sim",
  title: "events per second of the simulator, and its memory over a run",
  run: async ({ seed, smoke, signal, note }) => {
    const blocks = smoke ? 2 : 8;
    const seedsPerBlock = smoke ? 2 : 50;
    const rates: number[] = [];
    const heaps: number[] = [];
    const collectGarbage = garbageCollector();
    let from = seed;
    let events = 0;
    let cold: number | undefined;
    const runBlock = async (): Promise<number> => {
      const startUs = performance.now() * 1_000;
      const to = from + seedsPerBlock - 1;
      const result = await runSeeds({ from, to, shrinks: false, maxFailures: 1, signal });
      from = to + 1;
      events += result.events;
      return (result.events * 1_000_000) / (performance.now() * 1_000 - startUs);
    };
    // The first blocks compile: what is hot differs from seed to seed, and a night runs 100,000 of them.
    for (let block = smoke ? -1 : -warmUpBlocks; block < 0 && !signal.aborted; block += 1) {
      const rate = await runBlock();
      cold ??= rate;
    }
    events = 0;
    for (let block = 0; block < blocks && !signal.aborted; block += 1) {
      rates.push(await runBlock());
      note(`sim: ${block + 1} of ${2 * blocks} blocks, ${Math.round(rates.at(-1) ?? 0)} events/s`);
    }
    // Apart from the rate: a collection by hand also throws compiled code away, whose types were a seed's.
    for (let block = 0; block < blocks && !signal.aborted; block += 1) {
      await runBlock();
      collectGarbage();
      // What is still there after this is kept by somebody.
      heaps.push(process.memoryUsage().heapUsed / mebibyte);
      note(`sim: ${blocks + block + 1} of ${2 * blocks} blocks`);
    }
    return {
      name: "sim",
      figures: [...figuresOf(rates, heaps, smoke), forOrientation(cold ?? 0)],
      conditions: {
        blocks,
        seedsPerBlock,
        warmUpBlocks: smoke ? 1 : warmUpBlocks,
        events,
        labels: ["simulated"],
        heap: "after a collection, between as many blocks again",
      },
      notRun: [],
    };
  },
};

function figuresOf(
  rates: readonly number[],
  heaps: readonly number[],
  smoke: boolean,
): MicroFigure[] {
  const sorted = rates.toSorted((a, b) => a - b);
  const rate: MicroFigure = {
    id: "events-per-second",
    value: quantile(sorted, 0.5),
    unit: "events/s",
    low: sorted[0] ?? 0,
    high: sorted.at(-1) ?? 0,
    ...(!smoke && { least: leastEventsPerSecond }),
  };
  const half = Math.ceil(heaps.length / 2);
  const growth = Math.max(...heaps.slice(half)) - Math.max(...heaps.slice(0, half));
  return [
    rate,
    {
      id: "heap",
      value: Math.max(...heaps),
      unit: "MiB",
      low: Math.min(...heaps),
      high: Math.max(...heaps),
    },
    {
      id: "heap-growth",
      value: growth,
      unit: "MiB",
      low: growth,
      high: growth,
      ...(!smoke && { most: mostGrowthMebibytes }),
    },
  ];
}

function forOrientation(cold: number): MicroFigure {
  const id = "events-per-second-of-the-first-block";
  return { id, value: cold, unit: "events/s", low: cold, high: cold };
}

/** Node hides it unless it is started with a flag; a context made after the flag was set has it. */
function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
