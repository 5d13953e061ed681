/**
 * @module The run whose counts are gated by equality: one client, one seed, a replica in this process
 * on a stepped clock, in front of each embedded engine and, where installed, Redis.
 *
 * What is counted are calls of the storage port, which on these engines are round trips, with the
 * bytes they carry, collection included; and what is still stored at the end. No duration is
 * looked at, and none can influence a count. Two further cases count what replicas say to each other and
 * what a client says to a replica.
 */
import { NotAvailableError } from "#kit/errors.ts";
import { createPrng } from "#kit/prng.ts";
import { Scope } from "#harness/experiment/scope.ts";
import type { ExactCase, ExactRun } from "#harness/gate/exact.ts";
import type { NotRun } from "#harness/record/run.ts";
import { startLmdb, startMemory } from "#harness/services/local-stores.ts";
import type { StorageService } from "#harness/services/port.ts";
import { startRedis } from "#harness/services/redis.ts";
import { createNames } from "#shim/aft/protocol/names.ts";
import { createReplica } from "#shim/aft/replica/replica.ts";
import { counted } from "#shim/storage/counted.ts";
import type { ListCursor, StorageEngine } from "#shim/storage/port.ts";
import { openStorage } from "#shim/storage/registry.ts";
import { createPaperWorkload } from "#workloads/mixes/paper.ts";
import { runClusterCase } from "./exact-cluster.ts";
import { betweenUs, createClient, exactParameters, settleUs, watched } from "./exact-parts.ts";
import { runTripsCase } from "./exact-trips.ts";
import { createSteppedClock } from "./stepped-clock.ts";

export { exactParameters } from "./exact-parts.ts";

const variants = [
  { name: "cached", settings: {} },
  { name: "uncached", settings: { cacheBytes: 0 } },
] as const;

const stores: readonly (readonly [name: string, start: () => Promise<StorageService>])[] = [
  ["memory", startMemory],
  ["lmdb", startLmdb],
  ["redis", () => startRedis()],
];

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
  cases["two replicas"] = await runClusterCase();
  cases["client over TCP"] = await runTripsCase();
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
    ...(await retained(store)),
    transactionsRetained: replica.stats().knownTransactions,
  };
}

/** Of committed versions and of commit records. */
async function retained(
  engine: StorageEngine,
): Promise<{ objectsRetained: number; versionsRetained: number }> {
  const { dataPrefix } = createNames("aft");
  const keys = new Set<string>();
  let cursor: ListCursor | undefined;
  do {
    const page = await engine.list("", cursor === undefined ? {} : { cursor });
    for (const key of page.keys) keys.add(key);
    ({ cursor } = page);
  } while (cursor !== undefined);
  const versions = [...keys].filter((key) => key.startsWith(dataPrefix));
  return { objectsRetained: keys.size, versionsRetained: versions.length };
}
