/**
 * Goal    What a transaction has spilled it may still write over: the last value is the one that counts.
 */
import { expect, it } from "vitest";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import type { StorageEngine } from "#shim/storage/port.ts";
import { openTestReplica, put } from "./testing.ts";

it("reads a spilled value as it was written last, in its transaction and after it", async () => {
  const { replica, begin, read, peek } = await openTestReplica({ settings: { maxBufferBytes: 1 } });
  const transactionId = begin();
  await put(replica, transactionId, "k", "first");
  expect(await read(transactionId, "k")).toBe("first");
  await put(replica, transactionId, "k", "second");
  expect(replica.stats().bufferedBytes).toBe(0);
  expect(await read(transactionId, "k")).toBe("second");
  expect(await replica.commit({ transactionId })).toMatchObject({ kind: "committed" });
  expect(await peek("k")).toBe("second");
});

it("does not keep a spilled value in memory as a version, whoever aborts", async () => {
  const { replica, begin, read } = await openTestReplica({ settings: { maxBufferBytes: 1 } });
  const transactionId = begin();
  await put(replica, transactionId, "k", "first");
  await read(transactionId, "k");
  expect(replica.stats().cachedBytes).toBe(0);
});

it("spills nothing where a read may miss what was written over, and refuses what is too much", async () => {
  const memory = createMemoryEngine();
  const capabilities = { ...memory.capabilities, consistentRead: false };
  const storage = new Proxy(memory, {
    get: (target, name: keyof StorageEngine) => {
      if (name === "capabilities") return capabilities;
      const value = target[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const { replica, begin } = await openTestReplica({ storage, settings: { maxBufferBytes: 4 } });
  const transactionId = begin();
  expect(await put(replica, transactionId, "k", "12345678")).toEqual({ kind: "buffered" });
  expect(await put(replica, transactionId, "l", "1")).toEqual({ kind: "buffered" });
  expect(replica.stats().spilledBytesTotal).toBe(0);
  expect(await put(replica, transactionId, "m", "1")).toMatchObject({ code: "write_buffer_full" });
});
