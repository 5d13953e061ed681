/** @module Functions for the platforms' tests; each shows one behaviour. */
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
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

/** Keeps its instance busy until `together` invocations are in `folder`, and says which one it is. */
export async function hold(payload: unknown, context: InvocationContext): Promise<unknown> {
  const { folder, together } = payload as { folder: string; together: number };
  await writeFile(join(folder, context.awsRequestId), "");
  for (let looks = 0; looks < 1_000; looks += 1) {
    if ((await readdir(folder)).length >= together) break;
    await sleep(20);
  }
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
