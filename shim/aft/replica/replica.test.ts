/**
 * Goal    One replica keeps the paper's single-node promises (§3), and answers everything.
 * Method  One `it` per clause or per mistake of the authors' server, over the memory engine.
 */
import { describe, expect, it } from "vitest";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import { storageKey } from "#shim/storage/port.ts";
import { openTestReplica, put, show } from "./testing.ts";

describe("visibility (§3.2, §3.3)", () => {
  it("shows nothing of a transaction before it commits, and all of it after", async () => {
    const { replica, begin, peek } = await openTestReplica();
    const id = begin();
    await put(replica, id, "x", "1");
    await put(replica, id, "y", "1");
    expect(await peek("x")).toBeNull();
    await replica.commit({ transactionId: id });
    expect(await peek("x")).toBe("1");
    expect(await peek("y")).toBe("1");
  });

  it("drops the buffer on abort and leaves nothing in storage", async () => {
    const { replica, begin, peek, storage } = await openTestReplica();
    const id = begin();
    await put(replica, id, "x", "1");
    expect(replica.abort({ transactionId: id })).toEqual({ kind: "aborted" });
    expect(await peek("x")).toBeNull();
    expect((await storage.list("")).keys).toEqual([]);
  });

  it("reads its own writes, the latest one, also over what it read before", async () => {
    const { replica, begin, read, write } = await openTestReplica();
    await write({ x: "0" });
    const id = begin();
    expect(await read(id, "x")).toBe("0");
    await put(replica, id, "x", "1");
    await put(replica, id, "x", "2");
    expect(await read(id, "x")).toBe("2");
  });

  it("repeats reads, whatever commits meanwhile", async () => {
    const { begin, read, write } = await openTestReplica();
    await write({ x: "0" });
    const id = begin();
    expect(await read(id, "x")).toBe("0");
    await write({ x: "1" });
    expect(await read(id, "x")).toBe("0");
  });

  it("repeats reads of empty values, which are values (specs 3.1.9)", async () => {
    const { begin, read, write } = await openTestReplica();
    await write({ x: "" });
    const id = begin();
    expect(await read(id, "x")).toBe("");
    await write({ x: "1" });
    expect(await read(id, "x")).toBe("");
  });

  it("never shows half: reader gets x1, writer commits {x2, y2}, reader gets y1 (specs 3.1.3)", async () => {
    const { begin, read, write } = await openTestReplica();
    await write({ x: "1", y: "1" });
    const id = begin();
    expect(await read(id, "x")).toBe("1");
    await write({ x: "2", y: "2" });
    expect(await read(id, "y")).toBe("1");
  });

  it("goes forward with a newer cowritten version (case 1)", async () => {
    const { begin, read, write } = await openTestReplica();
    await write({ x: "1", y: "1" });
    const id = begin();
    await write({ x: "2", y: "2" });
    expect(await read(id, "y")).toBe("2");
    expect(await read(id, "x")).toBe("2");
  });

  it("lets the one that commits last win, whichever began first (specs 3.1.8)", async () => {
    const { replica, begin, peek, write } = await openTestReplica();
    const first = begin();
    await put(replica, first, "x", "began first, commits last");
    await write({ x: "other" });
    await replica.commit({ transactionId: first });
    expect(await peek("x")).toBe("began first, commits last");
  });

  it("refuses, with a code of its own, when no version is valid (§3.6)", async () => {
    const { begin, read, write } = await openTestReplica();
    const id = begin();
    expect(await read(id, "x")).toBeNull();
    await write({ x: "1", y: "1" });
    expect(await read(id, "y")).toBe("!no_valid_version");
    expect(await read(id, "x")).toBeNull();
  });

  it("takes any key (specs 3.2)", async () => {
    const { write, peek } = await openTestReplica();
    for (const key of ["", "/", "a/b", "%2f", "\0", "ünï", "💥"]) {
      await write({ [key]: `value of ${key}` });
      expect(await peek(key)).toBe(`value of ${key}`);
    }
  });
});

