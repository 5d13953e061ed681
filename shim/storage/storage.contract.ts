/**
 * @module What every storage engine must do, as one suite; capabilities decide which cases apply.
 *
 * Each case works under a prefix of its own, so that one store serves the whole suite.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StorageClosedError, StorageError, StorageLimitError } from "./errors.ts";
import { type StorageEngine, type StorageKey, storageKey } from "./port.ts";

/** Opens a store and says how to clean up behind it. */
export type OpenForContract = () => Promise<{
  readonly engine: StorageEngine;
  readonly cleanUp: () => Promise<void>;
}>;

const text = (value: string): Uint8Array => Buffer.from(value);
const show = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();

const oddKeys = ["plain", "per%cent", "ünï/cødé", "a b", "*?[x]", "~tilde", "long".repeat(100)];

export function describeStorageContract(name: string, open: OpenForContract): void {
  describe(`storage contract: ${name}`, () => {
    let engine: StorageEngine;
    let cleanUp: () => Promise<void>;
    let cases = 0;
    const prefix = (): string => `contract/c${(cases += 1)}/`;

    beforeAll(async () => {
      ({ engine, cleanUp } = await open());
    });
    afterAll(async () => {
      await engine.close();
      await cleanUp();
    });

    readsAndWrites(() => engine, prefix);
    conditionalWrites(() => engine, prefix);
    sealing(() => engine, prefix);
    listing(() => engine, prefix);
    limits(() => engine, prefix);

    it("refuses everything after close, and closes twice", async () => {
      const opened = await open();
      await opened.engine.close();
      await opened.engine.close();
      await expect(opened.engine.get(storageKey("contract/x"))).rejects.toThrow(StorageClosedError);
      await expect(opened.engine.put(storageKey("contract/x"), text("x"))).rejects.toThrow(
        StorageClosedError,
      );
      await opened.cleanUp();
    });
  });
}

type Engine = () => StorageEngine;
type Prefix = () => string;

function readsAndWrites(engine: Engine, prefix: Prefix): void {
  it("reads back what was put, and replaces it", async () => {
    const key = storageKey(`${prefix()}k`);
    expect(await engine().get(key)).toBeUndefined();
    await engine().put(key, text("one"));
    expect(show(await engine().get(key))).toBe("one");
    await engine().put(key, text("two"));
    expect(show(await engine().get(key))).toBe("two");
  });

  it("keeps empty and binary values", async () => {
    const base = prefix();
    const every = Uint8Array.from({ length: 256 }, (_unused, byte) => byte);
    await engine().put(storageKey(`${base}empty`), new Uint8Array());
    await engine().put(storageKey(`${base}binary`), every);
    expect((await engine().get(storageKey(`${base}empty`)))?.length).toBe(0);
    expect(Buffer.from((await engine().get(storageKey(`${base}binary`))) ?? [])).toEqual(
      Buffer.from(every),
    );
  });

  it("takes any key", async () => {
    const base = prefix();
    for (const odd of oddKeys) await engine().put(storageKey(base + odd), text(odd));
    const keys = oddKeys.map((odd) => storageKey(base + odd));
    expect((await engine().multiGet(keys)).map(show)).toEqual(oddKeys);
  });

  it("answers many keys in order, repeated and missing ones too", async () => {
    const base = prefix();
    await engine().put(storageKey(`${base}a`), text("A"));
    await engine().put(storageKey(`${base}b`), text("B"));
    const asked = ["b", "none", "a", "b"].map((key) => storageKey(base + key));
    expect((await engine().multiGet(asked)).map(show)).toEqual(["B", undefined, "A", "B"]);
    expect(await engine().multiGet([])).toEqual([]);
  });

  it("writes, reads and deletes more than one request carries", async () => {
    const base = prefix();
    const keys = Array.from({ length: 260 }, (_unused, index) => storageKey(`${base}${index}`));
    await engine().multiPut(keys.map((key) => ({ key, value: text(key) })));
    expect((await engine().multiGet(keys)).map(show)).toEqual(keys);
    await engine().multiDelete(keys);
    expect((await engine().multiGet(keys)).every((value) => value === undefined)).toBe(true);
  });

  it("deletes, also what is not there", async () => {
    const key = storageKey(`${prefix()}k`);
    await engine().put(key, text("x"));
    await engine().delete(key);
    await engine().delete(key);
    expect(await engine().get(key)).toBeUndefined();
    await engine().multiDelete([key]);
    await engine().multiDelete([]);
    await engine().multiPut([]);
  });
}

