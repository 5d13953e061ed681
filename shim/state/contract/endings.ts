/** @module Clauses about commit, abort, outcomes and close, which hold for every system. */
import assert from "node:assert/strict";
import { type CommitOutcome, StateError } from "../port.ts";
import { bytes, expectShown, look, passOn, type StateClause, write } from "./subject.ts";

export const endingClauses: readonly StateClause[] = [
  {
    name: "what is committed is seen by transactions that begin later, here and elsewhere",
    check: async (subject) => {
      const key = subject.fresh("k");
      await write(subject, { [key]: "one" }, subject.here);
      await expectShown(subject, { [key]: "one" });
      await write(subject, { [key]: "two" }, subject.there);
      await expectShown(subject, { [key]: "two" });
    },
  },
  {
    name: "commit may be repeated and says the same; a transaction that did nothing commits",
    check: async ({ here, fresh }) => {
      const session = here.begin({ requestId: fresh("r") });
      await session.put(fresh("k"), bytes("v"));
      const outcome = await session.commit();
      assert.equal(outcome.kind, "committed");
      assert.deepEqual(await session.commit(), outcome);
      assert.equal((await here.begin({ requestId: fresh("r") }).commit()).kind, "committed");
      const reader = here.begin({ requestId: fresh("r") });
      await reader.get(fresh("none"));
      assert.equal((await reader.commit()).kind, "committed");
    },
  },
  {
    name: "abort may be repeated, comes before or after anything, and never rejects",
    check: async ({ here, there, fresh }) => {
      const session = here.begin({ requestId: fresh("r") });
      await session.abort();
      await session.abort();
      expectOutcome(await session.commit());
      const written = here.begin({ requestId: fresh("r") });
      await written.put(fresh("k"), bytes("v"));
      const next = there.resume(await passOn(written));
      await next.abort();
      await next.abort();
      expectOutcome(await next.commit());
      const done = here.begin({ requestId: fresh("r") });
      await done.put(fresh("k"), bytes("v"));
      const outcome = await done.commit();
      await done.abort();
      assert.deepEqual(await done.commit(), outcome);
    },
  },
  {
    name: "what was committed is not undone by an abort that comes too late",
    check: async (subject) => {
      const key = subject.fresh("k");
      const session = subject.here.begin({ requestId: subject.fresh("r") });
      await session.put(key, bytes("v"));
      assert.equal((await session.commit()).kind, "committed");
      await session.abort();
      await expectShown(subject, { [key]: "v" });
    },
  },
  {
    name: "outcomeOf tells what became of a transaction, or that it does not know",
    check: async (subject) => {
      const { here, there } = subject;
      const { context, outcome } = await write(subject, { [subject.fresh("k")]: "v" }, here);
      const told = await there.outcomeOf(context);
      expectOutcome(told);
      if (told.kind !== "unknown") assert.deepEqual(told, outcome);
      const open = here.begin({ requestId: subject.fresh("r") });
      await open.put(subject.fresh("k"), bytes("v"));
      const passed = await passOn(open);
      const left = await there.outcomeOf(passed);
      expectOutcome(left);
      assert.notEqual(left.kind, "committed", "nobody has committed it");
      // Told to be aborted, it must stay so.
      if (left.kind === "aborted")
        assert.notEqual((await here.resume(passed).commit()).kind, "committed");
    },
  },
  {
    name: "places in the version order have equal length and ascend",
    check: async (subject) => {
      const key = subject.fresh("k");
      const orders: string[] = [];
      for (const value of ["one", "two", "three"]) {
        const { outcome } = await write(subject, { [key]: value });
        if (outcome.kind === "committed" && outcome.commitOrder !== undefined)
          orders.push(outcome.commitOrder);
        // The next one must be of a later instant also where several replicas have clocks.
        await look(subject, subject.there, [key]);
      }
      assert.ok(orders.length === 0 || orders.length === 3, "all have a place or none has");
      assert.deepEqual(orders, [...new Set(orders)].toSorted());
      assert.ok(new Set(orders.map(({ length }) => length)).size <= 1, orders.join(" "));
    },
  },
  {
    name: "what it counts of its storage only grows",
    notFor: ({ here }) => (here.counters === undefined ? "counts nothing" : undefined),
    check: async (subject) => {
      const { here, fresh } = subject;
      const before = here.counters?.() ?? { calls: 0, bytesRead: 0, bytesWritten: 0 };
      const key = fresh("k");
      await write(subject, { [key]: "x".repeat(1_000) }, here);
      const written = here.counters?.() ?? before;
      assert.ok(written.calls > before.calls, "a write is no call");
      assert.ok(written.bytesWritten - before.bytesWritten >= 1_000, "bytes written");
      await look(subject, here, [key]);
      const read = here.counters?.() ?? before;
      assert.ok(read.calls > written.calls, "a read is no call");
      assert.ok(read.bytesRead - written.bytesRead >= 1_000, "bytes read");
    },
  },
  {
    name: "close may be repeated; what is asked then is refused",
    check: async ({ open, fresh }) => {
      const system = await open();
      const session = system.begin({ requestId: fresh("r") });
      await session.get(fresh("none"));
      await system.close();
      await system.close();
      await assert.rejects(system.begin({ requestId: fresh("r") }).get(fresh("none")), StateError);
      await session.abort();
    },
  },
];

function expectOutcome(outcome: CommitOutcome): void {
  if (outcome.kind === "committed") {
    assert.ok(["string", "undefined"].includes(typeof outcome.commitOrder));
    assert.ok(["string", "undefined"].includes(typeof outcome.committedBy));
    return;
  }
  assert.ok(outcome.kind === "aborted" || outcome.kind === "unknown", JSON.stringify(outcome));
  assert.equal(typeof outcome.reason, "string");
}
