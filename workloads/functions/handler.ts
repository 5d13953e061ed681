/**
 * @module The function that platforms deploy: one link of a request's chain.
 *
 * The state system comes from the environment (AFT_BENCH_SYSTEM) and is opened once per instance, as
 * a function on Lambda keeps its connections. A failure of the state system is a result, so that the
 * caller can tell it from a crash.
 */
import { ConfigError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import type { InvocationContext } from "#harness/faas/port.ts";
import type { RecordedOperation } from "#harness/record/history.ts";
import {
  type CommitOutcome,
  StateError,
  type StateContext,
  type StateCounters,
  type StateSystem,
} from "#shim/state/port.ts";
import { openStateSystem, type StateSystemSpec } from "#shim/state/registry.ts";
import type { PlannedOperation } from "../port.ts";
import { type FunctionPlan, runOperations } from "./body.ts";
import { Enactment } from "./enact.ts";
import { type FailurePlan, failAtRandom } from "./failures.ts";
import type { InvocationMishaps, MishapKind } from "./mishaps.ts";
import { performReported } from "./reported.ts";

export interface FunctionPayload extends FunctionPlan {
  /** Put before the request's id where the state system sees it: other runs count requests alike. */
  readonly scope?: string;
  /** From the function before; absent for the first. */
  readonly context?: StateContext;
  /** The last function of the chain commits. */
  readonly last: boolean;
  /** Where this invocation fails on purpose, if anywhere. */
  readonly failures?: FailurePlan;
  /** What happens to this invocation on purpose, and where. */
  readonly mishaps?: InvocationMishaps;
  /** Say what the instance has asked of storage so far, if it can tell. */
  readonly counted?: boolean;
  /** Of an event: where to report each attempt, since nobody waits for its answer. */
  readonly reportTo?: string;
}

export interface FunctionResult {
  readonly transactionId: string;
  readonly operations: readonly RecordedOperation[];
  /** For the next function. */
  readonly context?: StateContext;
  readonly commit?: CommitOutcome;
  /** In the state system: from before the first operation to after the ending. */
  readonly stateUs?: number;
  /** All of the handler, connecting to the state system included. */
  readonly functionUs?: number;
  /** Mishaps that have happened to it. */
  readonly injected?: readonly MishapKind[];
  /** Of the instance since its start, all its invocations together. */
  readonly counters?: StateCounters & { readonly instance: string };
  /** The state system refused; what was done before stands in `operations`. */
  readonly error?: {
    readonly code: string;
    readonly disposition: "retry" | "abort" | "bug";
    readonly message: string;
  };
}

const clock = createSystemClock();
/** Connections live as long as the instance: one system per configuration seen. */
const systems = new Map<string, Promise<StateSystem>>();

export function handler(payload: unknown, invocation: InvocationContext): Promise<FunctionResult> {
  const request = payload as FunctionPayload;
  const { reportTo } = request;
  if (reportTo === undefined) return perform(request, invocation);
  return performReported({ request, invocation, reportTo }, perform);
}

async function perform(
  request: FunctionPayload,
  invocation: InvocationContext,
): Promise<FunctionResult> {
  const begunUs = clock.monotonicUs();
  const system = await systemOf(invocation);
  const opened =
    request.context === undefined
      ? system.begin({ requestId: (request.scope ?? "") + request.requestId })
      : system.resume(request.context);
  const { transactionId } = opened;
  const operations: RecordedOperation[] = [];
  const startUs = clock.monotonicUs();
  const fail = failAtRandom(request.failures, transactionId, operations);
  const { mishaps: plan } = request;
  const mishaps = new Enactment({ plan, session: opened, recorded: operations, clock, invocation });
  const { session, injected } = mishaps;
  const checkpoint = async (next?: PlannedOperation): Promise<void> => {
    await invocation.checkpoint();
    if (next !== undefined) await mishaps.before(next);
    fail();
  };
  const about = (): Pick<FunctionResult, "injected" | "counters"> => {
    const counters = request.counted === true ? system.counters?.() : undefined;
    return {
      ...(plan !== undefined && { injected }),
      ...(counters !== undefined && { counters: { ...counters, instance: invocation.instanceId } }),
    };
  };
  try {
    await runOperations({ session, plan: request, clock, recorded: operations, checkpoint });
    await checkpoint();
    const ending = request.last
      ? { commit: await session.commit() }
      : { context: await session.suspend() };
    const done =
      system.visibleAtEnd === true ? visibleSince(clock.monotonicUs(), operations) : operations;
    // Everything is done, and the caller does not learn it.
    fail();
    await mishaps.afterCommit();
    const endUs = clock.monotonicUs();
    const times = { stateUs: endUs - startUs, functionUs: endUs - begunUs };
    return { transactionId, operations: done, ...ending, ...times, ...about() };
  } catch (cause) {
    if (!(cause instanceof StateError)) throw cause;
    await session.abort();
    const { code, disposition, message } = cause;
    const error = { code, disposition, message };
    return { transactionId, operations, error, ...about() };
  }
}

/** Of what a function did, writes that nobody saw before. */
function visibleSince(
  visibleUs: number,
  operations: readonly RecordedOperation[],
): RecordedOperation[] {
  return operations.map((operation) =>
    operation.kind === "write" ? { ...operation, visibleUs } : operation,
  );
}

/** Closes what this process has opened; for platforms whose instances do not end with a process. */
export async function closeSystems(): Promise<void> {
  const opened = [...systems.values()];
  systems.clear();
  for (const opening of await Promise.allSettled(opened))
    if (opening.status === "fulfilled") await opening.value.close();
}

function systemOf({ environment }: InvocationContext): Promise<StateSystem> {
  const text = environment["AFT_BENCH_SYSTEM"];
  if (text === undefined)
    throw new ConfigError([{ where: "AFT_BENCH_SYSTEM", what: "is not set for this function" }]);
  const known = systems.get(text);
  if (known !== undefined) return known;
  const opening = openStateSystem(JSON.parse(text) as StateSystemSpec);
  systems.set(text, opening);
  // A failed opening is tried again by the next invocation.
  opening.catch(() => systems.delete(text));
  return opening;
}
