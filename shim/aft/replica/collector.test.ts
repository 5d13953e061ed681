/**
 * Goal    Garbage collection takes what nobody can need, all of it, and nothing else (§5).
 * Method  A replica over the memory engine, on a clock that stands still; storage is looked at.
 */
import { describe, expect, it } from "vitest";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import { openTestReplica } from "./testing.ts";

describe("garbage collection (§5)", () => {
  it("goes on at its pace while older outcomes are retained for minutes", async () => {
    const { replica, clock, write } = await openTestReplica();
    for (let round = 1; round <= 3; round += 1) {
      await write({ x: String(round) });
      await clock.advance(100_000);
      expect(replica.stats()).toMatchObject({
        collectedTransactionsTotal: round - 1,
        knownTransactions: 1,
      });
    }
  });

  it("drops superseded versions from memory and storage, and keeps the rest readable", async () => {
    const { write, peek, clock, replica, storage } = await openTestReplica();
    for (let turn = 0; turn < 50; turn += 1) await write({ x: `${turn}`, y: `${turn}` });
    await write({ y: "last" });
    await clock.advance(5_000_000);
    expect(await peek("x")).toBe("49");
    expect(await peek("y")).toBe("last");
    expect(replica.stats()).toMatchObject({ knownTransactions: 2, knownKeys: 2 });
    expect((await storage.list("aft/d/")).keys).toHaveLength(3);
  });

  it("collects after a restart what was superseded before, in whatever order it is found", async () => {
    const before = createMemoryEngine();
    const first = await openTestReplica({ storage: before, settings: { storageGc: "off" } });
    await first.write({ x: "old" });
    await first.write({ x: "new" });
    const storage = createMemoryEngine();
    for (const name of (await before.list("")).keys.toReversed())
      await storage.put(name, (await before.get(name)) ?? Buffer.alloc(0));
    const next = await openTestReplica({ storage, clock: first.clock });
    await next.clock.advance(5_000_000);
    expect(await next.peek("x")).toBe("new");
    expect((await storage.list("aft/d/")).keys).toHaveLength(1);
  });

  it("goes on after a crash between the data and the record", async () => {
    const storage = createMemoryEngine();
    const { write, clock } = await openTestReplica({ storage });
    await write({ x: "1", y: "1" });
    await write({ x: "2" });
    await write({ y: "3" });
    await clock.advance(1_000_000);
    expect((await storage.list("aft/d/")).keys).toHaveLength(2);
    expect((await storage.list("aft/c/")).keys).toHaveLength(3);
    const settings = { outcomeRetentionMs: 1_000 };
    const next = await openTestReplica({ storage, clock, settings });
    expect([await next.peek("x"), await next.peek("y")]).toEqual(["2", "3"]);
    await clock.advance(5_000_000);
    expect((await storage.list("aft/c/")).keys).toHaveLength(2);
  });

  it("keeps what a running transaction may still need, also what it has not read yet (§5.2.1)", async () => {
    const { begin, read, write, clock } = await openTestReplica();
    await write({ k: "a" });
    await write({ l: "b" });
    const reader = begin();
    expect(await read(reader, "k")).toBe("a");
    await write({ k: "c", l: "c" });
    await clock.advance(5_000_000);
    expect(await read(reader, "l")).toBe("b");
    expect(await read(reader, "k")).toBe("a");
  });

  it("deletes commit records once nobody can be asking", async () => {
    const { write, clock, storage } = await openTestReplica({
      settings: { outcomeRetentionMs: 1_000 },
    });
    for (let turn = 0; turn < 5; turn += 1) await write({ x: `${turn}` });
    await clock.advance(10_000_000);
    expect((await storage.list("aft/c/")).keys).toHaveLength(1);
    expect((await storage.list("aft/d/")).keys).toHaveLength(1);
  });
});
