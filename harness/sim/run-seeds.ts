/** @module Simulates seed after seed, and makes failures small. */
import type { SimConfig } from "./config.ts";
import { drawConfig } from "./draw.ts";
import { shrink, type Shrunk } from "./shrink.ts";
import { simulate, type SimResult } from "./simulate.ts";

export interface SeedFailure {
  readonly seed: number;
  readonly violations: readonly string[];
  /** Absent when it was not asked for. */
  readonly shrunk?: Shrunk;
}

export interface SeedsResult {
  readonly seeds: { readonly from: number; readonly to: number; readonly run: number };
  readonly events: number;
  readonly virtualMs: number;
  readonly requests: { readonly done: number; readonly givenUp: number };
  readonly transactions: SimResult["transactions"];
  readonly operations: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly failures: readonly SeedFailure[];
}

export interface SeedsOptions {
  readonly from: number;
  readonly to: number;
  /** Default: what the seed draws. */
  readonly configOf?: (seed: number) => SimConfig;
  readonly shrinks: boolean;
  /** Ends with so many failures. */
  readonly maxFailures: number;
  readonly signal?: AbortSignal;
  readonly onSeed?: (result: SimResult) => void;
}

export async function runSeeds(options: SeedsOptions): Promise<SeedsResult> {
  const { from, to, shrinks, maxFailures, signal, onSeed } = options;
  const configOf = options.configOf ?? drawConfig;
  const failures: SeedFailure[] = [];
  const errors = new Map<string, number>();
  const sum = { run: 0, events: 0, virtualMs: 0, done: 0, givenUp: 0, operations: 0 };
  const transactions = { committed: 0, aborted: 0, unknown: 0 };
  for (let seed = from; seed <= to; seed += 1) {
    if (signal?.aborted === true) break;
    const config = configOf(seed);
    const result = await simulate(config);
    sum.run += 1;
    sum.events += result.events;
    sum.virtualMs += result.virtualMs;
    sum.done += result.requests.done;
    sum.givenUp += result.requests.givenUp;
    sum.operations += result.operations;
    for (const kind of ["committed", "aborted", "unknown"] as const)
      transactions[kind] += result.transactions[kind];
    for (const [code, count] of Object.entries(result.errors))
      errors.set(code, (errors.get(code) ?? 0) + count);
    onSeed?.(result);
    if (result.violations.length === 0) continue;
    const { violations } = result;
    const shrunk = shrinks ? await shrink(config, simulate) : undefined;
    failures.push({ seed, violations, ...(shrunk !== undefined && { shrunk }) });
    if (failures.length >= maxFailures) break;
  }
  return {
    seeds: { from, to, run: sum.run },
    events: sum.events,
    virtualMs: sum.virtualMs,
    requests: { done: sum.done, givenUp: sum.givenUp },
    transactions,
    operations: sum.operations,
    errors: Object.fromEntries([...errors].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    failures,
  };
}
