/** @module What all cases of the exact run share: its parameters, its client, and waiting for silence. */
import { createPrng } from "#kit/prng.ts";
import { createUuid } from "#kit/uuid.ts";
import type { Replica } from "#shim/aft/replica/port.ts";
import type { StorageEngine } from "#shim/storage/port.ts";
import { encodeValue } from "#workloads/functions/value.ts";
import type { PlannedRequest, Workload } from "#workloads/port.ts";
import type { SteppedClock } from "./stepped-clock.ts";

/** In the baseline file; another value makes it another run. */
export const exactParameters = {
  seed: 1,
  transactions: 300,
  functions: 2,
  readsPerFunction: 2,
  writesPerFunction: 1,
  keyCount: 100,
  zipfTheta: 1,
  valueBytes: 1_024,
} as const;

/** A transaction of the run that does not commit would make every count below meaningless. */
export class ExactRunError extends Error {}

/** Between two transactions collection gets its turn; at the end, everything collectable goes. */
export const betweenUs = 4_000;
export const settleUs = 1_000_000;

export function createClient(options: {
  readonly replica: Replica;
  readonly clock: SteppedClock;
  readonly workload: Workload;
}): { fill(): Promise<void>; run(request: PlannedRequest): Promise<void> } {
  const { replica, clock, workload } = options;
  const prng = createPrng(exactParameters.seed).fork("client");
  const run = async (request: PlannedRequest): Promise<void> => {
    const { requestId, writeSet, payloadSeed } = request;
    const transactionId = createUuid(clock.nowMs(), prng);
    replica.begin({ transactionId, requestId });
    let sequence = 0;
    const write = async (key: string): Promise<void> => {
      const stamp = { requestId, transactionId, writeSet, sequence };
      const value = encodeValue(stamp, workload.valueBytes, payloadSeed + sequence);
      sequence += 1;
      await replica.put({ transactionId, key, value, sequence });
    };
    for (const operation of request.functions.flat()) {
      switch (operation.kind) {
        case "read":
          await replica.get({ transactionId, key: operation.key });
          break;
        case "readMany":
          await replica.getMany({ transactionId, keys: operation.keys });
          break;
        case "write":
          await write(operation.key);
          break;
        case "writeMany":
          for (const key of operation.keys) await write(key);
          break;
      }
    }
    const answer = await replica.commit({ transactionId });
    if (answer.kind !== "committed")
      throw new ExactRunError(`${requestId} did not commit: ${answer.refusal.message}`);
  };
  const fill = async (): Promise<void> => {
    const keys = [...workload.keys()];
    for (let start = 0; start < keys.length; start += 10) {
      const part = keys.slice(start, start + 10);
      await run({
        requestId: `fill-${start}`,
        functions: [[{ kind: "writeMany", keys: part }]],
        writeSet: part.slice(0, 1),
        payloadSeed: start,
      });
    }
  };
  return { fill, run };
}

/** `idle` resolves when no call has been under way for some turns of the event loop. */
export function watched(engine: StorageEngine): {
  engine: StorageEngine;
  idle: () => Promise<void>;
} {
  let underWay = 0;
  const proxy = new Proxy(engine, {
    get: (target, property): unknown => {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== "function") return member;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        underWay += 1;
        try {
          return await (Reflect.apply(member, target, args) as Promise<unknown>);
        } finally {
          underWay -= 1;
        }
      };
    },
  });
  const quietTurns = 3;
  const idle = async (): Promise<void> => {
    for (let quiet = 0; quiet < quietTurns;) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      quiet = underWay === 0 ? quiet + 1 : 0;
    }
  };
  return { engine: proxy, idle };
}
