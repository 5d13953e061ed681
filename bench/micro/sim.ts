/**
 * @module How fast the simulator is on one core, and whether its memory stays flat: seeds one after
 * another, in blocks. Simulated time is of no interest here; the wall clock is measured.
 */
import { quantile } from "#harness/stats/quantile.ts";
import { runSeeds } from "#harness/sim/run-seeds.ts";
import type { Micro, MicroFigure } from "./micro.ts";

/** What one core of a laptop should do at least. */
const leastEventsPerSecond = 150_000;
/** Of the last half of the run against the first: less is flat. */
const mebibyte = 1_048_576;

export const sim: Micro = {
  id: "sim",
  title: "events per second of the simulator, and its memory over a run",
  run: async ({ seed, smoke, signal, note }) => {
    const blocks = smoke ? 2 : 8;
    const seedsPerBlock = smoke ? 2 : 25;
    const rates: number[] = [];
    const heaps: number[] = [];
    let from = seed;
    let events = 0;
    // The first block compiles.
    for (let block = -1; block < blocks && !signal.aborted; block += 1) {
      const startUs = performance.now() * 1_000;
      const to = from + seedsPerBlock - 1;
      const result = await runSeeds({ from, to, shrinks: false, maxFailures: 1, signal });
      const seconds = (performance.now() * 1_000 - startUs) / 1_000_000;
      from = to + 1;
      if (block < 0) continue;
      events += result.events;
      rates.push(result.events / seconds);
      globalThis.gc?.();
      heaps.push(process.memoryUsage().heapUsed / mebibyte);
      note(`sim: ${block + 1} of ${blocks} blocks, ${Math.round(rates.at(-1) ?? 0)} events/s`);
    }
    return {
      name: "sim",
      figures: figuresOf(rates, heaps, smoke),
      conditions: {
        blocks,
        seedsPerBlock,
        events,
        labels: ["simulated"],
        gc: globalThis.gc !== undefined,
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
    { id: "heap-growth", value: growth, unit: "MiB", low: growth, high: growth },
  ];
}
