/** @module The storage contract: data that counts only once its seal is there. */
import assert from "node:assert/strict";
import { storageKey } from "../port.ts";
import { anyKeyLength, decidesNothing, show, type StorageClause, text } from "./subject.ts";

function group(base: string, name: string) {
  return {
    entries: ["x", "y"].map((part) => ({
      key: storageKey(`${base}${name}/${part}`),
      value: text(`${name} ${part}`),
    })),
    seal: { key: storageKey(`${base}seals/${name}`), value: text(name) },
  };
}

export const sealing: readonly StorageClause[] = [
  {
    name: "seals several groups, each with all its entries",
    check: async ({ engine, prefix }) => {
      const base = prefix();
      const groups = ["one", "two", "three"].map((name) => group(base, name));
      const outcomes = await engine.putSealed(groups);
      assert.deepEqual(
        outcomes,
        groups.map(() => ({ kind: "sealed" })),
      );
      for (const { entries, seal } of groups) {
        const keys = [...entries, seal].map(({ key }) => key);
        assert.equal((await engine.multiGet(keys)).includes(undefined), false);
      }
    },
  },
  {
    name: "never replaces a seal, and says so for that group alone",
    check: async ({ engine, prefix }) => {
      const base = prefix();
      await engine.putIfAbsent(storageKey(`${base}seals/two`), text("somebody else"));
      const outcomes = await engine.putSealed(["one", "two"].map((name) => group(base, name)));
      assert.deepEqual(
        outcomes.map(({ kind }) => kind),
        ["sealed", "alreadySealed"],
      );
      assert.equal(show(await engine.get(storageKey(`${base}seals/two`))), "somebody else");
    },
  },
  {
    name: "gives a seal that several groups ask for at once to exactly one of them",
    notFor: decidesNothing,
    check: async ({ engine, prefix }) => {
      const base = prefix();
      const seal = storageKey(`${base}seals/contested`);
      const groups = ["one", "two", "three"].map((name) => ({
        ...group(base, name),
        seal: { key: seal, value: text(name) },
      }));
      const outcomes = await engine.putSealed(groups);
      const winners = groups.filter((_group, index) => outcomes[index]?.kind === "sealed");
      assert.equal(winners.length, 1);
      assert.equal(show(await engine.get(seal)), show(winners[0]?.seal.value));
    },
  },
  {
    name: "seals again what was written before without its seal",
    check: async ({ engine, prefix }) => {
      const base = prefix();
      const again = group(base, "again");
      const [entry] = again.entries;
      if (entry === undefined) throw new Error("a group has entries");
      await engine.put(entry.key, entry.value);
      const outcomes = await engine.putSealed([again, group(base, "other")]);
      assert.deepEqual(
        outcomes.map(({ kind }) => kind),
        ["sealed", "sealed"],
      );
      assert.equal(show(await engine.get(again.seal.key)), "again");
    },
  },
  {
    name: "seals without entries",
    check: async ({ engine, prefix }) => {
      const seal = { key: storageKey(`${prefix()}seal`), value: text("s") };
      assert.deepEqual(await engine.putSealed([{ entries: [], seal }]), [{ kind: "sealed" }]);
      assert.deepEqual(await engine.putSealed([]), []);
    },
  },
  {
    name: "writes no seal when an entry is refused, and spares the other groups",
    notFor: anyKeyLength,
    check: async ({ engine, prefix }) => {
      const base = prefix();
      const long = storageKey(base + "x".repeat(engine.capabilities.maxKeyBytes));
      const bad = {
        entries: [{ key: long, value: text("x") }],
        seal: { key: storageKey(`${base}seals/bad`), value: text("bad") },
      };
      const outcomes = await engine.putSealed([bad, group(base, "good")]);
      assert.deepEqual(
        outcomes.map(({ kind }) => kind),
        ["failed", "sealed"],
      );
      const [failure] = outcomes;
      assert.equal(failure?.kind === "failed" && failure.error.effect, "none");
      assert.equal(await engine.get(bad.seal.key), undefined);
    },
  },
];
