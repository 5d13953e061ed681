/**
 * Goal    A cluster of processes loses nothing it acknowledged, shows no anomaly and does each request
 *         once, whatever dies or stops: two of four replicas together with the fault manager,
 *         replicas and managers that stop for longer than it takes to be declared dead and go on,
 *         replicas that hear nothing of each other.
 * Method  Clients run chains of two functions, each with connections of its own, and start a request
 *         again under its id until it has committed. Each round breaks something, seeded; when it
 *         is over every replica must show, for every key, nothing older than was acknowledged. In
 *         the end the recorded history is judged by the checker.
 * Replay  SEED=<printed seed>; AFT_BENCH_ROUNDS=100 (over each store), AFT_BENCH_PAUSE_MS=10000 and
 *         AFT_BENCH_DROP_MS=30000 for the nightly run.
 */
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import type { RecordedOperation, RecordedTransaction } from "#harness/record/history.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng, type Prng } from "#kit/prng.ts";
import { openStateSystem } from "#shim/state/registry.ts";
import { type CommitOutcome, StateError, type StateSystem } from "#shim/state/port.ts";
import { runOperations } from "#workloads/functions/body.ts";
import { decodeStamp } from "#workloads/functions/value.ts";
import type { PlannedOperation } from "#workloads/port.ts";
import { type AftCluster, type ClusterProcess, startAftCluster } from "./aft-cluster.ts";
import { startRedis } from "./redis.ts";
import { startStorageService } from "./registry.ts";
import type { StorageService } from "./port.ts";
import { hasRedis, redisMissing } from "./testing.ts";
import { judgeRounds } from "./testing/judge-rounds.ts";

const rounds = Number(process.env["AFT_BENCH_ROUNDS"] ?? 3);
const seed = Number(process.env["SEED"] ?? 4);
const clients = 6;
const thinkMs = 40;
const keys = Array.from({ length: 12 }, (_unused, index) => `k${index}`);
/** Shorter than the defaults, so that a round takes seconds. */
const cluster = { multicastMs: 150, deadAfterMs: 800 };
const pauseMs = Number(process.env["AFT_BENCH_PAUSE_MS"] ?? 1_600);
/** How long replicas hear nothing of each other. */
const dropMs = Number(process.env["AFT_BENCH_DROP_MS"] ?? 1_600);
/**
 * Starting a process takes seconds on a machine that is busy with something else. How soon deaths are
 * noticed is measured elsewhere (`fault-timeline`).
 */
const wholeWithinMs = 60_000;
const clock = createSystemClock();

describe(`${rounds} rounds of crashes and pauses`, () => {
  const minutes = 60_000;
  it("over lmdb", () => run(() => startStorageService("lmdb"), 0), 40 * minutes);
  it.skipIf(!hasRedis())(
    `over redis (skipped if ${redisMissing})`,
    () => run(() => startRedis(), 3),
    40 * minutes,
  );
});

interface Acknowledged {
  readonly order: string;
  readonly transactionId: string;
}

interface World {
  readonly cluster: AftCluster;
  /** Two functions of a request run in two processes; here, over two sets of connections. */
  readonly systems: readonly [StateSystem, StateSystem];
  readonly history: RecordedTransaction[];
  readonly acknowledged: Map<string, Acknowledged>;
  readonly prng: Prng;
  committed: number;
  restarted: number;
}

/** `first`: the kind of fault to begin with, so that few rounds over two stores see all kinds. */
async function run(start: () => Promise<StorageService>, first: number): Promise<void> {
  const store = await start();
  const world: Partial<World> = {};
  try {
    const running = await startAftCluster({
      storage: { target: store.target },
      replicas: 4,
      cluster,
      debug: true,
      // As a StatefulSet does: seeds must lead to somebody, also for a manager that is new.
      reusePorts: true,
      settings: { outcomeRetentionMs: 60_000, transactionTimeoutMs: 10_000 },
    });
    Object.assign(world, { cluster: running });
    const open = (): Promise<StateSystem> =>
      openStateSystem({
        system: "aft",
        options: { endpoints: running.seeds, timeoutMs: 3_000, refreshMs: 200 },
      });
    const full: World = {
      cluster: running,
      systems: [await open(), await open()],
      history: [],
      acknowledged: new Map(),
      prng: createPrng(seed),
      committed: 0,
      restarted: 0,
    };
    Object.assign(world, full);
    for (let round = 0; round < rounds; round += 1) {
      await runRound(full, first + round);
      if ((round + 1) % 10 === 0)
        process.stderr.write(`cluster rounds: ${round + 1} of ${rounds}\n`);
    }
    judgeRounds(full, { rounds, seed });
  } finally {
    await Promise.all(world.systems?.map((system) => system.close()) ?? []);
    await world.cluster?.stop();
    await store.stop();
  }
}

