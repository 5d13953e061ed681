/**
 * @module What load a cell is put under, as data: closed or open loop, with everything resolved.
 *
 * The two are never mixed in a figure: a closed loop slows down with the system (its times are
 * service times), an open loop does not (its times count from the due time).
 */
import {
  type ArrivalPlan,
  arrivalsUs,
  describeArrivals,
  expectedArrivals,
} from "#workloads/arrivals/plan.ts";

/** N clients, each with its next request when the last has ended: the paper's method. */
export interface ClosedLoad {
  readonly model: "closed";
  readonly clients: number;
  /** Measured requests of each client, over all blocks. */
  readonly requestsPerClient: number;
  /** Ends the load after this time, over all blocks, however few requests were sent by then. */
  readonly seconds?: number;
  /** Pause of a client between an answer and its next request. */
  readonly thinkTimeUs: number;
  /** Before the first block; recorded nowhere. */
  readonly warmUpRequestsPerClient: number;
  /** The load is cut into this many parts, which alternate with those of the cells beside it. */
  readonly blocks: number;
  /** Processes that share the load; absent: one, the suite's own. */
  readonly generators?: number;
}

/** A schedule fixed in advance. */
export interface OpenLoad {
  readonly model: "open";
  readonly arrivals: ArrivalPlan;
  /** Requests under way at once. */
  readonly slots: number;
  /** A due request waits so long for a free slot; then it is dropped, and counted. */
  readonly slotWaitUs: number;
  /** From the due time; what has not ended by then is counted with this time. */
  readonly timeoutUs: number;
  /** After the last due time of a block; what is still under way then is counted as unanswered. */
  readonly drainUs: number;
  /** At the schedule's first rate, before the first block; recorded nowhere. */
  readonly warmUpSeconds: number;
  readonly blocks: number;
  /** Processes that share the load; absent: one, the suite's own. */
  readonly generators?: number;
}

export type LoadPlan = ClosedLoad | OpenLoad;

/** Fills in what most closed loops have in common. */
export function closedLoad(
  load: Omit<ClosedLoad, "model" | "thinkTimeUs"> & { readonly thinkTimeUs?: number },
): ClosedLoad {
  return { model: "closed", thinkTimeUs: 0, ...load };
}

/** Fills in what most open loops have in common. */
export function openLoad(load: Partial<OpenLoad> & Pick<OpenLoad, "arrivals">): OpenLoad {
  return {
    model: "open",
    slots: 64,
    slotWaitUs: 1_000_000,
    timeoutUs: 10_000_000,
    drainUs: 10_000_000,
    warmUpSeconds: 1,
    blocks: 5,
    ...load,
  };
}

/** Which part of a load one process makes: the clients or due times whose position mod `of` is `index`. */
export interface LoadShare {
  readonly index: number;
  readonly of: number;
}

/** All of it. */
export const wholeLoad: LoadShare = { index: 0, of: 1 };

/** How many of `total` things, dealt out one by one, fall to a share. */
export function countInShare(total: number, { index, of }: LoadShare): number {
  return Math.max(0, Math.ceil((total - index) / of));
}

/** Requests that may be under way at once. */
export function concurrencyOf(load: LoadPlan): number {
  return load.model === "closed" ? load.clients : load.slots;
}

/** Measured requests, over all blocks; for an open loop as many as expected. */
export function requestsOf(load: LoadPlan): number {
  return load.model === "closed"
    ? load.clients * load.requestsPerClient
    : expectedArrivals(load.arrivals);
}

/** The load without its warm-up: the paper's method counts cold starts. */
export function withoutWarmUp(load: LoadPlan): LoadPlan {
  return load.model === "closed"
    ? { ...load, warmUpRequestsPerClient: 0 }
    : { ...load, warmUpSeconds: 0 };
}

/** For the manifest. */
export function describeLoad(load: LoadPlan): Readonly<Record<string, unknown>> {
  return load.model === "closed"
    ? { ...load }
    : { ...load, arrivals: describeArrivals(load.arrivals) };
}

/** In a few words, for plans. */
export function summarizeLoad(load: LoadPlan): string {
  const { generators = 1 } = load;
  const by = generators === 1 ? "" : ` by ${generators} processes`;
  if (load.model === "closed") return `${load.clients} × ${load.requestsPerClient}${by}`;
  const seconds = (arrivalsUs(load.arrivals) / 1_000_000).toFixed(0);
  return `open, ${requestsOf(load)} in ${seconds} s${by}`;
}