describe("commit is idempotent and final", () => {
  it("answers a repetition as it did first (specs 3.2)", async () => {
    const { replica, begin } = await openTestReplica();
    const transactionId = begin();
    await put(replica, transactionId, "x", "1");
    const first = await replica.commit({ transactionId });
    expect(first.kind).toBe("committed");
    expect(await replica.commit({ transactionId })).toEqual(first);
    expect(await replica.status({ transactionId })).toEqual(first);
  });

  it("answers two commits at once alike", async () => {
    const { replica, begin } = await openTestReplica();
    const transactionId = begin();
    await put(replica, transactionId, "x", "1");
    const [a, b] = await Promise.all([
      replica.commit({ transactionId }),
      replica.commit({ transactionId }),
    ]);
    expect(a.kind).toBe("committed");
    expect(b).toEqual(a);
  });

  it("remembers over a restart, by uuid", async () => {
    const storage = createMemoryEngine();
    const before = await openTestReplica({ storage });
    const transactionId = before.begin();
    await put(before.replica, transactionId, "x", "1");
    const first = await before.replica.commit({ transactionId });
    const after = await openTestReplica({ storage, clock: before.clock });
    expect(await after.replica.commit({ transactionId })).toEqual(first);
    expect(await after.peek("x")).toBe("1");
  });

  it("fences what it says has aborted: a late commit of a zombie loses", async () => {
    const storage = createMemoryEngine();
    const zombie = await openTestReplica({ storage });
    const transactionId = zombie.begin();
    await put(zombie.replica, transactionId, "x", "1");
    const successor = await openTestReplica({ storage, clock: zombie.clock });
    expect((await successor.replica.status({ transactionId })).kind).toBe("aborted");
    expect((await zombie.replica.commit({ transactionId })).kind).toBe("aborted");
    expect(await zombie.peek("x")).toBeNull();
    const third = await openTestReplica({ storage, clock: zombie.clock });
    expect(await third.peek("x")).toBeNull();
  });

  it("still knows an outcome after the transaction was collected", async () => {
    const storage = createMemoryEngine();
    const { replica, begin, write, clock } = await openTestReplica({ storage });
    const transactionId = begin();
    await put(replica, transactionId, "x", "1");
    const first = await replica.commit({ transactionId });
    await write({ x: "2" });
    await clock.advance(1_000_000);
    expect(replica.stats().collectedTransactionsTotal).toBe(1);
    const later = await openTestReplica({ storage, clock });
    expect(await later.replica.status({ transactionId })).toEqual(first);
  });

  it("gives strictly increasing timestamps, also after a restart with a slow clock", async () => {
    const storage = createMemoryEngine();
    const before = await openTestReplica({ storage });
    const stamps: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      const answer = await before.write({ x: String(turn) });
      stamps.push(answer.kind === "committed" ? answer.timestampUs : -1);
    }
    const after = await openTestReplica({ storage });
    const answer = await after.write({ x: "last" });
    stamps.push(answer.kind === "committed" ? answer.timestampUs : -1);
    expect(stamps).toEqual(stamps.toSorted((a, b) => a - b));
    expect(new Set(stamps).size).toBe(6);
    expect(await after.peek("x")).toBe("last");
  });
});