async function runRound(world: World, round: number): Promise<void> {
  const stop = { now: false };
  const working = Array.from({ length: clients }, (_unused, client) =>
    work(world, { client, round, stop, prng: world.prng.fork(`${round}/${client}`) }),
  );
  await pause(200 + world.prng.nextInt(300));
  await breakSomething(world, round);
  await pause(300);
  stop.now = true;
  await Promise.all(working);
  await allServe(world);
  await verify(world);
  // Zombies that came back are too many now: they leave in order.
  for (const extra of world.cluster.processes("replica").slice(4)) await extra.stop();
}

/** What one round does; then waits until the cluster is whole again. */
async function breakSomething(world: World, round: number): Promise<void> {
  const { cluster: running, prng } = world;
  const replicas = [...running.processes("replica")];
  const some = (count: number): ClusterProcess[] =>
    Array.from({ length: count }, () => replicas.splice(prng.nextInt(replicas.length), 1)).flat();
  const [manager] = running.processes("manager");
  const sinceMs = Date.now();
  switch (round % 6) {
    case 0: {
      for (const one of [...some(2), ...(manager === undefined ? [] : [manager])]) one.kill();
      await pause(500);
      await running.startManager();
      await running.waitFor("dead", { sinceMs, withinMs: wholeWithinMs });
      break;
    }
    case 1: {
      const [zombie] = some(1);
      zombie?.pause();
      await running.waitFor("dead", { sinceMs, withinMs: wholeWithinMs });
      await pause(pauseMs);
      zombie?.resume();
      break;
    }
    case 2: {
      some(1)[0]?.kill();
      await running.waitFor("dead", { sinceMs, withinMs: wholeWithinMs });
      break;
    }
    case 3: {
      manager?.pause();
      some(1)[0]?.kill();
      await pause(pauseMs);
      manager?.resume();
      break;
    }
    case 4: {
      const zombies = some(2);
      for (const zombie of zombies) zombie.pause();
      await pause(pauseMs);
      for (const zombie of zombies) zombie.resume();
      manager?.kill();
      await running.startManager();
      break;
    }
    case 5: {
      const deaf = running.processes("replica");
      for (const one of deaf)
        await askOf(one, (redis) => redis.call("AFT.DEBUG", "LOSE-PEERS", String(dropMs)));
      await pause(dropMs);
      // One that was started meanwhile was not told.
      for (const one of deaf) {
        const lost = await askOf(one, (redis) => redis.call("AFT.DEBUG", "LOSE-PEERS", "0"));
        expect(Number(lost), "messages lost on purpose").toBeGreaterThan(0);
      }
      break;
    }
  }
}

/** All replicas answer, each as alive itself and with three others at least. */
async function allServe({ cluster: running, systems }: World): Promise<void> {
  const untilMs = Date.now() + wholeWithinMs;
  for (;;) {
    const replicas = running.processes("replica");
    const views = await Promise.all(replicas.map(membersAt));
    const complete = views.filter(
      (alive, index) => alive.length >= 4 && alive.includes(replicas[index]?.endpoint ?? ""),
    ).length;
    if (complete >= 4 && complete === views.length) break;
    if (Date.now() > untilMs) {
      throw new Error(`not whole again: ${JSON.stringify([views, running.events.slice(-12)])}`);
    }
    await pause(100);
  }
  // Clients have seen it too.
  await pause(500);
  for (const system of systems) await system.begin({ requestId: "warm" }).abort();
}

async function askOf<T>(
  { endpoint }: ClusterProcess,
  ask: (redis: Redis) => Promise<T>,
  withinMs = wholeWithinMs,
): Promise<T> {
  const redis = new Redis(`redis://${endpoint}`, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    commandTimeout: withinMs,
  });
  redis.on("error", () => {});
  try {
    return await ask(redis);
  } finally {
    redis.disconnect();
  }
}

async function membersAt(replica: ClusterProcess): Promise<string[]> {
  try {
    const answer = await askOf(replica, (redis) => redis.call("AFT.MEMBERS"), 1_000);
    const members = JSON.parse(String(answer)) as {
      state: string;
      role: string;
      address: string;
    }[];
    return members
      .filter(({ role, state }) => role === "replica" && state === "alive")
      .map(({ address }) => address);
  } catch {
    return [];
  }
}

interface Client {
  readonly client: number;
  readonly round: number;
  readonly stop: { readonly now: boolean };
  readonly prng: Prng;
}

