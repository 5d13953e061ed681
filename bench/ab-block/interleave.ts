/** @module Runs blocks of three sides next to each other, in an order drawn anew for every block. */
import type { Prng } from "#kit/prng.ts";
import type { BlockRunner } from "./runner.ts";
import type { BlockAnswer } from "./protocol.ts";

export const sides = ["base", "baseAgain", "candidate"] as const;
export type Side = (typeof sides)[number];

export interface AbSizes {
  readonly blocks: number;
  readonly blockMs: number;
  readonly warmUpMs: number;
}

export type AbBlocks = Readonly<Record<Side, readonly BlockAnswer[]>>;

/** Stops between two blocks when `signal` does; what is there then has equal length on all sides. */
export async function interleave(options: {
  readonly runners: Readonly<Record<Side, BlockRunner>>;
  readonly sizes: AbSizes;
  /** Number of the first block; later ones of the same runners must not repeat it. */
  readonly firstBlock: number;
  readonly prng: Prng;
  readonly signal: AbortSignal;
}): Promise<AbBlocks> {
  const { runners, sizes, firstBlock, prng, signal } = options;
  const answers: Record<Side, BlockAnswer[]> = { base: [], baseAgain: [], candidate: [] };
  for (const side of sides) await runners[side].run(firstBlock, sizes.warmUpMs);
  for (let block = 1; block <= sizes.blocks && !signal.aborted; block += 1) {
    for (const side of shuffled(sides, prng))
      answers[side].push(await runners[side].run(firstBlock + block, sizes.blockMs));
  }
  return answers;
}

function shuffled<T>(items: readonly T[], prng: Prng): T[] {
  const drawn = items.map((item) => ({ item, at: prng.next() }));
  return drawn.toSorted((a, b) => a.at - b.at).map(({ item }) => item);
}
