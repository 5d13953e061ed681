/**
 * @module Puts one cell under its load: warm-up and measured blocks, closed or open loop.
 *
 * Several processes may share a load. Each computes the whole schedule, which the seed fixes, and takes
 * every n-th due time (or client) of it: so what is offered is the same whatever their number.
 */
import { delay } from "#kit/clock.ts";
import { createPrng } from "#kit/prng.ts";
import { runClosedLoop } from "#harness/loadgen/closed-loop.ts";
import {
  type ClosedLoad,
  countInShare,
  type LoadPlan,
  type LoadShare,
  type OpenLoad,
} from "#harness/loadgen/load.ts";
import { type OpenLoopResult, runOpenLoop } from "#harness/loadgen/open-loop.ts";
import { recordDropped, type RequestContext, startRequest } from "#harness/loadgen/request.ts";
import { arrivalsUs, stagesOf } from "#workloads/arrivals/plan.ts";
import { scheduleArrivals } from "#workloads/arrivals/schedule.ts";

export type DriveContext = Omit<RequestContext, "block" | "label">;

export interface BlockResult {
  readonly startUs: number;
  readonly endUs: number;
  /** Of an open loop. */
  readonly open?: OpenLoopResult;
}

/** Far above every measured request's, so that warm-up requests have ids and sessions of their own. */
const warmUpFirst = 1_000_000;
/** Time between planning an open block and its first due time: enough to be ready for it. */
export const leadUs = 5_000;

export class Driver {
  readonly #load: LoadPlan;
  readonly #context: DriveContext;
  readonly #seed: number;
  readonly #share: LoadShare;
  readonly #due: Float64Array;
  readonly #onLateness: (latenessUs: number) => void;

  constructor(options: {
    readonly load: LoadPlan;
    readonly context: DriveContext;
    readonly seed: number;
    readonly share: LoadShare;
    readonly onLateness: (latenessUs: number) => void;
  }) {
    const { load, context, seed, share, onLateness } = options;
    this.#load = load;
    this.#share = share;
    this.#context = context;
    this.#seed = seed;
    this.#onLateness = onLateness;
    this.#due =
      load.model === "open"
        ? scheduleArrivals(load.arrivals, createPrng(seed).fork("arrivals"))
        : new Float64Array();
  }

  /** What is sent here is not measured; `sinks` replace those of the measured load. */
  async warmUp(sinks: RequestContext["sinks"]): Promise<void> {
    const load = this.#load;
    const context = { ...this.#context, label: "warm-up-", block: -1, sinks };
    if (load.model === "closed") {
      const { warmUpRequestsPerClient: requestsPerClient } = load;
      await this.#closed(load, context, { firstIndex: warmUpFirst, requestsPerClient });
      return;
    }
    const perSecond = firstRate(load);
    const plan = { kind: "constant", perSecond, seconds: load.warmUpSeconds } as const;
    const due = scheduleArrivals(plan, createPrng(this.#seed));
    const { leftOver } = await this.#open(load, context, {
      offsets: due,
      firstClient: warmUpFirst,
      originUs: context.clock.monotonicUs() + leadUs,
      onLateness: () => {},
    });
    // A block must not begin among the requests of the warm-up.
    await Promise.race([
      Promise.all(leftOver.map(({ done }) => done)),
      delay(context.clock, load.drainUs),
    ]);
    for (const pending of leftOver) pending.abandon();
  }

  /** `originUs`: instant of the block's beginning, for processes that must begin together. */
  async block(
    block: number,
    originUs = this.#context.clock.monotonicUs() + leadUs,
  ): Promise<BlockResult> {
    const load = this.#load;
    const context = { ...this.#context, block };
    if (load.model === "closed") {
      const perBlock = Math.ceil(load.requestsPerClient / load.blocks);
      const firstIndex = block * perBlock;
      const rest = Math.min(perBlock, load.requestsPerClient - firstIndex);
      return this.#closed(load, context, { firstIndex, requestsPerClient: Math.max(0, rest) });
    }
    const blockUs = arrivalsUs(load.arrivals) / load.blocks;
    const first = lowerBound(this.#due, block * blockUs);
    const end = lowerBound(this.#due, (block + 1) * blockUs);
    const due = this.#due.slice(first, end).map((at) => at - block * blockUs);
    const open = await this.#open(load, context, {
      offsets: due,
      firstClient: first,
      originUs,
      onLateness: this.#onLateness,
    });
    return { startUs: open.startUs, endUs: open.endUs, open };
  }

  #closed(
    load: ClosedLoad,
    context: RequestContext,
    part: { readonly firstIndex: number; readonly requestsPerClient: number },
  ): Promise<BlockResult> {
    const { clock, signal } = context;
    const { thinkTimeUs, seconds } = load;
    const { index: own, of } = this.#share;
    return runClosedLoop({
      clock,
      signal,
      clients: countInShare(load.clients, this.#share),
      thinkTimeUs,
      ...part,
      ...(seconds !== undefined &&
        context.block >= 0 && { durationUs: (seconds * 1_000_000) / load.blocks }),
      send: (position, index, dueUs) =>
        startRequest(context, { client: position * of + own, index, dueUs }).done,
    });
  }

  /** Every arrival is a client of its own with one request: nothing orders it after another. */
  #open(
    load: OpenLoad,
    context: RequestContext,
    part: {
      readonly offsets: Float64Array;
      readonly firstClient: number;
      readonly originUs: number;
      readonly onLateness: (latenessUs: number) => void;
    },
  ): Promise<OpenLoopResult> {
    const { clock, signal } = context;
    const { slotWaitUs, timeoutUs, drainUs } = load;
    const { firstClient, originUs, onLateness } = part;
    const { index: own, of } = this.#share;
    const offsets = part.offsets.filter((_at, position) => position % of === own);
    const ticket = (position: number, dueUs: number) => ({
      client: firstClient + position * of + own,
      index: 0,
      dueUs,
    });
    return runOpenLoop({
      clock,
      signal,
      slots: countInShare(load.slots, this.#share),
      slotWaitUs,
      timeoutUs,
      drainUs,
      onLateness,
      dueUs: offsets.map((at) => originUs + Math.round(at)),
      send: (position, dueUs) => startRequest(context, ticket(position, dueUs)),
      drop: (position, dueUs) => {
        recordDropped(context, ticket(position, dueUs), load);
      },
    });
  }
}

function firstRate({ arrivals }: OpenLoad): number {
  if (arrivals.kind === "trace")
    return (arrivals.dueUs.length * 1_000_000) / Math.max(1_000_000, arrivalsUs(arrivals));
  const [first] = stagesOf(arrivals);
  return Math.max(1, first?.fromPerSecond ?? 1);
}

/** First position whose value is not below `bound`. */
function lowerBound(sorted: Float64Array, bound: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? Infinity) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
