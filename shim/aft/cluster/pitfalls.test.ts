/**
 * Goal    The ways in which a re-implementation of AFT goes wrong between replicas, one test each;
 *         several of them are mistakes of the authors' published code.
 * Method  As `cluster.test.ts`; crashes between any two steps of a collection by a store that falls
 *         silent.
 */
import { describe, expect, it } from "vitest";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import { createFaulty } from "#shim/storage/testing/faulty.ts";
import type { StorageEngine, StorageKey } from "#shim/storage/port.ts";
import { decodeOutcome } from "../protocol/record-codec.ts";
import { type CommitRecord, key } from "../protocol/types.ts";
import { show } from "../replica/testing.ts";
import { TestCluster, type TestMember, withCalls } from "./testing.ts";

async function pair(
  seed: number,
  storage?: StorageEngine,
): Promise<{ cluster: TestCluster; one: TestMember; two: TestMember }> {
  const cluster = new TestCluster({ seed, ...(storage !== undefined && { storage }) });
  const one = await cluster.replica("r1");
  const two = await cluster.replica("r2");
  await cluster.seconds(3);
  return { cluster, one, two };
}

async function recordOf(cluster: TestCluster, uuid: string): Promise<CommitRecord> {
  const bytes = await cluster.storage.get(cluster.names.commit(uuid));
  const outcome = bytes === undefined ? undefined : decodeOutcome(uuid, bytes);
  if (outcome?.kind !== "committed") throw new Error("no record");
  return outcome.record;
}

function begin(member: TestMember): { transactionId: string } {
  const begun = member.replica.begin({ requestId: "t" });
  if (begun.kind !== "begun") throw new Error(begun.message);
  return { transactionId: begun.transactionId };
}

async function read(member: TestMember, transaction: { transactionId: string }, name: string) {
  return show(await member.replica.get({ ...transaction, key: name }));
}

describe("voting", () => {
  it("a receiver that dropped a superseded transaction still votes for it", async () => {
    const { cluster, one, two } = await pair(1);
    const old = await recordOf(cluster, await one.write({ x: "1" }));
    await two.write({ x: "2" });
    // It comes when it is superseded there already, and is dropped.
    expect(two.member.handle({ kind: "tell", records: [old] })).toEqual({ kind: "told" });
    const vote = two.member.handle({ kind: "collectable", records: [old] });
    expect(vote).toMatchObject({ uuids: [old.id.uuid] });
    cluster.manager();
    await cluster.seconds(10);
    expect(await cluster.storedData()).toHaveLength(1);
  });

  it("a replica votes for what it never heard of, and refuses it when it arrives late", async () => {
    const { cluster, one, two } = await pair(2);
    const old = await recordOf(cluster, await one.write({ x: "1", y: "1" }));
    await two.write({ x: "2", y: "2" });
    await cluster.seconds(2);
    const three = await cluster.replica("r3");
    await cluster.seconds(3);
    expect(three.member.handle({ kind: "collectable", records: [old] })).toMatchObject({
      uuids: [old.id.uuid],
    });
    const merged = three.member.mergedTotal;
    three.member.handle({ kind: "tell", records: [old] });
    expect(three.member.mergedTotal).toBe(merged);
    expect(await three.peek("x")).toBe("2");
  });

  it("a replica does not vote for what it could still accept", async () => {
    const { cluster, one, two } = await pair(3);
    cluster.network.faults.cut.add("r1>r2").add("r2>r1");
    const old = await recordOf(cluster, await one.write({ x: "1" }));
    await one.write({ x: "2" });
    // It knows neither: agreeing, and then accepting the old one, would be reading deleted data.
    expect(two.member.handle({ kind: "collectable", records: [old] })).toMatchObject({ uuids: [] });
  });

  it("nothing is collected while a replica joins, which may be reading it", async () => {
    const { cluster, one } = await pair(4);
    const manager = cluster.manager();
    await cluster.seconds(3);
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = withCalls(cluster.storage, {
      list: async (prefix, options) => {
        await held;
        return cluster.storage.list(prefix, options);
      },
    });
    const three = await cluster.replica("r3", { storage: slow });
    await cluster.seconds(3);
    expect(three.member.self.state).toBe("joining");
    for (let turn = 0; turn < 5; turn += 1) await one.write({ x: String(turn) });
    await cluster.seconds(5);
    expect(manager.stats().collectedTotal).toBe(0);
    expect(await three.peek("x")).toBe("!joining");
    release();
    await cluster.seconds(8);
    expect(manager.stats().collectedTotal).toBe(4);
    expect(await three.peek("x")).toBe("4");
  });

  it("the vote of a dead replica is not awaited for ever", async () => {
    const { cluster, one, two } = await pair(5);
    const manager = cluster.manager();
    await cluster.seconds(3);
    two.kill();
    for (let turn = 0; turn < 5; turn += 1) await one.write({ x: String(turn) });
    await cluster.seconds(10);
    expect(manager.stats().collectedTotal).toBe(4);
  });
});

