/**
 * @module Why a result is what it is, from what the record holds: storage calls, cache hits, where the time
 * went, cores. Pure; a fact that was not recorded is left out, never guessed.
 */
import type { SuiteResult } from "#harness/record/run.ts";
import type { ClaimRun } from "./claims-judge.ts";
import { percent, round } from "./claims-judge.ts";
import { storeName } from "./format.ts";
import { coreUse } from "./saturation.ts";

/** What a run is called within a sentence. */
export function nameOf({ cell }: ClaimRun): string {
  return `${cell.system} over ${storeName(cell)}`;
}

/** Storage calls of a transaction, of the shim as counted, of plain functions as recorded. */
export function callsFact(run: ClaimRun): string[] {
  const calls = callsOf(run);
  return calls === undefined ? [] : [`${nameOf(run)} makes ${calls} storage calls a transaction`];
}

/** Under `direct` every recorded operation is one call, except where a batch carries all. */
export function callsOf({ cell, storage, operations }: ClaimRun): number | undefined {
  if (storage !== null) return storage.callsPerTransaction;
  if (cell.system !== "direct" || operations === undefined) return undefined;
  const { readsPerTransaction, writesPerTransaction } = operations;
  return cell["batch"] === "batch" ? 1 : round(readsPerTransaction + writesPerTransaction);
}

/** Share of a shim's reads that needed no storage; undefined where it cannot be told. */
export function cacheShare({ storage, operations }: ClaimRun): number | undefined {
  const fetched = storage?.itemsReadPerTransaction;
  const asked = operations?.readsPerTransaction;
  if (fetched === undefined || asked === undefined || asked === 0) return undefined;
  return Math.max(0, 1 - fetched / asked);
}

export function cacheFact(run: ClaimRun): string[] {
  const share = cacheShare(run);
  const skew = run.cell.zipfTheta > 0 ? ` at zipf ${run.cell.zipfTheta}` : "";
  return share === undefined
    ? []
    : [`${nameOf(run)} answers ${percent(share)} of reads without storage${skew}`];
}

/** Where the mean time of a request went, as the function saw it. */
export function timeFact(run: ClaimRun): string[] {
  const { warm } = run.split ?? {};
  if (warm === undefined || warm === null) return [];
  const stateMs = round(warm.stateUs / 1_000);
  const totalMs = round(warm.totalUs.mean / 1_000);
  return [
    `${nameOf(run)} spends ${stateMs} of ${totalMs} ms in state operations and commit (means)`,
  ];
}

/** A stop of the load process that is long enough to be in the tail: whoever was under way had to wait. */
export function stallFact(run: ClaimRun): string[] {
  const stallMs = run.generator?.longestStallMs ?? 0;
  const { p99, count } = run.responseTimeUs;
  if (typeof p99 !== "number" || stallMs * 1_000 < p99 / 2) return [];
  return [
    `the load process of ${nameOf(run)} stood still for ${Math.round(stallMs)} ms at once (too short to make the run invalid), ` +
      `while up to ${run.cell.clients} of its ${count} requests were under way: that is in its p99 of ${round(p99 / 1_000)} ms`,
  ];
}

/** Cores of the processes, and what a transaction waited for them. */
export function coresFact(run: ClaimRun, machine: SuiteResult["machine"]): string[] {
  const { total, saturated, waitMsPerTransaction } = coreUse(run, machine.cores);
  const waits =
    waitMsPerTransaction === undefined
      ? ""
      : `, ${round(waitMsPerTransaction)} ms of waiting for a core a transaction`;
  const state = saturated === undefined ? "" : `: ${saturated}`;
  return [
    `${nameOf(run)} at ${run.cell.clients} clients: ${round(total)} of ${machine.cores} cores in use${waits}${state}`,
  ];
}
