/**
 * Goal    The simulated store is a storage engine like any other while nothing goes wrong, whatever its
 *         capabilities; and what goes wrong is what the port allows.
 * Method  1. The contract suite for each kind of service.
 *         2. Each trouble by itself, against the store's truth.
 */
import { describe, expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { StorageError } from "#shim/storage/errors.ts";
import { storageKey } from "#shim/storage/port.ts";
import { describeStorageContract } from "#shim/storage/testing/describe-storage-contract.ts";
import { type EngineSettings, noStorageTrouble, SimEngine, type StorageTrouble } from "./engine.ts";
import { SimLoop } from "./loop.ts";
import { SimProcess } from "./process.ts";
import { SimStore } from "./store.ts";
import { pumped } from "./testing/pump.ts";
import { Trace } from "./trace.ts";

const usual: EngineSettings = {
  conditionalPut: true,
  orderedPipeline: true,
  atomicMultiPut: false,
  maxBatch: 25,
  baseUs: 100,
  jitterUs: 1_000,
  lagUs: 0,
};

function open(settings: Partial<EngineSettings> = {}, trouble: Partial<StorageTrouble> = {}) {
  const loop = new SimLoop({ trace: new Trace() });
  const prng = createPrng(1);
  const merged = { ...usual, ...settings };
  const store = new SimStore({ nowUs: () => loop.nowUs, prng, lagUs: merged.lagUs });
  const machine = { offsetMs: 0, driftPpm: 0 };
  const process = new SimProcess({ name: "p", owner: 1, loop, machine, prng });
  const engine = new SimEngine({
    loop,
    store,
    process,
    prng,
    settings: merged,
    trouble: { ...noStorageTrouble, ...trouble },
  });
  return { loop, store, process, engine: pumped(engine, loop), raw: engine };
}

const kinds: readonly (readonly [name: string, settings: Partial<EngineSettings>])[] = [
  ["one round trip, conditional puts", {}],
  ["two steps, conditional puts, small batches", { orderedPipeline: false, maxBatch: 3 }],
  ["no conditional puts", { orderedPipeline: false, conditionalPut: false }],
  ["no conditional puts, one round trip", { conditionalPut: false }],
  ["whole batches", { atomicMultiPut: true }],
];
for (const [name, settings] of kinds)
  describeStorageContract(`simulated: ${name}`, () => {
    const { engine } = open(settings);
    return Promise.resolve({ engine, cleanUp: () => Promise.resolve() });
  });

const key = storageKey("k");
const value = Buffer.from("v");
const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => "done",
    (error: unknown) => error,
  );

describe("what goes wrong", () => {
  it("refuses without effect when throttled", async () => {
    const { engine, store } = open({}, { throttled: 1 });
    expect(await failureOf(engine.put(key, value))).toMatchObject({ effect: "none" });
    expect(store.has(key)).toBe(false);
  });

  it("leaves the client in doubt when a write is lost, or its answer is", async () => {
    const lost = open({}, { lost: 1 });
    expect(await failureOf(lost.engine.put(key, value))).toMatchObject({ effect: "unknown" });
    expect(lost.store.has(key)).toBe(false);
    const unanswered = open({ atomicMultiPut: true }, { unanswered: 1 });
    expect(await failureOf(unanswered.engine.put(key, value))).toBeInstanceOf(StorageError);
    expect(unanswered.store.has(key)).toBe(true);
  });

  it("lets a write happen after its client was told of a time-out", async () => {
    const { engine, store, loop } = open({ atomicMultiPut: true }, { late: 1 });
    expect(await failureOf(engine.put(key, value))).toMatchObject({ effect: "unknown" });
    expect(store.has(key)).toBe(false);
    await loop.run(loop.nowUs + 10_000_000);
    expect(store.has(key)).toBe(true);
  });

  it("tells a client that its own conditional put lost against itself", async () => {
    const { engine, store } = open({}, { repeated: 1 });
    expect(await engine.putIfAbsent(key, value)).toBe(false);
    expect(store.has(key)).toBe(true);
  });

  it("shows an unconditional write after a while where reads are not consistent", async () => {
    const { engine, loop } = open({ lagUs: 1_000_000 });
    const seen = new Set<string>();
    for (let round = 0; round < 20; round += 1) {
      const fresh = storageKey(`k${round}`);
      await engine.put(fresh, value);
      seen.add((await engine.get(fresh)) === undefined ? "missing" : "there");
      await loop.run(loop.nowUs + 1_000_000);
      expect(await engine.get(fresh)).toEqual(value);
    }
    expect(seen).toEqual(new Set(["missing", "there"]));
  });

  it("tells nothing to a process that is dead, and does what it had sent", async () => {
    const { raw, process, store, loop } = open();
    let told = false;
    void raw.put(key, value).then(() => {
      told = true;
    });
    process.kill();
    await loop.run(1_000_000);
    expect([told, store.has(key)]).toEqual([false, true]);
  });
});
