/** @module Functions for the platforms' tests; each shows one behaviour. */
import type { InvocationContext } from "../port.ts";

const state = { count: 0 };

/** Returns its payload, how often this instance was invoked, and who it is. */
export async function echo(payload: unknown, context: InvocationContext): Promise<unknown> {
  state.count += 1;
  await context.checkpoint();
  const { instanceId, coldStart, awsRequestId, environment } = context;
  const count = state.count;
  return { payload, count, instanceId, coldStart, awsRequestId, setting: environment["SETTING"] };
}

/** Throws, with the payload's `message`. */
export function fail(payload: unknown): Promise<unknown> {
  throw new TypeError((payload as { message: string }).message);
}

/** Takes `ms`, with a checkpoint before it ends. */
export async function slow(payload: unknown, context: InvocationContext): Promise<unknown> {
  const { ms } = payload as { ms: number };
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
  await context.checkpoint();
  return "slow";
}

/** Keeps its instance busy until others were invoked, on any machine, and says which one it is. */
export async function hold(_payload: unknown, context: InvocationContext): Promise<unknown> {
  await new Promise((resolve) => {
    setTimeout(resolve, 1_000);
  });
  return context.instanceId;
}

/** Ends its own process. */
export function crash(): Promise<unknown> {
  process.exit(3);
}

/** Has its instance killed in the middle of its work, where the platform can; says its payload's `words`. */
export async function die(payload: unknown, context: InvocationContext): Promise<unknown> {
  await context.die?.((payload as { words: string }).words);
  return "alive";
}
