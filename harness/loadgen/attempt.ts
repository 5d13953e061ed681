/**
 * @module One attempt of a request: its chain of functions, invoked one after another, and the
 * record of what they did.
 */
import type { Clock } from "#kit/clock.ts";
import { hashSeed } from "#kit/prng.ts";
import type { InvocationOutcome, Platform } from "#harness/faas/port.ts";
import type { AttemptTimes } from "#harness/record/attempts.ts";
import type {
  RecordedOperation,
  RecordedTransaction,
  RecordedWrite,
} from "#harness/record/history.ts";
import type { CommitOutcome, StateContext, StateCounters } from "#shim/state/port.ts";
import { type FailedInvocation, readInjectedFailure } from "#workloads/functions/failures.ts";
import type { FunctionPayload, FunctionResult } from "#workloads/functions/handler.ts";
import type { RequestMishaps } from "#workloads/functions/mishaps.ts";
import type { PlannedOperation, PlannedRequest } from "#workloads/port.ts";
import { TimesOfFunctions } from "./times.ts";

export interface AttemptResult {
  readonly transaction: RecordedTransaction;
  readonly outcome: "committed" | "aborted" | "unknown";
  readonly reason?: string;
  /** Trying again cannot help. */
  readonly hopeless: boolean;
  readonly coldStarts: number;
  readonly times?: AttemptTimes;
  /** Mishaps that have happened, by what functions said; a kind stands here once for each time. */
  readonly injected: readonly string[];
}

export interface AttemptContext {
  readonly platform: Pick<Platform, "invoke">;
  readonly functionName: string;
  readonly clock: Clock;
  readonly valueBytes: number;
  /**
   * Differs between runs that use one system: a system that makes each request happen once must not take
   * one run's request for another attempt of an earlier run's.
   */
  readonly scope?: string;
  /** Functions fail on purpose; each invocation at places of its own. */
  readonly failures?: {
    readonly probability: number;
    readonly seed: number;
    /** The platform tries again, and what it sends is always the same. */
    readonly perAttempt?: boolean;
  };
  /** Record where the time went. */
  readonly timed?: boolean;
  /** The record says where functions ended. */
  readonly marksFunctions?: boolean;
  /** Told with each answer what the function's instance has asked of storage since it started. */
  readonly onCounters?: (instance: string, counters: StateCounters, isNew: boolean) => void;
}

/** Whose attempt, and which; `mishaps`: what happens to its functions. */
export interface AttemptIdentity {
  readonly client: number;
  readonly attempt: number;
  readonly mishaps?: RequestMishaps["functions"];
}

