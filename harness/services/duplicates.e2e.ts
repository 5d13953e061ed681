/**
 * Goal    A request happens once, although it is sent to two replicas at the same time, and again after
 *         some of them have died.
 * Method  Every request writes a key of its own through two of four replicas at once; while they run,
 *         replicas are killed and replaced. Then each is sent once more to another one. All answers must
 *         name one transaction, every replica must show its value, and the commit set must hold it once.
 * Replay  AFT_BENCH_DUPLICATES=10000 for the nightly run.
 */
import { expect, it } from "vitest";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createNames } from "#shim/aft/protocol/names.ts";
import { readCommitSet } from "#shim/aft/replica/recovery.ts";
import type { StateSystem } from "#shim/state/port.ts";
import { openStateSystem } from "#shim/state/registry.ts";
import { openStorage } from "#shim/storage/registry.ts";
import { type AftCluster, startAftCluster } from "./aft-cluster.ts";
import { startStorageService } from "./registry.ts";

const requests = Number(process.env["AFT_BENCH_DUPLICATES"] ?? 800);
const parallel = 16;
const kills = requests > 2_000 ? 6 : 1;
const attempts = 200;
const minute = 60_000;

it(
  `${requests} requests, each sent to two replicas and again after crashes`,
  { timeout: 20 * minute },
  async () => {
    const store = await startStorageService("lmdb");
    const cluster = await startAftCluster({
      storage: { target: store.target },
      replicas: 4,
      cluster: { multicastMs: 200, deadAfterMs: 1_000 },
      // As long as the run: an outcome is kept that long.
      settings: { outcomeRetentionMs: 20 * minute },
    });
    try {
      const options = { endpoints: cluster.seeds, timeoutMs: 3_000, refreshMs: 200 };
      const open = (): Promise<StateSystem> => openStateSystem({ system: "aft", options });
      const [one, two] = [await open(), await open()];
      // Their turns differ by one, so the two copies of a request go to different replicas.
      await two.begin({ requestId: "turn" }).abort();
      const answers = new Map<string, Set<string>>();
      const winners = new Map<string, Set<string>>();
      const send = async (system: StateSystem, index: number, copy: string): Promise<void> => {
        const won = await untilCommitted(system, index, copy);
        note(winners, `r${index}`, won.by);
        note(answers, `r${index}`, won.replica);
      };
      const killing = killSome(cluster);
      await each(requests, async (index) => {
        await Promise.all([send(one, index, "a"), send(two, index, "b")]);
      });
      await killing;
      await each(requests, (index) => send(two, index, "c"));
      for (const [request, by] of winners) expect([...by], request).toHaveLength(1);
      const spread = [...answers.values()].filter((replicas) => replicas.size > 1).length;
      // Otherwise duplicates were never at two replicas, and nothing was tested.
      expect(spread).toBeGreaterThan(requests / 4);
      await expectOnce(store.target, winners);
      await expectShown(cluster, winners);
      await one.close();
      await two.close();
    } finally {
      await cluster.stop();
      await store.stop();
    }
  },
);

/** The transaction that did the request's work, and the replica that was asked. */
async function untilCommitted(
  system: StateSystem,
  index: number,
  copy: string,
): Promise<{ by: string; replica: string }> {
  let last = "";
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const session = system.begin({ requestId: `r${index}` });
    const { transactionId } = session;
    try {
      await session.put(`k${index}`, Buffer.from(`${transactionId} ${copy}`));
      const { carried } = await session.suspend();
      const replica = String(carried["replica"]);
      const again = system.resume({
        system: "aft",
        requestId: `r${index}`,
        transactionId,
        carried,
      });
      const outcome = await again.commit();
      if (outcome.kind === "committed")
        return { by: outcome.committedBy ?? transactionId, replica };
      last = outcome.reason;
    } catch (error) {
      last = String(error);
    }
    await pause(20);
  }
  throw new Error(`r${index} never committed: ${last}`);
}

/** Kills a replica, waits for its replacement, and so on. */
async function killSome(cluster: AftCluster): Promise<void> {
  for (let kill = 0; kill < kills; kill += 1) {
    await pause(300);
    const sinceMs = Date.now();
    const running = cluster.processes("replica");
    running[kill % running.length]?.kill();
    await cluster.waitFor("dead", { sinceMs, withinMs: 20_000 });
    await cluster.waitFor("started", { sinceMs, withinMs: 30_000 });
  }
}

/** One committed record a request, by the transaction that all answers named. */
async function expectOnce(
  target: Parameters<typeof openStorage>[0]["target"],
  winners: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<void> {
  const clock = createSystemClock();
  const engine = await openStorage({ target }, { clock });
  const found = new Map<string, Set<string>>();
  try {
    await readCommitSet({
      engine,
      names: createNames("aft"),
      clock,
      onOutcome: (outcome) => {
        if (outcome.kind === "committed")
          note(found, outcome.record.requestId, outcome.record.id.uuid);
      },
      onCorrupt: (error) => {
        throw error;
      },
    });
  } finally {
    await engine.close();
  }
  for (const [request, by] of winners) expect(found.get(request), request).toEqual(by);
}

async function expectShown(
  cluster: AftCluster,
  winners: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<void> {
  for (const { endpoint } of cluster.processes("replica")) {
    const system = await openStateSystem({ system: "aft", options: { endpoint } });
    try {
      const session = system.begin({ requestId: `look-${endpoint}` });
      const keys = [...winners.keys()].map((request) => request.replace("r", "k"));
      const values = await session.getMany(keys);
      for (const [index, by] of [...winners.values()].entries()) {
        const shown = Buffer.from(values[index] ?? [])
          .toString()
          .split(" ")[0];
        expect([shown], `${keys[index]} at ${endpoint}`).toEqual([...by]);
      }
      await session.abort();
    } finally {
      await system.close();
    }
  }
}

async function each(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}

function note(sets: Map<string, Set<string>>, name: string, value: string): void {
  sets.set(name, (sets.get(name) ?? new Set()).add(value));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
