/** @module The storage contract: listings. */
import assert from "node:assert/strict";
import { type StorageEngine, type StorageKey, storageKey } from "../port.ts";
import { type StorageClause, text } from "./subject.ts";

async function listAll(engine: StorageEngine, base: string, limit: number): Promise<StorageKey[]> {
  const found: StorageKey[] = [];
  let page = await engine.list(base, { limit });
  found.push(...page.keys);
  while (page.cursor !== undefined) {
    page = await engine.list(base, { limit, cursor: page.cursor });
    found.push(...page.keys);
  }
  return found;
}

export const listing: readonly StorageClause[] = [
  {
    name: "lists all keys of a prefix and no others, page by page",
    check: async ({ engine, prefix }) => {
      const base = prefix();
      const keys = Array.from({ length: 57 }, (_unused, index) => storageKey(`${base}in/${index}`));
      const others = [`${base}in`, `${base}inn/1`, `${base}i`, `${base}out`].map(storageKey);
      await engine.multiPut([...keys, ...others].map((key) => ({ key, value: text("v") })));
      for (const limit of [10, 1_000]) {
        const found = await listAll(engine, `${base}in/`, limit);
        assert.deepEqual([...new Set(found)].toSorted(), keys.toSorted());
        if (engine.capabilities.orderedList) assert.deepEqual(found, keys.toSorted());
      }
    },
  },
  {
    name: "lists nothing where there is nothing",
    check: async ({ engine, prefix }) => {
      assert.deepEqual(await listAll(engine, `${prefix()}nothing/`, 10), []);
    },
  },
  {
    name: "treats pattern characters in a prefix as themselves",
    check: async ({ engine, prefix }) => {
      const base = prefix();
      for (const name of ["a*/1", "ab/1", "a_/1", "a%/1", "A*/1"])
        await engine.put(storageKey(base + name), text("v"));
      for (const name of ["a*/", "a_/", "a%/"])
        assert.deepEqual(await listAll(engine, base + name, 10), [`${base}${name}1`]);
    },
  },
  {
    name: "starts after a key",
    notFor: ({ engine }) =>
      engine.capabilities.orderedList ? undefined : "the engine lists in no order",
    check: async ({ engine, prefix }) => {
      const base = prefix();
      const keys = ["a", "b", "c"].map((key) => storageKey(base + key));
      await engine.multiPut(keys.map((key) => ({ key, value: text("v") })));
      const [first] = keys;
      if (first === undefined) throw new Error("no key");
      assert.deepEqual((await engine.list(base, { after: first })).keys, keys.slice(1));
    },
  },
  {
    name: "reports what was there all the time, while others come and go",
    check: async ({ engine, prefix }) => {
      const base = prefix();
      const stable = Array.from({ length: 60 }, (_unused, index) => storageKey(`${base}s${index}`));
      await engine.multiPut(stable.map((key) => ({ key, value: text("v") })));
      const found = new Set<string>();
      let page = await engine.list(base, { limit: 10 });
      for (let turn = 0; ; turn += 1) {
        for (const key of page.keys) found.add(key);
        if (page.cursor === undefined) break;
        await engine.put(storageKey(`${base}t${turn}`), text("v"));
        await engine.delete(storageKey(`${base}t${turn - 1}`));
        page = await engine.list(base, { limit: 10, cursor: page.cursor });
      }
      assert.deepEqual(
        stable.filter((key) => !found.has(key)),
        [],
      );
    },
  },
];