describe("every call is answered (specs 3.2)", () => {
  it("refuses unknown, ended and repeated transactions by code", async () => {
    const { replica, begin, newId, write } = await openTestReplica();
    const unknown = newId();
    expect(show(await replica.get({ transactionId: unknown, key: "x" }))).toBe(
      "!unknown_transaction",
    );
    expect(show(await replica.get({ transactionId: "junk", key: "x" }))).toBe(
      "!unknown_transaction",
    );
    expect((await replica.commit({ transactionId: "junk" })).kind).toBe("aborted");
    const aborted = begin();
    replica.abort({ transactionId: aborted });
    expect(show(await replica.get({ transactionId: aborted, key: "x" }))).toBe(
      "!transaction_aborted",
    );
    expect(replica.abort({ transactionId: aborted })).toEqual({ kind: "aborted" });
    const done = await write({ x: "1" });
    const transactionId = done.kind === "committed" ? done.transactionId : "";
    expect(show(await replica.get({ transactionId, key: "x" }))).toBe("!transaction_committed");
    expect(replica.abort({ transactionId })).toMatchObject({ code: "transaction_committed" });
    expect(replica.begin({ transactionId, requestId: "r" })).toMatchObject({
      code: "transaction_exists",
    });
  });

  it("aborts what stays open too long, and says so", async () => {
    const { replica, begin, read, clock } = await openTestReplica({
      settings: { transactionTimeoutMs: 1_000 },
    });
    const id = begin();
    await put(replica, id, "x", "1");
    await clock.advance(2_000_000);
    expect(await read(id, "x")).toBe("!transaction_timeout");
    expect((await replica.commit({ transactionId: id })).kind).toBe("aborted");
    expect(replica.stats()).toMatchObject({
      openTransactions: 0,
      timedOutTotal: 1,
      bufferedBytes: 0,
    });
  });

  it("refuses beyond its limits, and a refused write dooms the commit", async () => {
    const { replica, begin } = await openTestReplica({
      settings: {
        maxValueBytes: 4,
        maxKeyLength: 3,
        maxKeysPerTransaction: 2,
        maxOpenTransactions: 3,
      },
    });
    const [a, b, c] = [begin(), begin(), begin()];
    expect(await put(replica, a, "x", "12345")).toMatchObject({ code: "value_too_large" });
    expect(await put(replica, b, "long", "1")).toMatchObject({ code: "key_too_large" });
    for (const key of ["1", "2"]) await put(replica, c, key, "v");
    expect(await put(replica, c, "3", "v")).toMatchObject({ code: "too_many_keys" });
    expect(replica.begin({ requestId: "r" })).toMatchObject({ code: "too_many_transactions" });
    for (const transactionId of [a, b, c])
      expect((await replica.commit({ transactionId })).kind).toBe("aborted");
  });

  it("holds calls back until the announced writes are there, in any order", async () => {
    const { replica, begin } = await openTestReplica();
    const transactionId = begin();
    const reading = Promise.resolve(replica.get({ transactionId, key: "x", afterWrites: 2 }));
    const value = (text: string): Buffer => Buffer.from(text);
    await replica.put({ transactionId, key: "x", value: value("second"), sequence: 2 });
    await replica.put({ transactionId, key: "y", value: value("first"), sequence: 1 });
    expect(show(await reading)).toBe("second");
  });

  it("does not commit without the announced writes", async () => {
    const { replica, begin, clock, peek } = await openTestReplica();
    const transactionId = begin();
    await replica.put({ transactionId, key: "x", value: Buffer.from("1"), sequence: 1 });
    const committing = Promise.resolve(replica.commit({ transactionId, afterWrites: 2 }));
    await clock.advance(10_000_000);
    expect(await committing).toMatchObject({
      kind: "aborted",
      refusal: { code: "writes_missing" },
    });
    expect(await peek("x")).toBeNull();
  });

  it("refuses new work and finishes commits when it closes", async () => {
    const { replica, begin } = await openTestReplica();
    const transactionId = begin();
    await put(replica, transactionId, "x", "1");
    const committing = Promise.resolve(replica.commit({ transactionId }));
    const closing = replica.close();
    expect(replica.begin({ requestId: "r" })).toMatchObject({ code: "shutting_down" });
    await closing;
    expect((await committing).kind).toBe("committed");
  });
});

describe("write buffer (§3.3)", () => {
  const settings = { maxBufferBytes: 20 };

  it("spills invisibly, reads its own spilled writes, and commits all of them", async () => {
    const { replica, begin, read, peek, storage } = await openTestReplica({ settings });
    const id = begin();
    for (const key of ["a", "b", "c"]) await put(replica, id, key, `${key}-0123456789`);
    expect(replica.stats().spilledBytesTotal).toBeGreaterThan(0);
    expect((await storage.list("aft/d/")).keys.length).toBeGreaterThan(0);
    expect(await peek("a")).toBeNull();
    expect(await read(id, "a")).toBe("a-0123456789");
    await put(replica, id, "a", "again");
    expect(await read(id, "a")).toBe("again");
    expect((await replica.commit({ transactionId: id })).kind).toBe("committed");
    const restarted = await openTestReplica({ storage });
    for (const [key, value] of [
      ["a", "again"],
      ["b", "b-0123456789"],
      ["c", "c-0123456789"],
    ] as const)
      expect(await restarted.peek(key)).toBe(value);
  });

  it("leaves orphans after a crash that the next start finds, fences and deletes", async () => {
    const { replica, begin, storage, clock } = await openTestReplica({ settings });
    const id = begin();
    for (const key of ["a", "b", "c"]) await put(replica, id, key, `${key}-0123456789`);
    expect((await storage.list("aft/d/")).keys.length).toBeGreaterThan(0);
    await clock.advance(600_000_000);
    const next = await openTestReplica({ storage, clock });
    await clock.settle();
    expect((await storage.list("aft/d/")).keys).toEqual([]);
    expect((await next.replica.status({ transactionId: id })).kind).not.toBe("committed");
  });
});

describe("damage", () => {
  it("survives damage: a corrupt record is reported and stays invisible", async () => {
    const storage = createMemoryEngine();
    const { write } = await openTestReplica({ storage });
    await write({ x: "1" });
    const foreign = storageKey("aft/c/01890000-0000-7000-8000-000000000001");
    await storage.put(foreign, Buffer.from("junk"));
    const { peek } = await openTestReplica({ storage });
    expect(await peek("x")).toBe("1");
  });
});

it("works with the data cache switched off", async () => {
  const { write, peek, replica } = await openTestReplica({ settings: { cacheBytes: 0 } });
  await write({ x: "1" });
  expect(await peek("x")).toBe("1");
  expect(replica.stats().cacheHitsTotal).toBe(0);
});
