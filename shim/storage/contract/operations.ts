/** @module The storage contract: single and batched operations, conditional puts, limits, lifetime. */
import assert from "node:assert/strict";
import { StorageClosedError, StorageError, StorageLimitError } from "../errors.ts";
import { storageKey } from "../port.ts";
import {
  anyKeyLength,
  decidesNothing,
  refused,
  show,
  type StorageClause,
  text,
} from "./subject.ts";

const oddKeys = ["plain", "per%cent", "ünï/cødé", "a b", "*?[x]", "~tilde", "long".repeat(100)];

export const readsAndWrites: readonly StorageClause[] = [
  {
    name: "reads back what was put, and replaces it",
    check: async ({ engine, prefix }) => {
      const key = storageKey(`${prefix()}k`);
      assert.equal(await engine.get(key), undefined);
      await engine.put(key, text("one"));
      assert.equal(show(await engine.get(key)), "one");
      await engine.put(key, text("two"));
      assert.equal(show(await engine.get(key)), "two");
    },
  },
  {
    name: "keeps empty and binary values",
    check: async ({ engine, prefix }) => {
      const base = prefix();
      const every = Uint8Array.from({ length: 256 }, (_unused, byte) => byte);
      await engine.put(storageKey(`${base}empty`), new Uint8Array());
      await engine.put(storageKey(`${base}binary`), every);
      assert.equal((await engine.get(storageKey(`${base}empty`)))?.length, 0);
      assert.deepEqual([...((await engine.get(storageKey(`${base}binary`))) ?? [])], [...every]);
    },
  },
  {
    name: "takes any key",
    check: async ({ engine, prefix }) => {
      const base = prefix();
      for (const odd of oddKeys) await engine.put(storageKey(base + odd), text(odd));
      const keys = oddKeys.map((odd) => storageKey(base + odd));
      assert.deepEqual((await engine.multiGet(keys)).map(show), oddKeys);
    },
  },
  {
    name: "answers many keys in order, repeated and missing ones too",
    check: async ({ engine, prefix }) => {
      const base = prefix();
      await engine.put(storageKey(`${base}a`), text("A"));
      await engine.put(storageKey(`${base}b`), text("B"));
      const asked = ["b", "none", "a", "b"].map((key) => storageKey(base + key));
      assert.deepEqual((await engine.multiGet(asked)).map(show), ["B", undefined, "A", "B"]);
      assert.deepEqual(await engine.multiGet([]), []);
    },
  },
  {
    name: "writes, reads and deletes more than one request carries",
    check: async ({ engine, prefix }) => {
      const base = prefix();
      const keys = Array.from({ length: 260 }, (_unused, index) => storageKey(`${base}${index}`));
      await engine.multiPut(keys.map((key) => ({ key, value: text(key) })));
      assert.deepEqual((await engine.multiGet(keys)).map(show), keys);
      await engine.multiDelete(keys);
      assert.deepEqual(new Set(await engine.multiGet(keys)), new Set([undefined]));
    },
  },
  {
    name: "deletes, also what is not there",
    check: async ({ engine, prefix }) => {
      const key = storageKey(`${prefix()}k`);
      await engine.put(key, text("x"));
      await engine.delete(key);
      await engine.delete(key);
      assert.equal(await engine.get(key), undefined);
      await engine.multiDelete([key]);
      await engine.multiDelete([]);
      await engine.multiPut([]);
    },
  },
];

export const conditionalWrites: readonly StorageClause[] = [
  {
    name: "puts if absent, once",
    check: async ({ engine, prefix }) => {
      const key = storageKey(`${prefix()}k`);
      assert.equal(await engine.putIfAbsent(key, text("first")), true);
      assert.equal(await engine.putIfAbsent(key, text("second")), false);
      assert.equal(show(await engine.get(key)), "first");
    },
  },
  {
    name: "lets exactly one of many racing creators win",
    notFor: decidesNothing,
    check: async ({ engine, prefix }) => {
      const key = storageKey(`${prefix()}k`);
      const racers = Array.from({ length: 16 }, (_unused, index) => `racer ${index}`);
      const wins = await Promise.all(racers.map((racer) => engine.putIfAbsent(key, text(racer))));
      assert.equal(wins.filter(Boolean).length, 1, "more or less than one of 16 creators won");
      assert.equal(show(await engine.get(key)), racers[wins.indexOf(true)]);
    },
  },
];

export const limits: readonly StorageClause[] = [
  {
    name: "refuses a value above its limit, naming engine, operation and key",
    notFor: ({ engine }) =>
      engine.capabilities.maxValueBytes > 1_048_576 ? "too large a value to try" : undefined,
    check: async ({ engine, prefix }) => {
      const { maxValueBytes } = engine.capabilities;
      const key = storageKey(`${prefix()}big`);
      const refusal = await refused(StorageLimitError, () =>
        engine.put(key, new Uint8Array(maxValueBytes + 1)),
      );
      const { operation, effect } = refusal;
      const named = { operation, effect, key: refusal.key };
      assert.deepEqual(named, { operation: "put", effect: "none", key });
      assert.equal(await engine.get(key), undefined);
      await engine.put(key, new Uint8Array(maxValueBytes));
      assert.equal((await engine.get(key))?.length, maxValueBytes);
    },
  },
  {
    name: "refuses a key above its limit with a typed error",
    notFor: anyKeyLength,
    check: async ({ engine, prefix }) => {
      const key = storageKey(prefix() + "x".repeat(engine.capabilities.maxKeyBytes));
      await refused(StorageError, () => engine.get(key));
      await refused(StorageLimitError, () => engine.put(key, text("x")));
    },
  },
];

export const lifetime: readonly StorageClause[] = [
  {
    name: "shows what it acknowledged to everybody else who has the store open, also after its end",
    notFor: ({ engine, again }) => {
      if (!engine.capabilities.shared) return "the engine does not share its store";
      return again === undefined ? "nobody said how to open it again" : undefined;
    },
    check: async ({ engine, again, prefix }) => {
      const key = storageKey(`${prefix()}k`);
      const first = await again?.();
      await first?.put(key, text("from the other"));
      assert.equal(show(await engine.get(key)), "from the other");
      await first?.close();
      assert.equal(show(await engine.get(key)), "from the other");
      const second = await again?.();
      assert.equal(await second?.putIfAbsent(key, text("x")), false);
      await second?.close();
    },
  },
  {
    name: "refuses everything after close, and closes twice",
    check: async ({ open }) => {
      const { engine, cleanUp } = await open();
      try {
        await engine.close();
        await engine.close();
        const key = storageKey("contract/x");
        await refused(StorageClosedError, () => engine.get(key));
        await refused(StorageClosedError, () => engine.put(key, text("x")));
      } finally {
        await cleanUp();
      }
    },
  },
];
