/**
 * @module What each promise means, for systems that give it.
 *
 * A promise is about transactions that commit: a system may refuse a read, or abort, and have the request
 * tried again. So each clause lets others commit at the worst instants and then judges what was read,
 * provided that the reader committed.
 */
import assert from "node:assert/strict";
import type { StateSession } from "../port.ts";
import {
  beside,
  bytes,
  expectShown,
  look,
  orRefused,
  passOn,
  refused,
  type StateClause,
  type StateUnderTest,
  text,
  unlessPromised,
  write,
} from "./subject.ts";

export const promiseClauses: readonly StateClause[] = [
  {
    name: "read-atomic: of two keys written together, both or neither are seen",
    notFor: unlessPromised("read-atomic"),
    check: async (subject) => {
      for (const turned of [false, true])
        for (const together of [false, true]) {
          const [x, y] = await writtenTogether(subject, "old");
          const [first, second] = turned ? [y, x] : [x, y];
          const reader = subject.here.begin({ requestId: subject.fresh("r") });
          const seen: Seen[] = [await orRefused(reader.get(first))];
          const done = await beside(subject, write(subject, { [x]: "new", [y]: "new" }));
          const next = subject.there.resume(await passOn(reader));
          seen.push(
            await orRefused(
              together ? next.getMany([second]).then(([value]) => value) : next.get(second),
            ),
          );
          const outcome = await endReader(next, seen);
          await done();
          if (outcome === "committed") assert.deepEqual(textOf(seen[1]), textOf(seen[0]));
          await expectShown(subject, { [x]: "new", [y]: "new" });
        }
    },
  },
  {
    name: "read-atomic: what is not committed is not seen, and never when it is given up",
    notFor: unlessPromised("read-atomic"),
    check: async (subject) => {
      const [x, y] = await writtenTogether(subject, "old");
      const writer = subject.here.begin({ requestId: subject.fresh("w") });
      await writer.put(x, bytes("new"));
      const context = await passOn(writer);
      assert.deepEqual(await look(subject, subject.there, [x, y]), ["old", "old"]);
      const next = subject.there.resume(context);
      await next.put(y, bytes("new"));
      await next.abort();
      await expectShown(subject, { [x]: "old", [y]: "old" });
    },
  },
  {
    name: "read-your-writes: a transaction reads its own value whatever others commit, also in later functions",
    notFor: unlessPromised("read-your-writes"),
    check: async (subject) => {
      const key = subject.fresh("k");
      const first = subject.here.begin({ requestId: subject.fresh("r") });
      await first.put(key, bytes("own"));
      const done = await beside(subject, write(subject, { [key]: "another" }));
      const seen: Seen[] = [await orRefused(first.get(key))];
      if (!seen.includes(refused)) {
        const second = subject.there.resume(await passOn(first));
        seen.push(await orRefused(second.getMany([key]).then(([value]) => value)));
        await endReader(second, seen);
      }
      await done();
      for (const value of seen) if (value !== refused) assert.equal(textOf(value), "own");
    },
  },
  {
    name: "repeatable-read: a key that is read again has the same value, also in later functions",
    notFor: unlessPromised("repeatable-read"),
    check: async (subject) => {
      for (const before of ["old", undefined]) {
        const key = subject.fresh("k");
        if (before !== undefined) {
          await write(subject, { [key]: before });
          await expectShown(subject, { [key]: before });
        }
        const first = subject.here.begin({ requestId: subject.fresh("r") });
        const seen: Seen[] = [await orRefused(first.get(key))];
        const done = await beside(subject, write(subject, { [key]: "new" }));
        seen.push(await orRefused(first.get(key)));
        let outcome = "refused";
        if (!seen.includes(refused)) {
          const second = subject.there.resume(await passOn(first));
          seen.push(await orRefused(second.get(key)));
          outcome = await endReader(second, seen);
        }
        await done();
        if (outcome === "committed") assert.deepEqual(seen.map(textOf), [before, before, before]);
      }
    },
  },
  {
    name: "session-order: what a client has committed is seen by its next transaction, at once",
    notFor: unlessPromised("session-order"),
    check: async (subject) => {
      const key = subject.fresh("k");
      for (let turn = 0; turn < 20; turn += 1) {
        const system = turn % 2 === 0 ? subject.here : subject.there;
        await write(subject, { [key]: `turn ${turn}` }, system);
        const other = turn % 4 < 2 ? subject.here : subject.there;
        assert.deepEqual(await look(subject, other, [key]), [`turn ${turn}`]);
      }
    },
  },
  {
    name: "exactly-once: a request that has committed is not done again, and its next attempt learns by whom it was",
    notFor: unlessPromised("exactly-once"),
    check: async (subject) => {
      const key = subject.fresh("k");
      const requestId = subject.fresh("r");
      const first = subject.here.begin({ requestId });
      await first.put(key, bytes("first"));
      const outcome = await first.commit();
      assert.equal(outcome.kind, "committed");
      await write(subject, { [key]: "another" });
      await expectShown(subject, { [key]: "another" });
      const again = subject.there.begin({ requestId });
      await again.put(key, bytes("again"));
      const answer = await subject.here.resume(await passOn(again)).commit();
      const { transactionId } = first;
      assert.deepEqual(answer, { ...outcome, committedBy: transactionId });
      await expectShown(subject, { [key]: "another" });
    },
  },
  {
    name: "exactly-once: the last function of a request may be run again with the same context",
    notFor: unlessPromised("exactly-once"),
    check: async (subject) => {
      const [a, b] = [subject.fresh("a"), subject.fresh("b")];
      const first = subject.here.begin({ requestId: subject.fresh("r") });
      await first.put(a, bytes("first"));
      const context = await passOn(first);
      const last = subject.there.resume(context);
      await last.put(b, bytes("last"));
      const outcome = await last.commit();
      assert.equal(outcome.kind, "committed");
      await write(subject, { [a]: "another", [b]: "another" });
      await expectShown(subject, { [a]: "another", [b]: "another" });
      const copy = subject.here.resume(context);
      await copy.put(b, bytes("last"));
      assert.deepEqual(await copy.commit(), outcome);
      await expectShown(subject, { [a]: "another", [b]: "another" });
    },
  },
  {
    name: "exactly-once: of attempts at the same time one is done, and all learn which",
    notFor: unlessPromised("exactly-once"),
    check: async (subject) => {
      for (let turn = 0; turn < 5; turn += 1) await raceAttempts(subject);
    },
  },
];

