/**
 * Goal    A client over a simulated connection is told the truth, whichever part of an exchange is lost.
 * Method  The production session and replica, and a connection that ends at a chosen instant.
 */
import { afterEach, describe, expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { createAftSystem } from "#shim/aft/client/one-replica.ts";
import type { Replica } from "#shim/aft/replica/port.ts";
import { createReplica } from "#shim/aft/replica/replica.ts";
import type { StateSystem } from "#shim/state/port.ts";
import { SimPool } from "./connection.ts";
import { noStorageTrouble, SimEngine } from "./engine.ts";
import { SimLoop } from "./loop.ts";
import { SimNetwork } from "./network.ts";
import { SimProcess } from "./process.ts";
import type { ServingReplica } from "./server.ts";
import { SimStore } from "./store.ts";
import { Trace } from "./trace.ts";

const settings = {
  conditionalPut: true,
  orderedPipeline: true,
  atomicMultiPut: false,
  maxBatch: 25,
  baseUs: 10,
  jitterUs: 0,
  lagUs: 0,
};

interface World {
  readonly loop: SimLoop;
  readonly pool: SimPool;
  readonly replica: Replica;
  readonly system: StateSystem;
  readonly network: SimNetwork;
  readonly bugs: unknown[];
  /** Lets time pass until it has the answer. */
  readonly answerOf: <T>(call: Promise<T>) => Promise<T>;
}

async function openWorld(maxRidingWrites?: number): Promise<World> {
  const loop = new SimLoop({ trace: new Trace() });
  const prng = createPrng(7);
  const machine = { offsetMs: 0, driftPpm: 0 };
  const [server, host] = ["r1", "f1"].map(
    (name, owner) => new SimProcess({ name, owner, loop, machine, prng: prng.fork(name) }),
  );
  if (server === undefined || host === undefined) throw new Error("two processes");
  const answerOf = async <T>(call: Promise<T>): Promise<T> => {
    let done = false;
    const finished = call.finally(() => (done = true));
    finished.catch(() => {});
    await loop.run(loop.nowUs + 60_000_000, () => done);
    return finished;
  };
  const store = new SimStore({ nowUs: () => loop.nowUs, prng, lagUs: 0 });
  const storage = new SimEngine({
    loop,
    store,
    process: server,
    prng,
    settings,
    trouble: noStorageTrouble,
  });
  const replica = await answerOf(
    createReplica({ storage, clock: server, prng, settings: { orphanSweepMs: 0 } }),
  );
  const bugs: unknown[] = [];
  const serving: ServingReplica = {
    process: server,
    replica,
    member: undefined,
    onBug: (error) => bugs.push(error),
  };
  const network = new SimNetwork({ loop, prng, link: { baseUs: 100, jitterUs: 0 } });
  const pool = await answerOf(
    SimPool.open({
      wiring: { network, servingAt: (address) => (address === "r1" ? serving : undefined) },
      host,
      address: "r1",
      timeoutUs: 1_000_000,
      lateAnswers: true,
      prng,
      connections: 1,
    }),
  );
  const client = { exactlyOnce: true, maxRidingWrites, clock: host, prng };
  const system = createAftSystem({ ...client, connections: pool });
  return { loop, pool, replica, system, network, bugs, answerOf };
}

let world: World | undefined;
afterEach(() => {
  expect(world?.bugs).toEqual([]);
});

describe("a session over a connection that ends", () => {
  it.each([
    { shape: "only writes", reads: false, riding: 64 },
    { shape: "a read first", reads: true, riding: 64 },
    { shape: "only writes, sent ahead of the commit", reads: false, riding: 0 },
    { shape: "a read first, and writes sent ahead", reads: true, riding: 0 },
  ])("learns that it committed: $shape", async ({ reads, riding }) => {
    world = await openWorld(riding);
    const { loop, pool, replica, system, answerOf } = world;
    const session = system.begin({ requestId: "request" });
    if (reads) await answerOf(session.get("k"));
    await session.put("k", Buffer.from("v"));
    const commit = session.commit();
    await loop.run(loop.nowUs + 60_000_000, () => replica.stats().committedTotal === 1);
    // It is committed, and no answer has arrived.
    pool.reset();
    expect(await answerOf(commit)).toMatchObject({ kind: "committed" });
    const reader = system.begin({ requestId: "reader" });
    expect(await answerOf(reader.get("k"))).toEqual(Buffer.from("v"));
  });

  it("gives up what is silent, and works again when the link does", async () => {
    world = await openWorld();
    const { system, network, answerOf } = world;
    const heal = network.cut("r1", "f1");
    const session = system.begin({ requestId: "one" });
    await expect(answerOf(session.get("k"))).rejects.toMatchObject({ code: "replica_unreachable" });
    heal();
    const again = system.begin({ requestId: "two" });
    expect(await answerOf(again.get("k"))).toBeUndefined();
  });
});
