/**
 * @module What is asked of a cluster once its load is over: is all that was acknowledged still there,
 * and does storage drain to what is live?
 */
import type { Clock } from "#kit/clock.ts";
import { delay } from "#kit/clock.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import type { RecordedTransaction } from "#harness/record/history.ts";
import type { DurabilityCheck, StorageDrain, StorageSize } from "#harness/record/measurements.ts";
import { createNames, type Names } from "#shim/aft/protocol/names.ts";
import { VersionIndex } from "#shim/aft/protocol/version-index.ts";
import { listAll, readCommitSet } from "#shim/aft/replica/recovery.ts";
import { openStateSystem } from "#shim/state/registry.ts";
import { StateError, type StateSystem } from "#shim/state/port.ts";
import type { StorageEngine } from "#shim/storage/port.ts";
import { openStorage } from "#shim/storage/registry.ts";
import { decodeStamp } from "#workloads/functions/value.ts";
import type { RunningCluster } from "./systems.ts";

/** Commits reach the other replicas within a round of multicast; this is many of them. */
const settleWithinUs = 15_000_000;
const retryUs = 250_000;
const keysPerRead = 100;
const mostExamples = 5;
/** Three times what is asked for, so that a miss shows by how much. Without a manager nothing is awaited. */
const drainLimitSeconds = 30;

interface Lost {
  readonly transactionId: string;
  readonly explanation: string;
}

/**
 * Reads every key at every replica: each acknowledged commit, or a newer one of the same key, must be
 * there. Commits that others have not heard of yet get the time of some rounds of multicast.
 */
export async function checkDurability(options: {
  readonly cluster: RunningCluster;
  readonly keys: readonly string[];
  readonly transactions: readonly RecordedTransaction[];
  readonly clock: Clock;
}): Promise<DurabilityCheck> {
  const { cluster, keys, transactions, clock } = options;
  const acknowledged = transactions.filter(
    ({ outcome, commitOrder }) => commitOrder !== undefined && outcome !== "aborted",
  );
  const orders = new Map(acknowledged.map((one) => [one.transactionId, one.commitOrder ?? ""]));
  const replicas = cluster.processes.processes("replica");
  const untilUs = clock.monotonicUs() + settleWithinUs;
  const lost = new Map<string, string>();
  for (const { endpoint, name } of replicas) {
    const system = await openStateSystem({ system: "aft", options: { endpoint } });
    try {
      for (;;) {
        const isOver = clock.monotonicUs() > untilUs;
        const missing = await missingAt({ name, system, keys, acknowledged, orders }).catch(
          (error: unknown) => {
            // It may have to read the commit set again, as after a pause of the machine.
            if (isOver || !(error instanceof StateError) || error.disposition !== "retry")
              throw error;
            return undefined;
          },
        );
        if (missing === undefined || (missing.length > 0 && !isOver)) {
          await delay(clock, retryUs);
          continue;
        }
        for (const { transactionId, explanation } of missing) lost.set(transactionId, explanation);
        break;
      }
    } finally {
      await system.close();
    }
  }
  return {
    acknowledged: acknowledged.length,
    replicas: replicas.length,
    keys: keys.length,
    lost: lost.size,
    examples: [...lost.values()].slice(0, mostExamples),
  };
}

async function missingAt(options: {
  readonly name: string;
  readonly system: StateSystem;
  readonly keys: readonly string[];
  readonly acknowledged: readonly RecordedTransaction[];
  readonly orders: Map<string, string>;
}): Promise<Lost[]> {
  const { name, system, keys, acknowledged, orders } = options;
  const seen = new Map<string, string>();
  for (let start = 0; start < keys.length; start += keysPerRead) {
    const some = keys.slice(start, start + keysPerRead);
    const session = system.begin({ requestId: `durability-${start}` });
    const values = await session.getMany(some);
    await session.abort();
    for (const [index, key] of some.entries()) {
      const value = values[index];
      if (value === undefined) continue;
      const { transactionId, requestId } = decodeStamp(value);
      let order = orders.get(transactionId);
      if (order === undefined) {
        // Committed, since it is read, but its answer was lost.
        const context = { system: system.name, requestId, transactionId, carried: {} };
        const outcome = await system.outcomeOf(context);
        order = outcome.kind === "committed" ? (outcome.commitOrder ?? "") : "";
        orders.set(transactionId, order);
      }
      seen.set(key, order);
    }
  }
  return acknowledged.flatMap(({ transactionId, writeSet, commitOrder = "" }) => {
    const gone = writeSet.find((key) => (seen.get(key) ?? "") < commitOrder);
    if (gone === undefined) return [];
    const instead = seen.get(gone) ?? "nothing";
    const explanation = `${name} shows ${instead} for ${gone}, which ${transactionId} wrote at ${commitOrder}`;
    return [{ transactionId, explanation }];
  });
}

/** Counts what is in storage under a cluster's namespace. Rejects with a `StorageError`. */
export async function measureStorage(cluster: RunningCluster): Promise<StorageSize> {
  return withEngine(cluster, async (engine, names, clock) => {
    let versions = 0;
    let records = 0;
    for await (const page of listAll(engine, names.dataPrefix, clock)) versions += page.length;
    for await (const page of listAll(engine, names.commitPrefix, clock)) records += page.length;
    return { versions, records };
  });
}

/** What must stay: transactions with a newest version, and all that they wrote, as they are read whole. */
async function measureLive(cluster: RunningCluster): Promise<StorageSize> {
  return withEngine(cluster, async (engine, names, clock) => {
    const index = new VersionIndex();
    await readCommitSet({
      engine,
      names,
      clock,
      onOutcome: (outcome) => {
        if (outcome.kind === "committed") index.add(outcome.record);
      },
      onCorrupt: (error) => {
        throw error;
      },
    });
    const live = [...index.records()].filter((record) => index.liveKeys(record) > 0);
    const versions = live.reduce((sum, { writeSet }) => sum + writeSet.size, 0);
    return { versions, records: live.length };
  });
}

/** Without the emulated latency: this is the suite's own business. */
async function withEngine<T>(
  { storage, namespace }: RunningCluster,
  work: (engine: StorageEngine, names: Names, clock: Clock) => Promise<T>,
): Promise<T> {
  const clock = createSystemClock();
  const engine = await openStorage({ target: storage.target }, { clock });
  try {
    return await work(engine, createNames(namespace), clock);
  } finally {
    await engine.close();
  }
}

/** Records that may stay: what is being decided while it is looked at, at each replica. */
const spareRecordsPerReplica = 8;

/** Waits until nothing is left but what is live. */
export async function awaitDrain(options: {
  readonly cluster: RunningCluster;
  readonly clock: Clock;
  readonly behindBlocks: readonly StorageSize[];
}): Promise<StorageDrain> {
  const { cluster, clock, behindBlocks } = options;
  const { replicas, managers } = cluster.plan;
  const limitSeconds = managers === 0 ? 0 : drainLimitSeconds;
  const startUs = clock.monotonicUs();
  for (;;) {
    const atUs = clock.monotonicUs();
    const live = await measureLive(cluster);
    const size = await measureStorage(cluster);
    const isDrained =
      size.versions === live.versions &&
      size.records <= live.records + replicas * spareRecordsPerReplica;
    const spent = (atUs - startUs) / 1_000_000;
    if (isDrained || spent >= limitSeconds)
      return {
        behindBlocks,
        seconds: isDrained ? Math.round(spent * 100) / 100 : null,
        limitSeconds,
        left: size,
        live,
        replicas,
      };
    await delay(clock, retryUs);
  }
}
