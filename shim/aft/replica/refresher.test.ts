/**
 * Goal    What other replicas write over is fetched ahead if it is read here, within bounds, and without
 *         any effect on what a read answers.
 * Method  Two replicas over one memory store whose batched reads are counted and can be held back; commits
 *         are carried by hand.
 */
import { beforeEach, describe, expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import { StorageUnavailableError } from "#shim/storage/errors.ts";
import type { StorageEngine, StorageKey } from "#shim/storage/port.ts";
import type { CommitRecord } from "../protocol/types.ts";
import { defaultReplicaSettings, type ReplicaSettings } from "./options.ts";
import { openTestReplica, type TestReplica } from "./testing.ts";

interface Watched {
  readonly engine: StorageEngine;
  /** Names of each batched read of data. */
  readonly batches: (readonly StorageKey[])[];
  /** Names of single reads. */
  readonly singles: StorageKey[];
  /** Batched reads wait for this. */
  gate: Promise<unknown>;
  underWay: number;
  mostUnderWay: number;
}

function watch(inner: StorageEngine): Watched {
  const watched: Watched = {
    batches: [],
    singles: [],
    gate: Promise.resolve(),
    underWay: 0,
    mostUnderWay: 0,
    engine: {
      ...inner,
      get: (name) => {
        if (name.startsWith("aft/d/")) watched.singles.push(name);
        return inner.get(name);
      },
      multiGet: async (names) => {
        if (names[0]?.startsWith("aft/d/") !== true) return inner.multiGet(names);
        watched.batches.push(names);
        watched.underWay += 1;
        watched.mostUnderWay = Math.max(watched.mostUnderWay, watched.underWay);
        try {
          await watched.gate;
          return await inner.multiGet(names);
        } finally {
          watched.underWay -= 1;
        }
      },
    },
  };
  return watched;
}

describe("cache refresh", () => {
  let store: StorageEngine;
  let watched: Watched;
  let here: TestReplica;
  let elsewhere: TestReplica;
  let heard: CommitRecord[];

  async function open(settings: Partial<ReplicaSettings> = {}): Promise<void> {
    const memory = createMemoryEngine();
    store = passThrough(memory);
    watched = watch(store);
    const off = { storageGc: "off", ...settings } as const;
    here = await openTestReplica({ storage: watched.engine, settings: off });
    elsewhere = await openTestReplica({ storage: store, clock: here.clock, settings: off });
    heard = [];
    elsewhere.replica.peers.onCommit = (record) => heard.push(record);
  }

  /** What has been committed elsewhere since the last call is heard here. */
  async function multicast(): Promise<void> {
    here.replica.peers.merge(heard);
    heard = [];
    await here.clock.settle();
  }

  /** A read in a transaction that ends, so that it holds up no collection. */
  async function peek(key: string): Promise<string | null> {
    const transactionId = here.begin();
    const value = await here.read(transactionId, key);
    here.replica.abort({ transactionId });
    return value;
  }

  /** Keys written elsewhere, known and read here. */
  async function readHere(...keys: string[]): Promise<void> {
    for (const key of keys) await elsewhere.write({ [key]: "old" });
    await multicast();
    for (const key of keys) expect(await peek(key)).toBe("old");
    watched.singles.length = 0;
  }

  beforeEach(() => open());

  it("fetches the new version of a key that is read here, before it is read", async () => {
    await readHere("k");
    await elsewhere.write({ k: "new" });
    await multicast();
    expect(watched.batches).toHaveLength(1);
    expect(await peek("k")).toBe("new");
    expect(watched.singles).toEqual([]);
    expect(here.replica.stats()).toMatchObject({
      cacheRefreshedTotal: 1,
      cacheRefreshUsedTotal: 1,
      cacheRefreshWastedTotal: 0,
    });
  });

  it("also when the old version has left the cache while the one after it was on its way", async () => {
    await readHere("k");
    const gate = createGate();
    watched.gate = gate.passed;
    await elsewhere.write({ k: "newer" });
    await multicast();
    // The collection drops what is superseded.
    await here.clock.advance(100_000);
    await elsewhere.write({ k: "newest" });
    await multicast();
    gate.open();
    await here.clock.settle();
    expect(watched.batches).toHaveLength(2);
    expect(await peek("k")).toBe("newest");
    expect(watched.singles).toEqual([]);
  });

  it("leaves alone what was never read here, and what was read too long ago", async () => {
    await elsewhere.write({ unread: "old" });
    await here.write({ written: "old" });
    await readHere("k");
    // A commit elsewhere marks the time; then nobody reads for longer than counts.
    await here.clock.advance(1_000);
    await elsewhere.write({ other: "1" });
    await multicast();
    await here.clock.advance(defaultReplicaSettings.refreshReadWithinMs * 1_000 + 1);
    await elsewhere.write({ unread: "new" });
    await elsewhere.write({ written: "new" });
    await elsewhere.write({ k: "new" });
    await multicast();
    expect(watched.batches).toEqual([]);
    expect(await peek("k")).toBe("new");
  });

  it("asks once for several keys, and only for the newest version of each", async () => {
    await readHere("k", "l");
    for (const value of ["1", "2", "3"]) await elsewhere.write({ k: value });
    await elsewhere.write({ l: "4" });
    await multicast();
    expect(watched.batches.map((names) => names.length)).toEqual([2]);
    expect([await peek("k"), await peek("l")]).toEqual(["3", "4"]);
    expect(watched.singles).toEqual([]);
  });

  it("lets a read that arrives meanwhile join the fetch", async () => {
    await readHere("k");
    const gate = createGate();
    watched.gate = gate.passed;
    await elsewhere.write({ k: "new" });
    await multicast();
    const reads = [peek("k"), peek("k")];
    gate.open();
    expect(await Promise.all(reads)).toEqual(["new", "new"]);
    expect(watched.singles).toEqual([]);
    expect(here.replica.stats()).toMatchObject({ cacheRefreshUsedTotal: 2 });
  });

  it("lets a read that joined a failed fetch ask for itself", async () => {
    await readHere("k");
    const gate = createGate();
    watched.gate = gate.passed;
    await elsewhere.write({ k: "new" });
    await multicast();
    const read = peek("k");
    gate.fail(
      new StorageUnavailableError({
        engine: "memory",
        operation: "multiGet",
        key: undefined,
        effect: "none",
        cause: new Error("injected"),
      }),
    );
    expect(await read).toBe("new");
    expect(watched.singles).toHaveLength(1);
    expect(here.replica.stats().cacheRefreshedTotal).toBe(0);
  });

  it("caches nothing for a version whose data was collected meanwhile", async () => {
    await readHere("k");
    const gate = createGate();
    watched.gate = gate.passed;
    await elsewhere.write({ k: "new" });
    const [record] = heard;
    await multicast();
    const [name] = watched.batches[0] ?? [];
    expect(name).toContain(record?.id.uuid);
    if (name !== undefined) await store.delete(name);
    gate.open();
    await here.clock.settle();
    expect(here.replica.stats().cacheRefreshedTotal).toBe(0);
    // The version before it is still there, as for any reader that comes too late.
    expect(await peek("k")).toBe("old");
  });

  it("counts a version that was superseded before anybody read it as wasted", async () => {
    await readHere("k");
    for (const value of ["1", "2"]) {
      await elsewhere.write({ k: value });
      await multicast();
      await here.clock.advance(100_000);
    }
    expect(here.replica.stats()).toMatchObject({
      cacheRefreshedTotal: 2,
      cacheRefreshUsedTotal: 0,
      cacheRefreshWastedTotal: 1,
    });
  });

  it("is bounded in requests at once, keys of one, keys that wait, and bytes", async () => {
    await open({ refreshRequests: 1, refreshBatch: 2, refreshKeys: 3 });
    const keys = ["a", "b", "c", "d", "e", "f"];
    await readHere(...keys);
    const gate = createGate();
    watched.gate = gate.passed;
    for (const key of keys) await elsewhere.write({ [key]: "new" });
    await multicast();
    expect(watched.batches).toHaveLength(1);
    gate.open();
    await here.clock.settle();
    expect(watched.batches.map((names) => names.length)).toEqual([2, 1]);
    expect(watched.mostUnderWay).toBe(1);
    expect(here.replica.stats()).toMatchObject({
      cacheRefreshedTotal: 3,
      cacheRefreshSkippedTotal: 3,
    });
    for (const key of keys) expect(await peek(key)).toBe("new");

    await open({ refreshBatch: 1, refreshRequests: 2 });
    await readHere(...keys);
    for (const key of keys) await elsewhere.write({ [key]: "new" });
    await multicast();
    expect(watched.mostUnderWay).toBe(2);
    expect(here.replica.stats().cacheRefreshedTotal).toBe(keys.length);

    await open({ refreshBytes: 7 });
    await readHere("k", "l", "m");
    for (const key of ["k", "l", "m"]) await elsewhere.write({ [key]: "new" });
    await multicast();
    expect(watched.batches.map((names) => names.length)).toEqual([2]);
  });

  it("does nothing for what is read from the commit set, or when it is off", async () => {
    await readHere("k");
    await elsewhere.write({ k: "new" });
    await here.replica.peers.rescan();
    await here.clock.settle();
    expect(watched.batches).toEqual([]);

    await open({ refreshReadWithinMs: 0 });
    await readHere("k");
    await elsewhere.write({ k: "new" });
    await multicast();
    expect(watched.batches).toEqual([]);
    expect(await peek("k")).toBe("new");
  });

  it.each([1, 2, 3])("leaves every read set atomic (seed %i)", async (seed) => {
    await open({ refreshBatch: 2, refreshRequests: 2 });
    const prng = createPrng(seed);
    let compared = 0;
    for (let step = 0; step < 300; step += 1) {
      const pair = prng.nextInt(3);
      await elsewhere.write({ [`k${pair}`]: `${step}`, [`l${pair}`]: `${step}` });
      if (prng.nextInt(3) === 0) here.replica.peers.merge(heard.splice(0));
      const transactionId = here.begin();
      const first = await here.read(transactionId, `k${pair}`);
      if (prng.nextInt(2) === 0) here.replica.peers.merge(heard.splice(0));
      if (prng.nextInt(2) === 0) await here.clock.advance(prng.nextInt(20_000));
      const second = await here.read(transactionId, `l${pair}`);
      here.replica.abort({ transactionId });
      if (first === null) continue;
      expect(second).toBe(first);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(200);
    expect(here.replica.stats().cacheRefreshUsedTotal).toBeGreaterThan(20);
  });
});

/** An object whose methods can be spread. */
function passThrough(engine: StorageEngine): StorageEngine {
  return {
    name: engine.name,
    capabilities: engine.capabilities,
    get: (name) => engine.get(name),
    multiGet: (names) => engine.multiGet(names),
    put: (name, value) => engine.put(name, value),
    multiPut: (entries) => engine.multiPut(entries),
    putIfAbsent: (name, value) => engine.putIfAbsent(name, value),
    putSealed: (groups) => engine.putSealed(groups),
    delete: (name) => engine.delete(name),
    multiDelete: (names) => engine.multiDelete(names),
    list: (prefix, options) => engine.list(prefix, options),
    close: () => engine.close(),
  };
}

interface Gate {
  readonly passed: Promise<void>;
  readonly open: () => void;
  readonly fail: (error: Error) => void;
}

function createGate(): Gate {
  let open = (): void => {};
  let fail: Gate["fail"] = () => {};
  const passed = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return {
    passed,
    open: () => {
      open();
    },
    fail: (error) => {
      fail(error);
    },
  };
}