describe("what a running transaction has chosen", () => {
  const endings: Readonly<
    Record<string, (member: TestMember, transaction: { transactionId: string }) => void>
  > = {
    commit: (member, transaction) => void member.replica.commit(transaction),
    abort: (member, transaction) => void member.replica.abort(transaction),
    "time-out": () => {},
  };
  it.each(Object.keys(endings))(
    "stays until its %s, on whichever replica, then goes",
    async (how) => {
      const cluster = new TestCluster({ seed: 6 });
      const one = await cluster.replica("r1");
      const settings = {
        cacheBytes: 0,
        transactionTimeoutMs: how === "time-out" ? 20_000 : 60_000,
      };
      const two = await cluster.replica("r2", { settings });
      cluster.manager();
      await cluster.seconds(3);
      await one.write({ x: "old", y: "old" });
      await cluster.seconds(2);
      const reader = begin(two);
      expect(await read(two, reader, "x")).toBe("old");
      await one.write({ x: "new", y: "new" });
      await cluster.seconds(8);
      expect(await cluster.storedData()).toHaveLength(4);
      expect(await read(two, reader, "y")).toBe("old");
      expect(await read(two, reader, "x")).toBe("old");
      endings[how]?.(two, reader);
      await cluster.seconds(how === "time-out" ? 20 : 5);
      expect(await cluster.storedData()).toHaveLength(2);
    },
  );

  it("is let go after a failed read of storage, too", async () => {
    const cluster = new TestCluster({ seed: 7 });
    const one = await cluster.replica("r1");
    const faulty = createFaulty(cluster.storage, cluster.clock);
    const two = await cluster.replica("r2", { storage: faulty.engine });
    cluster.manager();
    await cluster.seconds(3);
    await one.write({ x: "old" });
    await cluster.seconds(2);
    const reader = begin(two);
    faulty.failCall(1, "refused");
    expect(await read(two, reader, "x")).toBe("!storage_unavailable");
    two.replica.abort(reader);
    await one.write({ x: "new" });
    await cluster.seconds(8);
    expect(await cluster.storedData()).toHaveLength(1);
  });

  it("is not needed by a reader that will need another key of the same instant (AFT §5.2.1)", async () => {
    const { cluster, one, two } = await pair(8);
    cluster.manager();
    await one.write({ k: "a" });
    await one.write({ l: "b" });
    await cluster.seconds(2);
    const reader = begin(two);
    expect(await read(two, reader, "k")).toBe("a");
    await one.write({ k: "c", l: "c" });
    await cluster.seconds(10);
    // With pins, Tb would be gone now, and this read without a valid version.
    expect(await read(two, reader, "l")).toBe("b");
  });
});

