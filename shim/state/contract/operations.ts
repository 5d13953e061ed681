/** @module Clauses about reads, writes and contexts, which hold for every system. */
import assert from "node:assert/strict";
import { expectShown, passOn, type StateClause, text, bytes, write } from "./subject.ts";

export const operationClauses: readonly StateClause[] = [
  {
    name: "a key that nobody wrote has no value",
    check: async ({ here, fresh }) => {
      const session = here.begin({ requestId: fresh("r") });
      assert.equal(await session.get(fresh("none")), undefined);
      assert.deepEqual(await session.getMany([fresh("none"), fresh("none")]), [
        undefined,
        undefined,
      ]);
      await session.abort();
    },
  },
  {
    name: "a function reads what it wrote, and the last of several values",
    check: async ({ here, fresh }) => {
      const session = here.begin({ requestId: fresh("r") });
      const key = fresh("k");
      await session.put(key, bytes("one"));
      assert.equal(text(await session.get(key)), "one");
      await session.put(key, bytes("two"));
      assert.equal(text(await session.get(key)), "two");
      await session.abort();
    },
  },
  {
    name: "the next function, elsewhere, reads what the one before it wrote, and commits it",
    check: async (subject) => {
      const { here, there, fresh } = subject;
      const [a, b] = [fresh("a"), fresh("b")];
      const first = here.begin({ requestId: fresh("r") });
      await first.put(a, bytes("first"));
      const second = there.resume(await passOn(first));
      assert.equal(second.transactionId, first.transactionId);
      assert.equal(text(await second.get(a)), "first");
      await second.put(b, bytes("second"));
      const third = here.resume(await passOn(second));
      assert.deepEqual((await third.getMany([b, a])).map(text), ["second", "first"]);
      assert.equal((await third.commit()).kind, "committed");
      await expectShown(subject, { [a]: "first", [b]: "second" });
    },
  },
  {
    name: "a context is plain JSON and says what it belongs to",
    check: async ({ here, fresh }) => {
      const requestId = fresh("r");
      const session = here.begin({ requestId });
      await session.put(fresh("k"), bytes("v"));
      const context = await session.suspend();
      assert.deepEqual(JSON.parse(JSON.stringify(context)), context);
      assert.equal(context.system, here.name);
      assert.equal(context.requestId, requestId);
      assert.equal(context.transactionId, session.transactionId);
      for (const value of Object.values(context.carried))
        assert.ok(typeof value === "string" || Number.isFinite(value), String(value));
      await here.resume(context).abort();
    },
  },
  {
    name: "every attempt has a transaction id of its own",
    check: async ({ here, there, fresh }) => {
      const requestId = fresh("r");
      const sessions = [here, here, there, there].map((system) => system.begin({ requestId }));
      assert.equal(new Set(sessions.map(({ transactionId }) => transactionId)).size, 4);
      for (const session of sessions) await session.abort();
    },
  },
  {
    name: "getMany answers in the order asked: repeated, missing and no keys too",
    check: async (subject) => {
      const [a, b, none] = ["a", "b", "none"].map((name) => subject.fresh(name)) as [
        string,
        string,
        string,
      ];
      await write(subject, { [a]: "A", [b]: "B" });
      await expectShown(subject, { [a]: "A", [b]: "B" });
      const session = subject.here.begin({ requestId: subject.fresh("r") });
      const values = await session.getMany([b, none, a, b]);
      assert.deepEqual(values.map(text), ["B", undefined, "A", "B"]);
      assert.deepEqual(await session.getMany([]), []);
      await session.put(a, bytes("own"));
      assert.deepEqual((await session.getMany([a, b])).map(text), ["own", "B"]);
      await session.abort();
    },
  },
  {
    name: "putMany writes all its entries, also none",
    check: async (subject) => {
      const entries = Array.from({ length: 20 }, (_unused, index) => [
        subject.fresh("k"),
        `value ${index}`,
      ]);
      const session = subject.here.begin({ requestId: subject.fresh("r") });
      await session.putMany([]);
      await session.putMany(entries.map(([key = "", value = ""]) => [key, bytes(value)]));
      assert.equal((await session.commit()).kind, "committed");
      await expectShown(subject, Object.fromEntries(entries) as Record<string, string>);
    },
  },
  {
    name: "calls of one session may overlap",
    check: async (subject) => {
      const keys = Array.from({ length: 8 }, () => subject.fresh("k"));
      const session = subject.here.begin({ requestId: subject.fresh("r") });
      await Promise.all([
        ...keys.map((key) => session.put(key, bytes(`of ${key}`))),
        session.get(subject.fresh("none")),
      ]);
      const values = await Promise.all(keys.map((key) => session.get(key)));
      assert.deepEqual(
        values.map(text),
        keys.map((key) => `of ${key}`),
      );
      assert.equal((await session.commit()).kind, "committed");
    },
  },
  {
    name: "values come back as they were: empty, every byte, a part of a larger buffer, large",
    check: async (subject) => {
      const { here, there, fresh, largestValueBytes } = subject;
      const every = Uint8Array.from({ length: 256 }, (_unused, byte) => byte);
      const large = Uint8Array.from(
        { length: largestValueBytes },
        (_unused, at) => (at * 31) & 0xff,
      );
      const values = [new Uint8Array(), every, every.subarray(100, 200), large];
      const entries = values.map((value): [string, Uint8Array] => [fresh("k"), value]);
      const keys = entries.map(([key]) => key);
      const first = here.begin({ requestId: fresh("r") });
      await first.putMany(entries);
      const second = there.resume(await passOn(first));
      expectBytes(await second.getMany(keys), values);
      assert.equal((await second.commit()).kind, "committed");
      const [lastKey = ""] = keys.slice(-1);
      await expectShown(subject, { [lastKey]: text(large) });
      const later = here.begin({ requestId: fresh("r") });
      expectBytes(await later.getMany(keys), values);
      await later.abort();
    },
  },
  {
    name: "any text is a key",
    check: async (subject) => {
      const odd = ["per%cent", "ünï/cødé", "a b", "*?[x]", "{tag}", "__proto__", "x".repeat(200)];
      const values = Object.fromEntries(odd.map((name) => [subject.fresh(name), name]));
      const session = subject.here.begin({ requestId: subject.fresh("r") });
      for (const [key, value] of Object.entries(values)) await session.put(key, bytes(value));
      const next = subject.there.resume(await passOn(session));
      assert.equal((await next.commit()).kind, "committed");
      await expectShown(subject, values);
    },
  },
];

function expectBytes(
  found: readonly (Uint8Array | undefined)[],
  expected: readonly Uint8Array[],
): void {
  for (const [index, value] of expected.entries())
    assert.ok(Buffer.from(value).equals(found[index] ?? Buffer.from("no value")), `value ${index}`);
}
