/**
 * @module Requests of sizes that some systems refuse: what each says, and what is there afterwards.
 *
 * Sent like all others, through two functions of the platform, so that the limits of what passes between
 * functions are met too. Once each, after the load; in no history.
 */
import { type AttemptContext, type AttemptResult, runAttempt } from "#harness/loadgen/attempt.ts";
import type { LimitProbe } from "#harness/record/effects.ts";
import type { PlannedOperation } from "#workloads/port.ts";

interface Size {
  readonly what: string;
  readonly writes: number;
  readonly valueBytes: number;
}

const sizes: readonly Size[] = [
  { what: "101 writes", writes: 101, valueBytes: 1_024 },
  { what: "1000 writes", writes: 1_000, valueBytes: 1_024 },
  { what: "5 MB value", writes: 1, valueBytes: 5_000_000 },
];
/** Read back by one request, and by one of its operations: less than anybody's limit. */
const keysPerRequest = 100;
const keysPerRead = 25;
/** A read that is refused may be tried again; what it would have said is not known otherwise. */
const readAttempts = 5;
/** Of no client of the load. */
const client = -500;

/** Never rejects for what a system says. */
export async function probeLimits(context: AttemptContext): Promise<LimitProbe[]> {
  const probes: LimitProbe[] = [];
  for (const size of sizes) probes.push(await probe(context, size));
  return probes;
}

async function probe(context: AttemptContext, size: Size): Promise<LimitProbe> {
  const { what, writes: asked, valueBytes } = size;
  const name = what.replaceAll(" ", "-");
  const keys = Array.from({ length: asked }, (_unused, index) => `limit-${name}-${index}`);
  const half = Math.ceil(asked / 2);
  const result = await runAttempt(
    { ...context, valueBytes },
    {
      requestId: `limit-${name}`,
      functions: [keys.slice(0, half).map(toWrite), keys.slice(half).map(toWrite)],
      // Stamped into every value otherwise, and a thousand keys would not fit.
      writeSet: [],
      payloadSeed: 1,
    },
    { client, attempt: 0 },
  );
  const { transactionId } = result.transaction;
  const applied = await countApplied(context, keys, transactionId);
  const error = result.outcome === "committed" ? undefined : (result.reason ?? result.outcome);
  if (applied === undefined)
    return {
      what,
      outcome: "refused",
      error: `${error ?? "committed"}; cannot be read`,
      applied: 0,
      asked,
    };
  return {
    what,
    outcome: outcomeOf(result, applied, asked),
    ...(error !== undefined && { error: shortened(error) }),
    applied,
    asked,
  };
}

function outcomeOf(
  { outcome }: AttemptResult,
  applied: number,
  asked: number,
): LimitProbe["outcome"] {
  if (applied > 0 && applied < asked) return "partly applied";
  if (outcome === "committed") return applied === asked ? "ok" : "lost";
  // An error, but all of it is there.
  return applied === 0 ? "refused" : "partly applied";
}

/** How many of the keys hold what the transaction wrote; undefined where they cannot be read. */
async function countApplied(
  context: AttemptContext,
  keys: readonly string[],
  transactionId: string,
): Promise<number | undefined> {
  let applied = 0;
  for (let start = 0; start < keys.length; start += keysPerRequest) {
    const some = keys.slice(start, start + keysPerRequest);
    const operations: PlannedOperation[] = [];
    for (let at = 0; at < some.length; at += keysPerRead)
      operations.push({ kind: "readMany", keys: some.slice(at, at + keysPerRead) });
    const read = await readBack(context, `limit-read-${keys[start] ?? ""}`, operations);
    if (read === undefined) return undefined;
    applied += read.filter((one) => one.kind === "read" && one.from === transactionId).length;
  }
  return applied;
}

async function readBack(
  context: AttemptContext,
  requestId: string,
  operations: readonly PlannedOperation[],
): Promise<AttemptResult["transaction"]["operations"] | undefined> {
  for (let attempt = 0; attempt < readAttempts; attempt += 1) {
    const request = { requestId, functions: [operations], writeSet: [], payloadSeed: 1 };
    const { outcome, transaction } = await runAttempt(context, request, { client, attempt });
    if (outcome === "committed") return transaction.operations;
  }
  return undefined;
}

function toWrite(key: string): PlannedOperation {
  return { kind: "write", key };
}

/** Errors of clients may quote what they were sent. */
function shortened(error: string): string {
  return error.length <= 200 ? error : `${error.slice(0, 199)}…`;
}
