/**
 * @module Mishaps of a request, drawn by seed: what a caller of functions and storage has to expect.
 *
 *   die-between-writes  the instance dies when some of the request's writes were done and some were not
 *   die-after-commit    the instance dies when all is done, and nobody is told
 *   duplicate           the request is delivered twice, the second time while the first is under way
 *   slow                the first function stands still for about a tenth of a second between two operations
 *   storage-timeout     a write or the commit was sent, and its answer is not waited for
 *
 * Each kind is drawn by itself, so that the rate of one does not move the places of another. Only the
 * first attempt of a request is hit: what is asked is what trying again makes of it.
 */
import { createPrng, hashSeed } from "#kit/prng.ts";
import type { PlannedOperation, PlannedRequest } from "../port.ts";

export const mishapKinds = [
  "die-between-writes",
  "die-after-commit",
  "duplicate",
  "slow",
  "storage-timeout",
] as const;
export type MishapKind = (typeof mishapKinds)[number];

/** Of all requests, 0 … 1. */
export type MishapRates = Readonly<Record<MishapKind, number>>;

/** What happens to one invocation; survives JSON. Writes are counted within the function, from zero. */
export interface InvocationMishaps {
  readonly dieBeforeWrite?: number;
  readonly dieAfterCommit?: boolean;
  readonly pause?: { readonly beforeOperation: number; readonly us: number };
  readonly timeOut?: { readonly write: number } | "commit";
}

export interface RequestMishaps {
  /** By function; undefined: nothing happens to it. */
  readonly functions: readonly (InvocationMishaps | undefined)[];
  /** It is delivered again, so long after the first time. */
  readonly duplicate?: { readonly afterUs: number };
}

const shortestPauseUs = 50_000;
const longestPauseUs = 150_000;
/** A second delivery follows while the first one is in its first function. */
const duplicateWithinUs = 5_000;

/** What happens to the first attempt of `request`: a function of its arguments alone. */
export function drawMishaps(
  rates: MishapRates,
  seed: number,
  request: Pick<PlannedRequest, "requestId" | "functions">,
): RequestMishaps {
  const { requestId, functions } = request;
  const root = createPrng(hashSeed(seed, requestId));
  /** The stream that places a mishap of this kind, if there is one. */
  const drawn = (kind: MishapKind) => {
    const prng = root.fork(kind);
    return prng.next() < rates[kind] ? prng : undefined;
  };
  const planned: Mutable<InvocationMishaps>[] = functions.map(() => ({}));
  const last = functions.length - 1;
  const writes = functions.flatMap((operations, at) =>
    Array.from({ length: writesOf(operations) }, (_unused, write) => ({ at, write })),
  );

  const death = drawn("die-between-writes");
  const place = death && writes[1 + death.nextInt(Math.max(1, writes.length - 1))];
  if (place !== undefined) set(planned, place.at, { dieBeforeWrite: place.write });

  if (drawn("die-after-commit") !== undefined) set(planned, last, { dieAfterCommit: true });

  const pause = drawn("slow");
  const operations = functions[0]?.length ?? 0;
  if (pause !== undefined && operations > 1)
    set(planned, 0, {
      pause: {
        beforeOperation: 1 + pause.nextInt(operations - 1),
        us: shortestPauseUs + pause.nextInt(longestPauseUs - shortestPauseUs),
      },
    });

  const timeOut = drawn("storage-timeout");
  if (timeOut !== undefined) {
    const write = writes[timeOut.nextInt(writes.length + 1)];
    if (write === undefined) set(planned, last, { timeOut: "commit" });
    else set(planned, write.at, { timeOut: { write: write.write } });
  }

  const duplicate = drawn("duplicate");
  return {
    functions: planned.map((one) => (Object.keys(one).length === 0 ? undefined : one)),
    ...(duplicate !== undefined && {
      duplicate: { afterUs: duplicate.nextInt(duplicateWithinUs) },
    }),
  };
}

/** Keys that an operation writes. */
export function writesIn(operation: PlannedOperation): number {
  switch (operation.kind) {
    case "write":
      return 1;
    case "writeMany":
      return operation.keys.length;
    case "read":
    case "readMany":
      return 0;
  }
}

function writesOf(operations: readonly PlannedOperation[]): number {
  return operations.reduce((sum, operation) => sum + writesIn(operation), 0);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function set(
  planned: readonly Mutable<InvocationMishaps>[],
  at: number,
  mishap: InvocationMishaps,
): void {
  const one = planned[at];
  if (one !== undefined) Object.assign(one, mishap);
}
