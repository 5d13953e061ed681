/**
 * @module What the parts of a transaction's path cost one by one, in this process and without a network:
 * parsing and encoding, choosing a version among few and many, planning a commit, the index, hearing
 * of 10,000 commits, collecting as many, and a whole transaction over a memory store.
 *
 * Each part runs in blocks of about the same length; a figure is the median over the blocks, its interval the
 * quartiles. Only comparable with figures of the same machine.
 */
import { performance } from "node:perf_hooks";
import { median, quantile } from "#harness/stats/quantile.ts";
import { clusterParts } from "./parts-cluster.ts";
import { pathParts } from "./parts-path.ts";
import type { Micro, MicroFigure } from "./micro.ts";

/** One thing that is timed. */
export interface Part {
  readonly id: string;
  /** What one of is counted: `command`, `choice`, `record`. */
  readonly per: string;
  /**
   * Prepares a block and returns what is timed: it does `count` of them.
   * What it prepares is not timed.
   */
  readonly block: (count: number) => MaybePromise<() => MaybePromise<void>>;
  /** How many at once are the part's size, for those that have one; else as many as fill a block. */
  readonly exactly?: number;
}

type MaybePromise<T> = T | Promise<T>;

const firstCount = 64;

export const parts: Micro = {
  id: "parts",
  title: "parse, choose, plan, index, merge, collect: each part of the shim's path alone",
  run: async ({ smoke, signal, note }) => {
    const sizes = smoke ? { blocks: 2, blockMs: 2 } : { blocks: 15, blockMs: 60 };
    const figures: MicroFigure[] = [];
    for (const part of [...pathParts(), ...clusterParts(smoke ? 500 : 10_000)]) {
      if (signal.aborted) break;
      figures.push(await measure(part, sizes));
      note(`parts: ${part.id}`);
    }
    return { name: "parts", figures, conditions: { ...sizes }, notRun: [] };
  },
};

async function measure(
  part: Part,
  sizes: { readonly blocks: number; readonly blockMs: number },
): Promise<MicroFigure> {
  let count = part.exactly ?? firstCount;
  // Warm up, and find out how many fill a block.
  for (let warm = 0; warm < 20; warm += 1) {
    const ms = await timed(part, count);
    if (part.exactly !== undefined) {
      if (warm >= 2) break;
    } else if (ms >= sizes.blockMs) break;
    else count = Math.ceil(count * Math.min(4, Math.max(1.1, sizes.blockMs / Math.max(ms, 0.01))));
  }
  const each: number[] = [];
  for (let block = 0; block < sizes.blocks; block += 1)
    each.push(((await timed(part, count)) * 1_000) / count);
  return {
    id: part.id,
    value: median(each),
    unit: `us per ${part.per}`,
    low: quantile(each, 0.25),
    high: quantile(each, 0.75),
  };
}

/** Milliseconds for `count` of them. */
async function timed(part: Part, count: number): Promise<number> {
  const run = await part.block(count);
  const before = performance.now();
  await run();
  return performance.now() - before;
}