describe("the order of deletions", () => {
  it("record before data: a crash between any two steps leaves no record without its data", async () => {
    for (let call = 1; call < 40; call += 1) {
      const memory = createMemoryEngine();
      const { cluster, one } = await pair(100 + call, memory);
      for (let turn = 0; turn < 4; turn += 1) await one.write({ x: String(turn), y: String(turn) });
      await cluster.seconds(2);
      const faulty = createFaulty(memory, cluster.clock);
      const manager = cluster.manager({ storage: faulty.engine });
      faulty.failCall(call, "silence");
      await cluster.seconds(5);
      manager.close();
      const data = new Set<StorageKey>((await cluster.storedData()) as StorageKey[]);
      for (const name of await cluster.storedRecords()) {
        const place = cluster.names.parseCommit(name as StorageKey) ?? "";
        const bytes = await memory.get(name as StorageKey);
        if (bytes === undefined) continue;
        const outcome = decodeOutcome(place, bytes);
        if (outcome.kind !== "committed") continue;
        const { id, writeSet } = outcome.record;
        for (const written of writeSet) {
          const version = cluster.names.version(written, id.uuid);
          expect(data.has(version), `call ${call}: ${version}`).toBe(true);
        }
      }
      // The next manager finishes what this one began.
      const settings = { outcomeRetentionMs: 1_000, transactionTimeoutMs: 2_000 };
      cluster.manager({ id: "m:2", settings: { ...settings, orphanSweepMs: 2_000 } });
      await cluster.seconds(16);
      expect(await cluster.storedData()).toHaveLength(2);
      expect(await cluster.storedRecords()).toHaveLength(1);
    }
  });

  it("oldest first", async () => {
    const { cluster, one } = await pair(9);
    for (let turn = 0; turn < 6; turn += 1) await one.write({ x: String(turn) });
    await cluster.seconds(2);
    const deleted: string[] = [];
    const watched = withCalls(cluster.storage, {
      multiDelete: async (names) => {
        for (const name of names) deleted.push(String(await cluster.storage.get(name)));
        await cluster.storage.multiDelete(names);
      },
    });
    cluster.manager({ storage: watched, settings: { gcBatch: 1 } });
    await cluster.seconds(10);
    expect(deleted).toEqual(["0", "1", "2", "3", "4"]);
  });

  it("a name that a request uses again is not deleted for its first use (G4)", async () => {
    const { cluster, one } = await pair(10);
    const commitOnce = async (value: string): Promise<CommitRecord> => {
      const begun = one.replica.begin({ requestId: "again", once: true });
      if (begun.kind !== "begun") throw new Error(begun.message);
      void one.replica.put({ ...begun, key: "x", value: Buffer.from(value) });
      await one.replica.commit(begun);
      const name = cluster.names.commit(begun.transactionId);
      const bytes = await cluster.storage.get(name);
      const outcome = bytes && decodeOutcome(cluster.names.parseCommit(name) ?? "", bytes);
      if (outcome?.kind !== "committed") throw new Error("no record");
      return outcome.record;
    };
    const first = await commitOnce("first");
    await one.write({ x: "between" });
    const manager = cluster.manager({ settings: { outcomeRetentionMs: 1_000 } });
    await cluster.seconds(10);
    expect(await cluster.storedRecords()).toHaveLength(1);
    const second = await commitOnce("second");
    // A replica that was away for very long sends the first one again.
    await cluster.seconds(2);
    manager.learnLate(first);
    await cluster.seconds(10);
    expect(await cluster.storage.get(cluster.names.commit(second.id.uuid))).toBeDefined();
    expect(await one.peek("x")).toBe("second");
    const fresh = await cluster.replica("r3");
    await cluster.seconds(4);
    expect(await fresh.peek("x")).toBe("second");
  });

  it("data without a record is found and deleted; its transaction can never commit", async () => {
    const { cluster, one } = await pair(11);
    const open = begin(one);
    const orphan = cluster.names.version(key("x"), open.transactionId);
    await cluster.storage.put(orphan, Buffer.from("spilled"));
    one.kill();
    await cluster.clock.advance(200_000_000);
    const manager = cluster.manager({ settings: { orphanSweepMs: 1_000 } });
    await cluster.seconds(5);
    expect(manager.stats().orphansDeletedTotal).toBe(1);
    expect(await cluster.storage.get(orphan)).toBeUndefined();
    void one.replica.put({ ...open, key: "x", value: Buffer.from("late") });
    expect(await one.replica.commit(open)).toMatchObject({ kind: "aborted" });
  });
});

describe("clocks, sets, names and values", () => {
  it("a commit of a replica with a slow clock is superseded from birth, and collected", async () => {
    const { cluster, one, two } = await pair(12);
    await one.write({ x: "ahead" });
    await cluster.seconds(2);
    const record = await recordOf(cluster, await two.write({ x: "behind" }));
    const slow: CommitRecord = {
      ...record,
      id: { ...record.id, timestampUs: record.id.timestampUs - 10_000_000 },
    };
    expect(one.member.handle({ kind: "collectable", records: [slow] })).toMatchObject({
      uuids: [slow.id.uuid],
    });
    expect(await one.peek("x")).toBe("ahead");
  });

  it("keys with every separator, empty keys and empty values travel unharmed", async () => {
    const { cluster, one, two } = await pair(13);
    const values = { "a/b": "1", "": "2", "%2f": "3", "é\u0000\n": "4", empty: "" };
    await one.write(values);
    await cluster.seconds(2);
    for (const [name, value] of Object.entries(values)) expect(await two.peek(name)).toBe(value);
  });

  it("a key written twice is one member of the write set", async () => {
    const { cluster, one } = await pair(14);
    const twice = begin(one);
    for (const value of ["1", "2"])
      await one.replica.put({ ...twice, key: "x", value: Buffer.from(value) });
    await one.replica.commit(twice);
    expect((await recordOf(cluster, twice.transactionId)).writeSet.size).toBe(1);
    cluster.manager();
    await one.write({ x: "3" });
    await cluster.seconds(6);
    expect(await cluster.storedData()).toHaveLength(1);
  });

  it("an aborted transaction is never broadcast and never indexed by anybody", async () => {
    const { cluster, one, two } = await pair(15);
    await one.write({ x: "good" });
    const aborted = begin(one);
    await one.replica.put({ ...aborted, key: "x", value: Buffer.from("bad") });
    one.replica.abort(aborted);
    // Asked about it, the other one puts a marker into the commit set.
    expect(await two.replica.status(aborted)).toMatchObject({ kind: "aborted" });
    cluster.manager();
    await cluster.seconds(5);
    expect(await two.peek("x")).toBe("good");
    expect(two.replica.stats().knownTransactions).toBe(1);
  });
});
