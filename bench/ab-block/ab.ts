/**
 * @module Two sides in one run: brings up base twice (for A/A) and the candidate once, interleaves their
 * blocks, and judges the ratio.
 */
import { createPrng } from "#kit/prng.ts";
import { Scope } from "#harness/experiment/scope.ts";
import type { GateResult } from "#harness/gate/outcome.ts";
import { judgeTail, judgeTime, timeGate, type TimeJudgement } from "#harness/gate/time.ts";
import { type AbBlocks, type AbSizes, interleave, type Side, sides } from "./interleave.ts";
import type { BlockRunnerConfig } from "./protocol.ts";
import { checkOut, ownRoot } from "./revision.ts";
import { startBlockRunner } from "./runner.ts";
import { type AbStore, openStores } from "./stores.ts";

export interface AbSide {
  /** What it is called in results. */
  readonly name: string;
  readonly system: string;
  readonly settings: BlockRunnerConfig["settings"];
}

export interface AbOptions {
  /** A revision for the base side; absent: both sides run this checkout's code. */
  readonly baseRevision?: string;
  readonly base: AbSide;
  readonly candidate: AbSide;
  readonly storage: AbStore;
  readonly seed: number;
  readonly clients: number;
  readonly threshold: number;
  /** The same for p99, which varies more. */
  readonly tailThreshold: number;
  readonly sizes: AbSizes;
  /** Attempts before a doubt is believed; a failure is after `attemptsToFail`. */
  readonly maxAttempts: number;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
}

export interface AbResult {
  readonly result: GateResult;
  readonly judgements: readonly TimeJudgement[];
  /** Shown, never judged. */
  readonly shown: readonly TimeJudgement[];
  readonly blocks: AbBlocks;
}

const workload = {
  functions: 2,
  readsPerFunction: 2,
  writesPerFunction: 1,
  keyCount: 1_000,
  zipfTheta: 0.99,
  valueBytes: 1_024,
} as const;

/** A failure is believed when so many attempts, together, say so. */
const attemptsToFail = 3;

/**
 * Measures until what was measured passes, or fails after several attempts, or attempts are used up.
 * Every attempt has processes of its own, because a process can be slow for as long as it lives; all
 * attempts are judged together, so that doubt shrinks with their number. Rejects with `ConfigError`, or
 * when a runner fails.
 */
export async function compareSides(options: AbOptions): Promise<AbResult> {
  const { maxAttempts, signal, note, sizes } = options;
  const scope = new Scope();
  try {
    const { baseRevision } = options;
    const checkout =
      baseRevision === undefined ? undefined : scope.own(await checkOut(baseRevision));
    const baseRoot = checkout?.root ?? ownRoot;
    const notes = [
      `base ${options.base.name}${checkout === undefined ? "" : ` at ${checkout.commit.slice(0, 12)}`}, candidate ${options.candidate.name}`,
      `${sizes.blocks} blocks of ${sizes.blockMs} ms a side, ${options.clients} client(s), closed loop, ${options.storage}, seed ${options.seed}`,
    ];
    const blocks: Record<Side, AbBlocks[Side][number][]> = {
      base: [],
      baseAgain: [],
      candidate: [],
    };
    for (let attempt = 1; ; attempt += 1) {
      note(`attempt ${attempt} of at most ${maxAttempts}: ${notes[1]}`);
      const measured = await measure(options, baseRoot, attempt);
      for (const side of sides) blocks[side].push(...measured[side]);
      const judged = judge(options, blocks, attempt);
      const result = timeGate(judged.judgements, { attempts: attempt, notes });
      const enough = result.outcome === "fail" ? attemptsToFail : maxAttempts;
      const settled =
        result.outcome === "pass" || attempt >= Math.min(enough, maxAttempts) || signal.aborted;
      if (settled) return { result, ...judged, blocks };
      note(`${result.outcome}; measuring more before it is believed`);
    }
  } finally {
    await scope.close();
  }
}

async function measure(options: AbOptions, baseRoot: string, attempt: number): Promise<AbBlocks> {
  const { base, candidate, storage, seed, clients, sizes, signal } = options;
  const scope = new Scope();
  const start = async (
    side: AbSide,
    root: string,
    url: string,
  ): Promise<Awaited<ReturnType<typeof startBlockRunner>>> => {
    const { name, system, settings } = side;
    const config = { system, settings, storage: url, seed, clients, workload };
    return scope.own(await startBlockRunner({ name, root, config }));
  };
  try {
    const urls = await openStores(storage, scope);
    const runners = {
      base: await start(base, baseRoot, urls.base),
      baseAgain: await start(base, baseRoot, urls.baseAgain),
      candidate: await start(candidate, ownRoot, urls.candidate),
    };
    const prng = createPrng(seed).fork(`order ${attempt}`);
    return await interleave({ runners, sizes, firstBlock: 0, prng, signal });
  } finally {
    await scope.close();
  }
}

function judge(
  options: AbOptions,
  blocks: AbBlocks,
  attempt: number,
): Pick<AbResult, "judgements" | "shown"> {
  const prng = createPrng(options.seed).fork(`intervals ${attempt}`);
  const figure = (name: string, of: (answer: AbBlocks[Side][number]) => number): TimeJudgement => {
    const values = (side: Side): number[] => blocks[side].map(of);
    const figures = {
      base: values("base"),
      baseAgain: values("baseAgain"),
      candidate: values("candidate"),
    };
    return judgeTime({ name, figures, threshold: options.threshold, prng });
  };
  return {
    judgements: [
      figure("transaction p50", ({ p50Us }) => p50Us),
      // The inverse of throughput, so that less is better as with all others.
      figure("time per transaction", ({ seconds, transactions }) => seconds / transactions),
      judgeTail({
        name: "transaction p99",
        q: 0.99,
        values: {
          base: blocks.base.map(({ timesUs = [] }) => timesUs),
          baseAgain: blocks.baseAgain.map(({ timesUs = [] }) => timesUs),
          candidate: blocks.candidate.map(({ timesUs = [] }) => timesUs),
        },
        threshold: options.tailThreshold,
        prng,
      }),
    ],
    shown: [figure("transaction p90", ({ p90Us }) => p90Us)],
  };
}
