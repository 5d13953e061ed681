/**
 * @module Functions that fail on purpose: before a state operation, or between the last one and the answer.
 *
 * Where is decided by a seed, so that a run can be repeated. The failure is thrown past the session, as
 * a crash would be: nothing is aborted or closed. What it says was done is for the record alone.
 */
import { ProjectError } from "#kit/errors.ts";
import { createPrng, hashSeed } from "#kit/prng.ts";
import type { RecordedOperation } from "#harness/record/history.ts";

export interface FailurePlan {
  /** Of each place, 0 … 1. */
  readonly probability: number;
  readonly seed: number;
  /** Every attempt is sent the same, so each draws places of its own, which no seed repeats. */
  readonly perAttempt?: boolean;
}

/** What a failed invocation had done. */
export interface FailedInvocation {
  readonly transactionId: string;
  readonly writes: number;
  /** Kinds of mishaps that had happened by then, if it was a mishap. */
  readonly injected?: readonly string[];
}

/** Recognised by its text: some emulators keep no error types. */
const prefix = "failed on purpose: ";

/** Thrown by functions; its message ends with `FailedInvocation` as JSON. */
export class InjectedFailure extends ProjectError {
  readonly code = "injected_failure";
  readonly disposition = "retry";
}

/** To be called at each place where the function may fail. `recorded`: what it has done so far. */
export function failAtRandom(
  plan: FailurePlan | undefined,
  transactionId: string,
  recorded: readonly RecordedOperation[],
): () => void {
  if (plan === undefined) return () => {};
  const { seed, perAttempt = false } = plan;
  const prng = createPrng(perAttempt ? hashSeed(seed, transactionId) : seed);
  return () => {
    if (prng.next() >= plan.probability) return;
    const writes = recorded.filter(({ kind }) => kind === "write").length;
    throw new InjectedFailure(lastWords({ transactionId, writes }));
  };
}

/** What a function says before it fails or dies on purpose. */
export function lastWords(failed: FailedInvocation): string {
  return prefix + JSON.stringify(failed);
}

/** What the error of an invocation says was done; undefined if it did not fail on purpose. */
export function readInjectedFailure(message: string): FailedInvocation | undefined {
  // Whoever passes the last words of an instance on says something before them.
  const at = message.indexOf(prefix);
  if (at < 0) return undefined;
  return JSON.parse(message.slice(at + prefix.length)) as FailedInvocation;
}
