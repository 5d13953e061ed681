/**
 * @module Puts one cell under its load: warm-up and measured blocks, closed or open loop.
 */
import { delay } from "#kit/clock.ts";
import { createPrng } from "#kit/prng.ts";
import { runClosedLoop } from "#harness/loadgen/closed-loop.ts";
import type { ClosedLoad, LoadPlan, OpenLoad } from "#harness/loadgen/load.ts";
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
const leadUs = 5_000;

export class Driver {
  readonly #load: LoadPlan;
  readonly #context: DriveContext;
  readonly #seed: number;
  readonly #due: Float64Array;
  readonly #onLateness: (latenessUs: number) => void;

  constructor(options: {
    readonly load: LoadPlan;
    readonly context: DriveContext;
    readonly seed: number;
    readonly onLateness: (latenessUs: number) => void;
  }) {
    const { load, context, seed, onLateness } = options;
    this.#load = load;
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
    const { leftOver } = await this.#open(load, context, due, warmUpFirst, () => {});
    // A block must not begin among the requests of the warm-up.
    await Promise.race([
      Promise.all(leftOver.map(({ done }) => done)),
      delay(context.clock, load.drainUs),
    ]);
    for (const pending of leftOver) pending.abandon();
  }

  async block(block: number): Promise<BlockResult> {
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
    const open = await this.#open(load, context, due, first, this.#onLateness);
    return { startUs: open.startUs, endUs: open.endUs, open };
  }

  #closed(
    load: ClosedLoad,
    context: RequestContext,
    part: { readonly firstIndex: number; readonly requestsPerClient: number },
  ): Promise<BlockResult> {
    const { clock, signal } = context;
    const { clients, thinkTimeUs, seconds } = load;
    return runClosedLoop({
      clock,
      signal,
      clients,
      thinkTimeUs,
      ...part,
      ...(seconds !== undefined &&
        context.block >= 0 && { durationUs: (seconds * 1_000_000) / load.blocks }),
      send: (client, index, dueUs) => startRequest(context, { client, index, dueUs }).done,
    });
  }

  /** Every arrival is a client of its own with one request: nothing orders it after another. */
  #open(
    load: OpenLoad,
    context: RequestContext,
    offsets: Float64Array,
    firstClient: number,
    onLateness: (latenessUs: number) => void,
  ): Promise<OpenLoopResult> {
    const { clock, signal } = context;
    const { slots, slotWaitUs, timeoutUs, drainUs } = load;
    const originUs = clock.monotonicUs() + leadUs;
    const ticket = (position: number, dueUs: number) => ({
      client: firstClient + position,
      index: 0,
      dueUs,
    });
    return runOpenLoop({
      clock,
      signal,
      slots,
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
