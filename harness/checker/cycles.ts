/**
 * @module Circles among session order, reads-from and forced edges, those of few transactions first.
 *
 * Searches backwards from each of some closing edges within their strongly connected component. Session
 * order is transitive, so a walk along a session costs one transaction however far it goes.
 */
import { type Components, findComponents } from "./components.ts";
import { type ForcedEdge, ForcedEdges } from "./forced-edges.ts";
import type { Order } from "./order.ts";
import type { Transactions } from "./transactions.ts";

export type Step =
  | { readonly rule: "so"; readonly from: number; readonly to: number }
  | { readonly rule: "init"; readonly from: number; readonly to: number }
  | { readonly rule: "wr"; readonly from: number; readonly to: number; readonly key: number }
  | ({ readonly rule: "forced" } & ForcedEdge);

/** Each step ends where the next begins. */
export type Cycle = readonly Step[];

export interface Graph {
  readonly transactions: Transactions;
  readonly forced: ForcedEdges;
  readonly order: Order;
}

/** How `reader` knows of `from` by session order and reads-from: the fewest transactions between. */
export function findSupport(transactions: Transactions, from: number, reader: number): Step[] {
  const search = new Search({ transactions, forced: new ForcedEdges() }, undefined);
  return search.cheapestPath(from, reader) ?? [];
}

/** How many closing edges are tried, and how far the searches go in all. */
const maxClosing = 128;
const maxVisits = 2_000_000;

/** Transactions that a circle rests on: its own, and readers of its forced edges. */
export function transactionsOf(cycle: Cycle): Set<number> {
  const all = new Set<number>();
  for (const step of cycle) {
    all.add(step.from).add(step.to);
    if (step.rule === "forced") all.add(step.reader);
  }
  all.delete(0);
  return all;
}

/** Some circles, fewest transactions first; at least one if there is any. */
export function findCycles({ transactions, forced, order }: Graph): Cycle[] {
  const cycles: Cycle[] = [];
  for (let index = 0; index < forced.count && cycles.length < maxClosing; index += 1) {
    const edge = forced.edge(index);
    if (edge.to !== 0) continue;
    cycles.push([
      { rule: "forced", ...edge },
      { rule: "init", from: 0, to: edge.from },
    ]);
  }
  if (!order.acyclic) {
    const components = findComponents(transactions, forced);
    const search = new Search({ transactions, forced }, components);
    let shortest = Infinity;
    for (const closing of closingSteps({ transactions, forced, order }, components)) {
      // Not much longer than the best so far: a reader may be one of the circle's own.
      const path = search.cheapestPath(closing.to, closing.from, shortest + 2);
      if (path === undefined) continue;
      cycles.push([closing, ...path]);
      shortest = Math.min(shortest, path.length);
    }
  }
  return cycles.toSorted((a, b) => transactionsOf(a).size - transactionsOf(b).size);
}

/** Edges inside what is circular: forced ones, or reads-from where there are no forced ones. */
function closingSteps({ transactions, forced }: Graph, { of, circular }: Components): Step[] {
  const { readStart, readKey, readSource, count } = transactions;
  const steps: Step[] = [];
  const direct: Step[] = [];
  for (let index = 0; index < forced.count; index += 1) {
    const edge = forced.edge(index);
    if (edge.to === 0 || of[edge.from] !== of[edge.to]) continue;
    if (precedes(transactions, edge.to, edge.from)) direct.push({ rule: "forced", ...edge });
    else steps.push({ rule: "forced", ...edge });
    if (direct.length >= maxClosing) return direct;
  }
  if (forced.count === 0)
    for (let reader = 1; reader < count; reader += 1) {
      if (circular[reader] === 0) continue;
      const end = readStart[reader + 1] as number;
      for (let index = readStart[reader] as number; index < end; index += 1) {
        const from = readSource[index] as number;
        if (of[from] === of[reader])
          steps.push({ rule: "wr", from, to: reader, key: readKey[index] as number });
      }
    }
  // Evenly from all of them: those next to each other tend to close the same circle.
  const stride = Math.max(1, Math.floor(steps.length / maxClosing));
  return [...direct, ...steps.filter((_step, index) => index % stride === 0)];
}

