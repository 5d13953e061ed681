/**
 * @module The run whose counts are gated by equality: one client, one seed, a replica in this process
 * on a stepped clock, in front of each embedded engine and, where installed, Redis.
 *
 * What is counted are calls of the storage port, which on these engines are round trips, with the
 * bytes they carry, collection included; and what is still stored at the end. No duration is
 * looked at, and none can influence a count.
 */
import { NotAvailableError } from "#kit/errors.ts";
import { createPrng } from "#kit/prng.ts";
import { createUuid } from "#kit/uuid.ts";
import { Scope } from "#harness/experiment/scope.ts";
import type { ExactCase, ExactRun } from "#harness/gate/exact.ts";
import type { NotRun } from "#harness/record/run.ts";
import { startLmdb, startMemory } from "#harness/services/local-stores.ts";
import type { StorageService } from "#harness/services/port.ts";
import { startRedis } from "#harness/services/redis.ts";
import type { Replica } from "#shim/aft/replica/port.ts";
import { createReplica } from "#shim/aft/replica/replica.ts";
import { counted } from "#shim/storage/counted.ts";
import type { ListCursor, StorageEngine } from "#shim/storage/port.ts";
import { openStorage } from "#shim/storage/registry.ts";
import { encodeValue } from "#workloads/functions/value.ts";
import { createPaperWorkload } from "#workloads/mixes/paper.ts";
import type { PlannedRequest, Workload } from "#workloads/port.ts";
import { createSteppedClock, type SteppedClock } from "./stepped-clock.ts";

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

const variants = [
  { name: "cached", settings: {} },
  { name: "uncached", settings: { cacheBytes: 0 } },
] as const;

const stores: readonly (readonly [name: string, start: () => Promise<StorageService>])[] = [
  ["memory", startMemory],
  ["lmdb", startLmdb],
  ["redis", () => startRedis()],
];

/** A transaction of the run that does not commit would make every count below meaningless. */
class ExactRunError extends Error {}

/** Runs every case. Rejects when a store fails; Redis may be missing and is then `notRun`. */
export async function runExact(): Promise<ExactRun> {
  const cases: Record<string, ExactCase> = {};
  const notRun: NotRun[] = [];
  for (const [name, start] of stores) {
    for (const variant of variants) {
      const scope = new Scope();
      try {
        const service = scope.own(await start());
        cases[`${name} ${variant.name}`] = await runCase(service, variant.settings, scope);
      } catch (error) {
        if (!(error instanceof NotAvailableError)) throw error;
        const { get } = error;
        notRun.push({ what: `${name} ${variant.name}`, why: "not installed", get });
      } finally {
        await scope.close();
      }
    }
  }
  return { parameters: exactParameters, cases, notRun };
}

async function runCase(
  service: StorageService,
  settings: Readonly<Record<string, number>>,
  scope: Scope,
): Promise<ExactCase> {
  const clock = createSteppedClock();
  const store = scope.own(await openStorage({ target: service.target }, { clock }));
  const { engine, idle } = watched(store);
  const { engine: counting, counters } = counted(engine);
  const replica = scope.own(
    await createReplica({
      storage: counting,
      clock,
      prng: createPrng(exactParameters.seed).fork("replica"),
      settings: { orphanSweepMs: 0, ...settings },
    }),
  );
  const workload = createPaperWorkload(exactParameters, exactParameters.seed);
  const client = createClient({ replica, clock, workload });
  await client.fill();
  await clock.advance(settleUs, idle);
  const before = { ...counters };
  for (let index = 0; index < exactParameters.transactions; index += 1) {
    await client.run(workload.request(0, index));
    await clock.advance(betweenUs, idle);
  }
  await clock.advance(settleUs, idle);
  const after = { ...counters };
  return {
    committed: exactParameters.transactions,
    storageCalls: after.calls - before.calls,
    itemsRead: after.itemsRead - before.itemsRead,
    itemsWritten: after.itemsWritten - before.itemsWritten,
    bytesRead: after.bytesRead - before.bytesRead,
    bytesWritten: after.bytesWritten - before.bytesWritten,
    storageErrors: after.errors - before.errors,
    objectsRetained: await countObjects(store),
    transactionsRetained: replica.stats().knownTransactions,
  };
}

/** Between two transactions collection gets its turn; at the end, everything collectable goes. */
const betweenUs = 4_000;
const settleUs = 1_000_000;

function createClient(options: {
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
function watched(engine: StorageEngine): { engine: StorageEngine; idle: () => Promise<void> } {
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

async function countObjects(engine: StorageEngine): Promise<number> {
  const keys = new Set<string>();
  let cursor: ListCursor | undefined;
  do {
    const page = await engine.list("", cursor === undefined ? {} : { cursor });
    for (const key of page.keys) keys.add(key);
    ({ cursor } = page);
  } while (cursor !== undefined);
  return keys.size;
}
