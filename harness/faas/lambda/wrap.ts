/**
 * @module What surrounds a function on Lambda: the service's context becomes ours, and the result says
 * on which instance it was made, which the Invoke API does not tell.
 *
 * Bundled into every deployment, so it imports nothing.
 */
import type { FunctionHandler } from "../port.ts";

/** The part of the service's context object that is used. */
export interface LambdaContext {
  readonly awsRequestId: string;
  readonly functionName: string;
  getRemainingTimeInMillis(): number;
}

/** What a deployed function answers. */
export interface Envelope {
  readonly aftBench: {
    readonly instanceId: string;
    readonly coldStart: boolean;
    /** Inside the handler. */
    readonly functionUs: number;
  };
  readonly result: unknown;
}

export function wrapHandler(
  handler: FunctionHandler,
): (event: unknown, context: LambdaContext) => Promise<Envelope> {
  const instanceId = crypto.randomUUID();
  let coldStart = true;
  return async (event, context) => {
    const cold = coldStart;
    coldStart = false;
    const startMs = performance.now();
    const result = await handler(event, {
      functionName: context.functionName,
      awsRequestId: context.awsRequestId,
      instanceId,
      coldStart: cold,
      environment: process.env as Record<string, string>,
      remainingTimeMs: () => context.getRemainingTimeInMillis(),
      // Nothing on Lambda can be asked to end an instance.
      checkpoint: () => Promise.resolve(),
    });
    const functionUs = Math.round((performance.now() - startMs) * 1_000);
    return { aftBench: { instanceId, coldStart: cold, functionUs }, result: result ?? null };
  };
}

/** The envelope, if this is one: other deployments of a name may answer anything. */
export function readEnvelope(answer: unknown): Envelope | undefined {
  if (typeof answer !== "object" || answer === null || !("aftBench" in answer)) return undefined;
  return answer as Envelope;
}