/** Two keys with the same value, seen everywhere. */
async function writtenTogether(
  subject: StateUnderTest,
  value: string,
): Promise<[x: string, y: string]> {
  const [x, y] = [subject.fresh("x"), subject.fresh("y")];
  await write(subject, { [x]: value, [y]: value });
  await expectShown(subject, { [x]: value, [y]: value });
  return [x, y];
}

type Seen = Uint8Array | undefined | typeof refused;

/** A reader that was refused gives up, as functions do. */
async function endReader(session: StateSession, seen: readonly Seen[]): Promise<string> {
  if (!seen.includes(refused)) return (await session.commit()).kind;
  await session.abort();
  return "refused";
}

function textOf(value: Seen | undefined): string | undefined {
  return value === refused ? "refused" : text(value);
}

async function raceAttempts(subject: StateUnderTest): Promise<void> {
  const key = subject.fresh("k");
  const requestId = subject.fresh("r");
  const race = async (index: number): Promise<string | undefined> => {
    const system = index % 2 === 0 ? subject.here : subject.there;
    const session = system.begin({ requestId });
    const { transactionId } = session;
    const put = await orRefused(session.put(key, bytes(transactionId)));
    if (put === refused) return undefined;
    const outcome = await session.commit();
    return outcome.kind === "committed" ? (outcome.committedBy ?? transactionId) : undefined;
  };
  const winners = await Promise.all(Array.from({ length: 6 }, (_unused, index) => race(index)));
  const named = new Set(winners.filter((winner) => winner !== undefined));
  assert.equal(named.size, 1, `done by ${[...named].join(" and ") || "nobody"}`);
  const [winner = ""] = named;
  await expectShown(subject, { [key]: winner });
}