/** Whether one step of session order or reads-from leads from `first` to `second`. */
function precedes(
  { sessionOf, readStart, readSource }: Transactions,
  first: number,
  second: number,
): boolean {
  if (sessionOf[first] === sessionOf[second]) return first < second;
  return readSource.subarray(readStart[second], readStart[second + 1]).includes(first);
}

interface Reached {
  readonly cost: number;
  /** The step from here, and the place after it; none at the end. */
  readonly step: Step | undefined;
  readonly after: number;
}

class Search {
  readonly #graph: Pick<Graph, "transactions" | "forced">;
  /** Circles stay within one; undefined where everything is searched, however far it goes. */
  readonly #components: Components | undefined;
  #visits = 0;

  constructor(graph: Pick<Graph, "transactions" | "forced">, components: Components | undefined) {
    this.#graph = graph;
    this.#components = components;
  }

  /**
   * Backwards from `to`: places are transactions (even) and passing through one along its session
   * (odd). Buckets by cost, because steps cost 0, 1 or 2.
   */
  cheapestPath(from: number, to: number, maxCost = Infinity): Step[] | undefined {
    const reached = new Map<number, Reached>();
    const buckets: number[][] = [[to * 2]];
    reached.set(to * 2, { cost: 0, step: undefined, after: -1 });
    for (let cost = 0; cost < buckets.length && cost <= maxCost; cost += 1) {
      const bucket = buckets[cost] ?? [];
      for (let place = bucket.pop(); place !== undefined; place = bucket.pop()) {
        if (reached.get(place)?.cost !== cost) continue;
        if (place === from * 2) return pathFrom(reached, place);
        this.#visits += 1;
        if (this.#visits > maxVisits && this.#components !== undefined) return undefined;
        for (const [before, price, step] of this.#stepsInto(place)) {
          const total = cost + price;
          const known = reached.get(before);
          if (known !== undefined && known.cost <= total) continue;
          reached.set(before, { cost: total, step, after: place });
          (buckets[total] ??= []).push(before);
        }
      }
      buckets[cost] = [];
    }
    return undefined;
  }

  #stepsInto(place: number): (readonly [number, number, Step | undefined])[] {
    const { transactions, forced } = this.#graph;
    const { sessionOf, readStart, readKey, readSource } = transactions;
    const to = place >> 1;
    const steps: (readonly [number, number, Step | undefined])[] = [];
    const before = to - 1;
    if (sessionOf[before] === sessionOf[to] && this.#together(before, to))
      steps.push([before * 2 + 1, 0, undefined]);
    if ((place & 1) === 1) return [...steps, [to * 2, 1, undefined]];
    const end = readStart[to + 1] as number;
    for (let index = readStart[to] as number; index < end; index += 1) {
      const from = readSource[index] as number;
      if (this.#together(from, to))
        steps.push([from * 2, 1, { rule: "wr", from, to, key: readKey[index] as number }]);
    }
    if (this.#components === undefined) return steps;
    const { incoming } = this.#components;
    const edgeEnd = incoming.start[to + 1] as number;
    for (let at = incoming.start[to] as number; at < edgeEnd; at += 1) {
      const edge = forced.edge(incoming.edge[at] as number);
      if (!this.#together(edge.from, to)) continue;
      steps.push([edge.from * 2, 2, { rule: "forced", ...edge }]);
    }
    return steps;
  }

  #together(first: number, second: number): boolean {
    if (this.#components === undefined) return first !== 0;
    const { of } = this.#components;
    return of[first] === of[second];
  }
}

/** The steps from a place to the end; passing along a session becomes one step. */
function pathFrom(reached: ReadonlyMap<number, Reached>, start: number): Step[] {
  const steps: Step[] = [];
  let sessionFrom = -1;
  for (let place = start, at = reached.get(place); at !== undefined; at = reached.get(place)) {
    if (at.after < 0) break;
    const next = at.after;
    if (at.step !== undefined) steps.push(at.step);
    else if ((place & 1) === 0) sessionFrom = place >> 1;
    if (at.step === undefined && (next & 1) === 0 && (place & 1) === 1)
      steps.push({ rule: "so", from: sessionFrom, to: next >> 1 });
    place = next;
  }
  return steps;
}