/** Never rejects. */
export async function runAttempt(
  env: AttemptContext,
  request: PlannedRequest,
  identity: AttemptIdentity,
): Promise<AttemptResult> {
  const { platform, functionName, clock, valueBytes, failures, timed, scope, onCounters } = env;
  const operations: RecordedOperation[] = [];
  const functionEnds: number[] = [];
  const injected: string[] = [];
  let transactionId = "";
  let context: StateContext | undefined;
  let sequenceBase = 0;
  let coldStarts = 0;
  const times = timed === true ? new TimesOfFunctions(clock.monotonicUs()) : undefined;
  const finish = (
    ending: Pick<AttemptResult, "outcome" | "hopeless"> & {
      readonly reason?: string;
      readonly commitOrder?: string;
      readonly committedBy?: string;
    },
  ): AttemptResult => {
    const { outcome, hopeless, committedBy } = ending;
    // The request has committed, but by another attempt: this transaction left nothing.
    const joined = committedBy !== undefined;
    const reason = joined ? `committed by ${committedBy}` : ending.reason;
    const commitOrder = joined ? undefined : ending.commitOrder;
    return {
      outcome,
      hopeless,
      coldStarts,
      injected,
      ...(reason !== undefined && { reason }),
      ...(outcome === "committed" && times !== undefined && { times: times.sum() }),
      transaction: {
        requestId: request.requestId,
        attempt: identity.attempt,
        // Lost before it said its id: a name of its own, so that the record stays readable.
        transactionId: transactionId || `lost-${request.requestId}-${identity.attempt}`,
        session: identity.client,
        outcome: joined ? "aborted" : outcome,
        ...(reason !== undefined && { reason }),
        ...(commitOrder !== undefined && { commitOrder }),
        writeSet: request.writeSet,
        operations,
        // The function under way has not been marked.
        ...(env.marksFunctions === true && { functionEnds: [...functionEnds, operations.length] }),
      },
    };
  };

  for (const [index, planned] of request.functions.entries()) {
    const last = index === request.functions.length - 1;
    const mishaps = identity.mishaps?.[index];
    const payload: FunctionPayload = {
      requestId: request.requestId,
      operations: planned,
      writeSet: request.writeSet,
      sequenceBase,
      payloadSeed: request.payloadSeed,
      valueBytes,
      last,
      ...(scope !== undefined && { scope }),
      ...(context !== undefined && { context }),
      ...(failures !== undefined && {
        failures: {
          ...failures,
          seed: hashSeed(failures.seed, `${request.requestId} ${identity.attempt} ${index}`),
        },
      }),
      ...(mishaps !== undefined && { mishaps }),
      ...(onCounters !== undefined && { counted: true }),
    };
    const startUs = clock.monotonicUs();
    const invocation = await platform.invoke(functionName, payload);
    if (invocation.timings.coldStart) coldStarts += 1;
    if (invocation.kind !== "ok") {
      // Whatever it had planned to write may have happened, at any time since it was invoked.
      const possible = possibleWrites({ planned, sequenceBase, startUs });
      const failed = failureOf(invocation);
      if (failed !== undefined) ({ transactionId } = failed);
      injected.push(...(failed?.injected ?? []));
      operations.push(...possible.slice(0, failed?.writes));
      // Only the last function commits, so an earlier loss leaves nothing committed.
      const outcome = last && invocation.kind !== "throttled" ? "unknown" : "aborted";
      return finish({ outcome, hopeless: false, reason: reasonOf(invocation) });
    }
    const result = invocation.result as FunctionResult;
    ({ transactionId } = result);
    operations.push(...result.operations);
    injected.push(...(result.injected ?? []));
    const { counters } = result;
    if (counters !== undefined)
      onCounters?.(counters.instance, counters, invocation.timings.coldStart);
    times?.add(invocation.timings, result);
    if (result.error !== undefined) {
      const done = result.operations.filter(({ kind }) => kind === "write").length;
      const rest = possibleWrites({ planned, sequenceBase, startUs }).slice(done);
      operations.push(...rest);
      const { code, disposition } = result.error;
      return finish({ outcome: "aborted", hopeless: disposition !== "retry", reason: code });
    }
    sequenceBase += result.operations.filter(({ kind }) => kind === "write").length;
    ({ context } = result);
    if (result.commit !== undefined) return finish(endingOf(result.commit));
    functionEnds.push(operations.length);
  }
  return finish({ outcome: "unknown", hopeless: true, reason: "no function committed" });
}

/**
 * What the history says of an attempt that was still under way when nobody waited any longer: any of
 * its writes may have happened.
 */
export function lostTransaction(
  request: PlannedRequest,
  identity: AttemptIdentity,
  startUs: number,
): RecordedTransaction {
  const planned = request.functions.flat();
  return {
    requestId: request.requestId,
    attempt: identity.attempt,
    transactionId: `lost-${request.requestId}-${identity.attempt}`,
    session: identity.client,
    outcome: "unknown",
    reason: "not waited for",
    writeSet: request.writeSet,
    operations: possibleWrites({ planned, sequenceBase: 0, startUs }),
  };
}

function endingOf(commit: CommitOutcome): Pick<AttemptResult, "outcome" | "hopeless"> & {
  reason?: string;
  commitOrder?: string;
  committedBy?: string;
} {
  if (commit.kind === "committed") {
    const { commitOrder, committedBy } = commit;
    return {
      outcome: "committed",
      hopeless: false,
      ...(commitOrder !== undefined && { commitOrder }),
      ...(committedBy !== undefined && { committedBy }),
    };
  }
  return { outcome: commit.kind, hopeless: false, reason: commit.reason };
}

function possibleWrites(options: {
  readonly planned: readonly PlannedOperation[];
  readonly sequenceBase: number;
  readonly startUs: number;
}): RecordedWrite[] {
  const keys = options.planned.flatMap((operation) => {
    switch (operation.kind) {
      case "write":
        return [operation.key];
      case "writeMany":
        return operation.keys;
      case "read":
      case "readMany":
        return [];
    }
  });
  return keys.map((key, offset) => ({
    kind: "write",
    key,
    sequence: options.sequenceBase + offset,
    startUs: options.startUs,
    endUs: null,
  }));
}

type LostInvocation = Exclude<InvocationOutcome, { kind: "ok" }>;

/** What a function said before it failed or died on purpose. */
function failureOf(invocation: LostInvocation): FailedInvocation | undefined {
  const { kind } = invocation;
  return kind === "functionError" || kind === "instanceLost"
    ? readInjectedFailure(invocation.message)
    : undefined;
}

function reasonOf(invocation: LostInvocation): string {
  if (failureOf(invocation) !== undefined) return "failed on purpose";
  switch (invocation.kind) {
    case "functionError":
      return `function error: ${invocation.errorType}: ${invocation.message}`;
    case "platformError":
      return `platform error: ${invocation.message}`;
    case "instanceLost":
      return "instance lost";
    case "throttled":
    case "timeout":
      return invocation.kind;
  }
}