async function work(world: World, client: Client): Promise<void> {
  for (let number = 0; !client.stop.now; number += 1) {
    const requestId = `r${client.round}-${client.client}-${number}`;
    const writeSet = [pick(client.prng), pick(client.prng)].filter(
      (key, index, all) => all.indexOf(key) === index,
    );
    // Faults are what is tested here: cores must be left for those who notice and repair them.
    await pause(thinkMs);
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const done = await tryOnce(world, client, { requestId, attempt, writeSet });
      if (done) break;
      world.restarted += 1;
      await pause(20);
      if (attempt === 199) throw new Error(`${requestId} never committed`);
    }
  }
}

/** One attempt of a request, recorded; whether the request has committed. */
async function tryOnce(
  world: World,
  { client, prng }: Client,
  request: { requestId: string; attempt: number; writeSet: readonly string[] },
): Promise<boolean> {
  const { requestId, attempt, writeSet } = request;
  const operations: RecordedOperation[] = [];
  let session = world.systems[0].begin({ requestId });
  const { transactionId } = session;
  const plan = (written: readonly string[], sequenceBase: number) => ({
    requestId,
    writeSet,
    sequenceBase,
    payloadSeed: 1,
    valueBytes: 200,
    operations: [
      { kind: "read", key: pick(prng) },
      { kind: "read", key: pick(prng) },
      ...written.map((key) => ({ kind: "write", key }) as const),
    ] satisfies PlannedOperation[],
  });
  let outcome: CommitOutcome;
  try {
    const first = plan(writeSet.slice(0, 1), 0);
    await runOperations({ session, plan: first, clock, recorded: operations });
    session = world.systems[1].resume(await session.suspend());
    const second = plan(writeSet.slice(1), 1);
    await runOperations({ session, plan: second, clock, recorded: operations });
    outcome = await session.commit();
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    expect(error.disposition, `${error.code}: ${error.message}`).toBe("retry");
    await session.abort();
    outcome = { kind: "aborted", reason: error.code };
  }
  const won = outcome.kind === "committed" ? outcome : undefined;
  const by = won?.committedBy ?? transactionId;
  const isOwn = won !== undefined && by === transactionId;
  const order = won?.commitOrder ?? "";
  world.history.push({
    requestId,
    attempt,
    transactionId,
    session: client,
    writeSet,
    operations,
    ...(outcome.kind !== "committed" && { reason: outcome.reason }),
    outcome: isOwn ? "committed" : outcome.kind === "unknown" ? "unknown" : "aborted",
    ...(isOwn && { commitOrder: order }),
  });
  if (won === undefined) return false;
  if (!isOwn) place(world, by, order);
  world.committed += 1;
  for (const key of writeSet) {
    const newest = world.acknowledged.get(key);
    if (newest === undefined || newest.order < order)
      world.acknowledged.set(key, { order, transactionId: by });
  }
  return true;
}

/** An earlier attempt turned out to have committed: its place in the order is known now. */
function place({ history }: World, transactionId: string, commitOrder: string): void {
  const index = history.findIndex((one) => one.transactionId === transactionId);
  const found = history[index];
  if (found !== undefined) history[index] = { ...found, outcome: "unknown", commitOrder };
}

/**
 * Every replica shows, for every key, the newest acknowledged write or a newer one. One that is still
 * joining (on a busy machine a live one may have been declared dead and replaced) says so and is asked again.
 */
async function verify(world: World): Promise<void> {
  const untilMs = Date.now() + wholeWithinMs;
  for (;;) {
    try {
      await verifyAll(world);
      return;
    } catch (error) {
      if (!(error instanceof StateError) || error.disposition !== "retry") throw error;
      if (Date.now() > untilMs) throw error;
      await allServe(world);
    }
  }
}

async function verifyAll(world: World): Promise<void> {
  const orders = new Map(
    world.history.map(({ transactionId, commitOrder }) => [transactionId, commitOrder ?? ""]),
  );
  for (const { endpoint } of world.cluster.processes("replica")) {
    const system = await openStateSystem({ system: "aft", options: { endpoint } });
    try {
      const session = system.begin({ requestId: "verify" });
      const values = await session.getMany(keys);
      await session.abort();
      for (const [index, key] of keys.entries()) {
        const newest = world.acknowledged.get(key);
        if (newest === undefined) continue;
        const value = values[index];
        const stamp = value === undefined ? undefined : decodeStamp(value);
        const seen = stamp?.transactionId ?? "nothing";
        // A writer whose answer was lost is in no order known here; it is newer, or it is not.
        const order = orders.get(seen) ?? "";
        const lost = seen === "nothing" || (order !== "" && order < newest.order);
        expect(lost, `${key} at ${endpoint}: ${seen} (${order}), not ${newest.order}`).toBe(false);
      }
    } finally {
      await system.close();
    }
  }
}

function pick(prng: Prng): string {
  return keys[prng.nextInt(keys.length)] ?? "k0";
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