function conditionalWrites(engine: Engine, prefix: Prefix): void {
  it("puts if absent, once", async () => {
    const key = storageKey(`${prefix()}k`);
    expect(await engine().putIfAbsent(key, text("first"))).toBe(true);
    expect(await engine().putIfAbsent(key, text("second"))).toBe(false);
    expect(show(await engine().get(key))).toBe("first");
  });

  it("lets exactly one of many racing creators win", async ({ skip }) => {
    skip(!engine().capabilities.conditionalPut, "the engine does not decide conditional puts");
    const key = storageKey(`${prefix()}k`);
    const racers = Array.from({ length: 16 }, (_unused, index) => `racer ${index}`);
    const wins = await Promise.all(racers.map((racer) => engine().putIfAbsent(key, text(racer))));
    expect(wins.filter(Boolean)).toHaveLength(1);
    expect(show(await engine().get(key))).toBe(racers[wins.indexOf(true)]);
  });
}

function sealing(engine: Engine, prefix: Prefix): void {
  const group = (base: string, name: string) => ({
    entries: ["x", "y"].map((part) => ({
      key: storageKey(`${base}${name}/${part}`),
      value: text(`${name} ${part}`),
    })),
    seal: { key: storageKey(`${base}seals/${name}`), value: text(name) },
  });

  it("seals several groups, each with all its entries", async () => {
    const base = prefix();
    const groups = ["one", "two", "three"].map((name) => group(base, name));
    const outcomes = await engine().putSealed(groups);
    expect(outcomes).toEqual(groups.map(() => ({ kind: "sealed" })));
    for (const { entries, seal } of groups) {
      const keys = [...entries, seal].map(({ key }) => key);
      expect((await engine().multiGet(keys)).every((value) => value !== undefined)).toBe(true);
    }
  });

  it("never replaces a seal, and says so for that group alone", async () => {
    const base = prefix();
    await engine().putIfAbsent(storageKey(`${base}seals/two`), text("somebody else"));
    const outcomes = await engine().putSealed(["one", "two"].map((name) => group(base, name)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(["sealed", "alreadySealed"]);
    expect(show(await engine().get(storageKey(`${base}seals/two`)))).toBe("somebody else");
  });

  it("gives a seal that several groups ask for at once to exactly one of them", async ({
    skip,
  }) => {
    skip(!engine().capabilities.conditionalPut, "the engine does not decide conditional puts");
    const base = prefix();
    const seal = storageKey(`${base}seals/contested`);
    const groups = ["one", "two", "three"].map((name) => ({
      ...group(base, name),
      seal: { key: seal, value: text(name) },
    }));
    const outcomes = await engine().putSealed(groups);
    const winners = groups.filter((_group, index) => outcomes[index]?.kind === "sealed");
    expect(winners).toHaveLength(1);
    expect(show(await engine().get(seal))).toBe(show(winners[0]?.seal.value));
  });

  it("seals again what was written before without its seal", async () => {
    const base = prefix();
    const again = group(base, "again");
    const [entry] = again.entries;
    if (entry === undefined) throw new Error("a group has entries");
    await engine().put(entry.key, entry.value);
    const outcomes = await engine().putSealed([again, group(base, "other")]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["sealed", "sealed"]);
    expect(show(await engine().get(again.seal.key))).toBe("again");
  });

  it("seals without entries", async () => {
    const seal = { key: storageKey(`${prefix()}seal`), value: text("s") };
    expect(await engine().putSealed([{ entries: [], seal }])).toEqual([{ kind: "sealed" }]);
    expect(await engine().putSealed([])).toEqual([]);
  });

  it("writes no seal when an entry is refused, and spares the other groups", async ({ skip }) => {
    const { maxKeyBytes } = engine().capabilities;
    skip(maxKeyBytes > 100_000, "no key is too long for this engine");
    const base = prefix();
    const bad = {
      entries: [{ key: storageKey(base + "x".repeat(maxKeyBytes)), value: text("x") }],
      seal: { key: storageKey(`${base}seals/bad`), value: text("bad") },
    };
    const outcomes = await engine().putSealed([bad, group(base, "good")]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["failed", "sealed"]);
    const [failure] = outcomes;
    expect(failure?.kind === "failed" && failure.error.effect).toBe("none");
    expect(await engine().get(bad.seal.key)).toBeUndefined();
  });
}

function listing(engine: Engine, prefix: Prefix): void {
  const listAll = async (base: string, limit: number): Promise<StorageKey[]> => {
    const found: StorageKey[] = [];
    let page = await engine().list(base, { limit });
    found.push(...page.keys);
    while (page.cursor !== undefined) {
      page = await engine().list(base, { limit, cursor: page.cursor });
      found.push(...page.keys);
    }
    return found;
  };

  it("lists all keys of a prefix and no others, page by page", async () => {
    const base = prefix();
    const keys = Array.from({ length: 57 }, (_unused, index) => storageKey(`${base}in/${index}`));
    const others = [`${base}in`, `${base}inn/1`, `${base}i`, `${base}out`].map(storageKey);
    await engine().multiPut([...keys, ...others].map((key) => ({ key, value: text("v") })));
    for (const limit of [10, 1_000]) {
      const found = await listAll(`${base}in/`, limit);
      expect([...new Set(found)].toSorted()).toEqual(keys.toSorted());
      if (engine().capabilities.orderedList) expect(found).toEqual(keys.toSorted());
    }
  });

  it("lists nothing where there is nothing", async () => {
    expect(await listAll(`${prefix()}nothing/`, 10)).toEqual([]);
  });

  it("treats pattern characters in a prefix as themselves", async () => {
    const base = prefix();
    await engine().put(storageKey(`${base}a*/1`), text("v"));
    await engine().put(storageKey(`${base}ab/1`), text("v"));
    expect(await listAll(`${base}a*/`, 10)).toEqual([`${base}a*/1`]);
  });

  it("starts after a key", async ({ skip }) => {
    skip(!engine().capabilities.orderedList, "the engine lists in no order");
    const base = prefix();
    const keys = ["a", "b", "c"].map((key) => storageKey(base + key));
    await engine().multiPut(keys.map((key) => ({ key, value: text("v") })));
    const [first] = keys;
    if (first === undefined) throw new Error("no key");
    expect((await engine().list(base, { after: first })).keys).toEqual(keys.slice(1));
  });

  it("reports what was there all the time, while others come and go", async () => {
    const base = prefix();
    const stable = Array.from({ length: 60 }, (_unused, index) => storageKey(`${base}s${index}`));
    await engine().multiPut(stable.map((key) => ({ key, value: text("v") })));
    const found = new Set<string>();
    let page = await engine().list(base, { limit: 10 });
    for (let turn = 0; ; turn += 1) {
      for (const key of page.keys) found.add(key);
      if (page.cursor === undefined) break;
      await engine().put(storageKey(`${base}t${turn}`), text("v"));
      await engine().delete(storageKey(`${base}t${turn - 1}`));
      page = await engine().list(base, { limit: 10, cursor: page.cursor });
    }
    expect(stable.every((key) => found.has(key))).toBe(true);
  });
}

function limits(engine: Engine, prefix: Prefix): void {
  it("refuses a value above its limit, naming engine, operation and key", async ({ skip }) => {
    const { maxValueBytes } = engine().capabilities;
    skip(maxValueBytes > 1_048_576, "too large a value to try");
    const key = storageKey(`${prefix()}big`);
    const attempt = engine().put(key, new Uint8Array(maxValueBytes + 1));
    await expect(attempt).rejects.toThrow(StorageLimitError);
    await expect(attempt).rejects.toMatchObject({ operation: "put", key, effect: "none" });
    expect(await engine().get(key)).toBeUndefined();
    await engine().put(key, new Uint8Array(maxValueBytes));
    expect((await engine().get(key))?.length).toBe(maxValueBytes);
  });

  it("refuses a key above its limit with a typed error", async ({ skip }) => {
    const { maxKeyBytes } = engine().capabilities;
    skip(maxKeyBytes > 100_000, "no key is too long for this engine");
    const key = storageKey(prefix() + "x".repeat(maxKeyBytes));
    await expect(engine().get(key)).rejects.toThrow(StorageError);
    await expect(engine().put(key, text("x"))).rejects.toThrow(StorageLimitError);
  });
}
