/** @module Blocks of transactions of one system, with function bodies in the load process. */
import { createSystemClock } from "#kit/node/system-clock.ts";
import type { Prng } from "#kit/prng.ts";
import type { StateSystem } from "#shim/state/port.ts";
import { runOperations } from "#workloads/functions/body.ts";
import type { PlannedRequest, Workload } from "#workloads/port.ts";

export interface Contender {
  readonly name: string;
  readonly system: StateSystem;
}

export interface Block {
  readonly seconds: number;
  /** Of every transaction. */
  readonly timesUs: readonly number[];
}

export interface Sizes {
  readonly blocks: number;
  readonly blockMs: number;
  readonly warmUpMs: number;
}

const clock = createSystemClock();
/** Requests of different blocks have different numbers, and so different keys. */
const blockStride = 1_000_000;

/** Hands out the first request number of each block. */
export class Numbers {
  #next = 0;

  next(): number {
    this.#next += blockStride;
    return this.#next;
  }
}

/** N clients for a time, each its next transaction when the last has ended. */
export async function runBlock(block: {
  readonly system: StateSystem;
  readonly workload: Workload;
  readonly clients: number;
  readonly durationMs: number;
  readonly firstIndex: number;
}): Promise<Block> {
  const { system, workload, clients, durationMs, firstIndex } = block;
  const startUs = clock.monotonicUs();
  const endUs = startUs + durationMs * 1_000;
  const timesUs: number[] = [];
  const client = async (number: number): Promise<void> => {
    for (let index = firstIndex; clock.monotonicUs() < endUs; index += 1) {
      const request = workload.request(number, index);
      const begunUs = clock.monotonicUs();
      await runTransaction(system, request, workload.valueBytes);
      timesUs.push(clock.monotonicUs() - begunUs);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_unused, number) => client(number)));
  return { seconds: (clock.monotonicUs() - startUs) / 1_000_000, timesUs };
}

/** The request's functions one after another, as a platform would run them, context by value. */
async function runTransaction(
  system: StateSystem,
  request: PlannedRequest,
  valueBytes: number,
): Promise<void> {
  let session = system.begin({ requestId: request.requestId });
  let sequenceBase = 0;
  for (const [index, operations] of request.functions.entries()) {
    if (index > 0) session = system.resume(await session.suspend());
    const { requestId, writeSet, payloadSeed } = request;
    const plan = { requestId, operations, writeSet, payloadSeed, sequenceBase, valueBytes };
    await runOperations({ session, plan, clock, recorded: [] });
    sequenceBase += operations.length;
  }
  const outcome = await session.commit();
  if (outcome.kind !== "committed") throw new Error(`not committed: ${outcome.reason}`);
}

/** Writes every key of the workload once. */
export async function fillDirectly(system: StateSystem, workload: Workload): Promise<void> {
  const keys = [...workload.keys()];
  for (let start = 0; start < keys.length; start += 100) {
    const part = keys.slice(start, start + 100);
    const request: PlannedRequest = {
      requestId: `fill-${start}`,
      functions: [[{ kind: "writeMany", keys: part }]],
      writeSet: part.slice(0, 1),
      payloadSeed: start,
    };
    await runTransaction(system, request, workload.valueBytes);
  }
}

export function shuffled<T>(items: readonly T[], prng: Prng): T[] {
  const order = items.map((item) => ({ item, at: prng.next() }));
  return order.toSorted((a, b) => a.at - b.at).map(({ item }) => item);
}
