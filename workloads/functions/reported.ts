/**
 * @module A function that was sent an event: reports every attempt, and fails where it did not commit, so
 * that the platform tries it again.
 */
import { describeError, ProjectError } from "#kit/errors.ts";
import type { InvocationContext } from "#harness/faas/port.ts";
import type { FunctionPayload, FunctionResult } from "./handler.ts";

/** Thrown so that the platform sees a failure; what became of the attempt is in its report. */
export class NotCommittedError extends ProjectError {
  readonly code = "not_committed";
  readonly disposition = "retry";
}

type Perform = (request: FunctionPayload, invocation: InvocationContext) => Promise<FunctionResult>;

/** Rejects with what `perform` did, or with `NotCommittedError`. */
export async function performReported(
  attempt: {
    readonly request: FunctionPayload;
    readonly invocation: InvocationContext;
    readonly reportTo: string;
  },
  perform: Perform,
): Promise<FunctionResult> {
  const { request, invocation } = attempt;
  let result: FunctionResult;
  try {
    result = await perform(request, invocation);
  } catch (error) {
    await report(attempt, { error: describeError(error) });
    throw error;
  }
  await report(attempt, { result });
  if (result.commit?.kind !== "committed") throw new NotCommittedError("the request is not done");
  return result;
}

/** A report that is lost is an attempt whose outcome nobody knows; it must not fail the function. */
async function report(
  { request, invocation, reportTo }: Parameters<typeof performReported>[0],
  what: { readonly result: FunctionResult } | { readonly error: string },
): Promise<void> {
  const { requestId } = request;
  const { coldStart } = invocation;
  const body = JSON.stringify({ requestId, coldStart, ...what });
  await fetch(reportTo, { method: "POST", body }).catch(() => undefined);
}
