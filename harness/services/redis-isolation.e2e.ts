/**
 * Goal    Under load, with functions that fail at any place, `redis-occ` is serializable in the order that it
 *         says itself, and does each request once; `step-log` does each write once; `redis-multi` neither.
 * Method  The suite's own functions and driver, few keys, many conflicts, one real server. The order is
 *         checked by replaying it: every read must find what the last transaction before it has written.
 */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { countEffects } from "#harness/checker/effects.ts";
import { resolveUnknown } from "#harness/experiment/resolve-unknown.ts";
import { createInlinePlatform } from "#harness/faas/inline/platform.ts";
import { startRequest } from "#harness/loadgen/request.ts";
import type { RecordedTransaction } from "#harness/record/history.ts";
import type { StateSystemSpec } from "#shim/state/registry.ts";
import { closeSystems } from "#workloads/functions/handler.ts";
import { createWorkload } from "#workloads/registry.ts";
import { type RedisService, startRedis } from "./redis.ts";
import { hasRedis, redisMissing } from "./testing.ts";

const clock = createSystemClock();
const [clients, requestsPerClient] = [8, 40];
const workload = createWorkload({
  name: "paper",
  parameters: {
    functions: 2,
    readsPerFunction: 2,
    writesPerFunction: 1,
    keyCount: 8,
    valueBytes: 512,
    zipfTheta: 0.5,
  },
  seed: 7,
});

describe.skipIf(!hasRedis())(`isolation on redis (skipped if ${redisMissing})`, () => {
  let redis: RedisService;
  const platform = createInlinePlatform({ clock });

  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => {
    await platform.close();
    await closeSystems();
    await redis.stop();
  });

  /** The history of all attempts; one function in a hundred operations fails. */
  async function run(system: string): Promise<RecordedTransaction[]> {
    const target = { engine: "redis", urls: [redis.url], cluster: false };
    const spec: StateSystemSpec = { system, options: { storage: { target } } };
    await platform.deploy([
      {
        name: system,
        modulePath: fileURLToPath(import.meta.resolve("#workloads/functions/handler.ts")),
        exportName: "handler",
        environment: { AFT_BENCH_SYSTEM: JSON.stringify(spec) },
        concurrencyLimit: clients,
        timeoutMs: 10_000,
      },
    ]);
    const history: RecordedTransaction[] = [];
    const context = {
      platform,
      functionName: system,
      clock,
      valueBytes: workload.valueBytes,
      failures: { probability: 0.03, seed: 11 },
      workload,
      block: 0,
      signal: new AbortController().signal,
      sinks: {
        onAttempt: () => {},
        onTransaction: (one: RecordedTransaction) => {
          history.push(one);
        },
      },
    };
    await Promise.all(
      Array.from({ length: clients }, async (_unused, client) => {
        for (let index = 0; index < requestsPerClient; index += 1)
          await startRequest(context, { client, index, dueUs: clock.monotonicUs() }).done;
      }),
    );
    await resolveUnknown(spec, history);
    return history;
  }

  it("redis-occ: its commit order explains every read, and holds every request once", async () => {
    const history = await run("redis-occ");
    const { unexplained, requests, placed, reads } = replay(history);
    expect(unexplained).toEqual([]);
    expect(placed).toBe(clients * requestsPerClient);
    expect(requests.size).toBe(placed);
    expect(reads).toBeGreaterThan(placed * 2);
    // Otherwise nothing was tried.
    const reasons = new Set(history.map(({ reason }) => reason));
    expect(reasons).toContain("conflict");
    expect(reasons).toContain("failed on purpose");
    expect([...reasons].join(" ")).toMatch(/committed by/);
    expect(countEffects(history)).toMatchObject({
      torn: { requests: 0 },
      repeated: { requests: 0 },
    });
  });

  it("redis-multi: its commit order does not, and requests are done twice", async () => {
    const history = await run("redis-multi");
    expect(replay(history).unexplained.length).toBeGreaterThan(0);
    const { torn, repeated } = countEffects(history);
    expect(torn.requests).toBe(0);
    expect(repeated.requests).toBeGreaterThan(0);
  });

  it("step-log: each write once, and seen before the rest was there", async () => {
    const history = await run("step-log");
    const { torn, repeated } = countEffects(history);
    expect(repeated.requests).toBe(0);
    expect(torn.requests).toBeGreaterThan(0);
    expect(history.some(({ operations }) => operations.some(isReplayed))).toBe(true);
  });
});

function isReplayed(operation: RecordedTransaction["operations"][number]): boolean {
  return operation.kind === "write" && operation.replayed === true;
}

/** One transaction after the other, in the order the system says; what they read must be there. */
function replay(history: readonly RecordedTransaction[]) {
  const placed = history
    .filter(({ commitOrder }) => commitOrder !== undefined)
    .toSorted((a, b) => ((a.commitOrder ?? "") < (b.commitOrder ?? "") ? -1 : 1));
  const store = new Map<string, string>();
  const unexplained: string[] = [];
  let reads = 0;
  for (const { transactionId, outcome, operations } of placed) {
    const own = new Map<string, string>();
    for (const operation of operations) {
      const { key } = operation;
      if (operation.kind === "write") {
        own.set(key, `${transactionId}:${operation.sequence}`);
        continue;
      }
      // What a lost one has read is not known to the end.
      if (outcome !== "committed") continue;
      reads += 1;
      const { from, fromSequence } = operation;
      const found = from === null ? undefined : `${from}:${fromSequence}`;
      const expected = own.get(key) ?? store.get(key);
      if (found !== expected)
        unexplained.push(`${transactionId} read ${key} as ${found}, not ${expected}`);
    }
    for (const [key, value] of own) store.set(key, value);
  }
  const requests = new Set(placed.map(({ requestId }) => requestId));
  return { unexplained, requests, placed: placed.length, reads };
}
