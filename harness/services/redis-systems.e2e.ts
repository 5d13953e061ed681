/**
 * Goal    What the systems on Redis do where functions die, answers are lost, attempts are copied and
 *         transactions conflict: each as its module says, the weak ones too.
 * Method  A real redis-server; interleavings by hand; lost answers through a relay that drops them.
 */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StateSession, StateSystem } from "#shim/state/port.ts";
import { openStateSystem } from "#shim/state/registry.ts";
import { type RedisService, startRedis } from "./redis.ts";
import { readRedisDurability } from "./redis-durability.ts";
import { hasRedis, redisMissing } from "./testing.ts";
import { type LossyRelay, startLossyRelay } from "./testing/lossy-relay.ts";

const utf8 = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();

describe.skipIf(!hasRedis())(`systems on redis (skipped if ${redisMissing})`, () => {
  let redis: RedisService;
  let relay: LossyRelay;
  let names = 0;
  const opened: StateSystem[] = [];
  const fresh = (what: string): string => `${what}${(names += 1)}`;

  beforeAll(async () => {
    redis = await startRedis();
    relay = await startLossyRelay(redis.port);
  });
  afterAll(async () => {
    for (const system of opened) await system.close();
    await relay.stop();
    await redis.stop();
  });

  async function open(
    system: string,
    options: Readonly<Record<string, unknown>> = {},
  ): Promise<StateSystem> {
    const target = { engine: "redis", urls: [redis.url], cluster: false };
    const one = await openStateSystem({ system, options: { storage: { target }, ...options } });
    opened.push(one);
    return one;
  }

  /** Its answers can be lost. */
  const openBehindRelay = (system: string): Promise<StateSystem> =>
    open(system, {
      storage: {
        target: { engine: "redis", urls: [`redis://127.0.0.1:${relay.port}`], cluster: false },
      },
    });

  async function put(session: StateSession, values: Record<string, string>): Promise<StateSession> {
    for (const [key, value] of Object.entries(values)) await session.put(key, Buffer.from(value));
    return session;
  }

  async function write(system: StateSystem, values: Record<string, string>): Promise<void> {
    const session = await put(system.begin({ requestId: fresh("w") }), values);
    expect((await session.commit()).kind).toBe("committed");
  }

  async function look(system: StateSystem, keys: readonly string[]) {
    const session = system.begin({ requestId: fresh("l") });
    const values = (await session.getMany(keys)).map(utf8);
    expect((await session.commit()).kind).toBe("committed");
    return values;
  }

  /** Reads x, lets both be written, reads y. */
  async function readAcrossCommit(system: StateSystem) {
    const [x, y] = [fresh("x"), fresh("y")];
    await write(system, { [x]: "old", [y]: "old" });
    const reader = system.begin({ requestId: fresh("r") });
    const seen = [utf8(await reader.get(x))];
    await write(system, { [x]: "new", [y]: "new" });
    seen.push(utf8(await reader.get(y)));
    return { seen, outcome: await reader.commit(), again: [x, y] };
  }

  /** Two read the same value, and both write. */
  async function readAndWriteTwice(system: StateSystem) {
    const key = fresh("k");
    await write(system, { [key]: "0" });
    const sessions = [1, 2].map((client) => system.begin({ requestId: fresh(`c${client}`) }));
    for (const session of sessions) await session.get(key);
    const outcomes = [];
    for (const session of sessions)
      outcomes.push(await (await put(session, { [key]: session.transactionId })).commit());
    return { key, sessions, outcomes };
  }

  describe("redis-multi", () => {
    it("shows torn reads to a transaction that commits", async () => {
      const { seen, outcome } = await readAcrossCommit(await open("redis-multi"));
      expect(seen).toEqual(["old", "new"]);
      expect(outcome.kind).toBe("committed");
    });

    it("loses an update of two transactions that read and write the same key", async () => {
      const { outcomes } = await readAndWriteTwice(await open("redis-multi"));
      expect(outcomes.map(({ kind }) => kind)).toEqual(["committed", "committed"]);
    });

    it("leaves nothing of a function that dies between two writes", async () => {
      const system = await open("redis-multi");
      const [x, y] = [fresh("x"), fresh("y")];
      await write(system, { [x]: "old", [y]: "old" });
      await put(system.begin({ requestId: fresh("r") }), { [x]: "new" });
      expect(await look(system, [x, y])).toEqual(["old", "old"]);
    });

    it("does not know what became of a commit without an answer, and does it again", async () => {
      const system = await openBehindRelay("redis-multi");
      const [key, requestId] = [fresh("k"), fresh("r")];
      const session = await put(system.begin({ requestId }), { [key]: "first" });
      const context = await session.suspend();
      relay.loseNextAnswer();
      expect((await session.commit()).kind).toBe("unknown");
      expect((await system.outcomeOf(context)).kind).toBe("unknown");
      await write(system, { [key]: "another" });
      const again = await put(system.begin({ requestId }), { [key]: "second" });
      expect((await again.commit()).kind).toBe("committed");
      expect(await look(system, [key])).toEqual(["second"]);
    });
  });

  describe("redis-occ", () => {
    it("does not commit a torn read; a snapshot in one command needs no check", async () => {
      const system = await open("redis-occ");
      const { seen, outcome, again } = await readAcrossCommit(system);
      expect(seen).toEqual(["old", "new"]);
      expect(outcome).toEqual({ kind: "aborted", reason: "conflict" });
      const calls = system.counters?.().calls ?? 0;
      expect(await look(system, again)).toEqual(["new", "new"]);
      expect(system.counters?.().calls).toBe(calls + 1);
    });

    it("aborts the later of two that read and write the same key, whose next attempt commits", async () => {
      const system = await open("redis-occ");
      const { key, sessions, outcomes } = await readAndWriteTwice(system);
      expect(outcomes.map(({ kind }) => kind)).toEqual(["committed", "aborted"]);
      expect(await look(system, [key])).toEqual([sessions[0]?.transactionId]);
      const { requestId } = (await sessions[1]?.suspend()) ?? { requestId: "" };
      const next = system.begin({ requestId });
      await next.get(key);
      const outcome = await (await put(next, { [key]: "next" })).commit();
      expect(outcome).not.toHaveProperty("committedBy");
      expect(await look(system, [key])).toEqual(["next"]);
    });

    it("counts up to the sum of all increments", async () => {
      const systems = [await open("redis-occ"), await open("redis-occ")];
      const key = fresh("counter");
      const [clients, increments] = [4, 25];
      const increment = async (system: StateSystem, requestId: string): Promise<void> => {
        for (;;) {
          const session = system.begin({ requestId });
          const value = Number(utf8(await session.get(key)) ?? "0");
          await put(session, { [key]: String(value + 1) });
          if ((await session.commit()).kind === "committed") return;
        }
      };
      await Promise.all(
        Array.from({ length: clients }, async (_unused, client) => {
          for (let turn = 0; turn < increments; turn += 1)
            await increment(systems[client % 2] as StateSystem, fresh(`c${client}-`));
        }),
      );
      expect(await look(systems[0] as StateSystem, [key])).toEqual([String(clients * increments)]);
    });

    it("tells what became of a commit without an answer, and does not do it again", async () => {
      const system = await openBehindRelay("redis-occ");
      const [key, requestId] = [fresh("k"), fresh("r")];
      const session = await put(system.begin({ requestId }), { [key]: "first" });
      const context = await session.suspend();
      relay.loseNextAnswer();
      expect((await session.commit()).kind).toBe("unknown");
      const told = await system.outcomeOf(context);
      expect(told.kind).toBe("committed");
      await write(system, { [key]: "another" });
      const again = await put(system.begin({ requestId }), { [key]: "second" });
      expect(await again.commit()).toEqual({ ...told, committedBy: session.transactionId });
      expect(await look(system, [key])).toEqual(["another"]);
    });

    it("keeps a transaction from committing once it was told to be aborted, and its request not", async () => {
      const system = await open("redis-occ");
      const [key, requestId] = [fresh("k"), fresh("r")];
      const session = await put(system.begin({ requestId }), { [key]: "first" });
      const context = await session.suspend();
      expect((await system.outcomeOf(context)).kind).toBe("aborted");
      expect((await system.resume(context).commit()).kind).toBe("aborted");
      const next = await put(system.begin({ requestId }), { [key]: "second" });
      expect((await next.commit()).kind).toBe("committed");
      expect(await look(system, [key])).toEqual(["second"]);
    });
  });

  describe("step-log", () => {
    it("goes on where a function died between two writes: nothing twice, and torn until then", async () => {
      const system = await open("step-log");
      const [x, y, requestId] = [fresh("x"), fresh("y"), fresh("r")];
      await write(system, { [x]: "old", [y]: "old" });
      const dead = system.begin({ requestId });
      expect(utf8(await dead.get(y))).toBe("old");
      await put(dead, { [x]: "new of the first" });
      expect(await look(system, [x, y])).toEqual(["new of the first", "old"]);
      await write(system, { [x]: "another", [y]: "another" });

      const next = system.begin({ requestId });
      // As the first attempt has read it, not as it is.
      expect(utf8(await next.get(y))).toBe("old");
      expect(await next.put(x, Buffer.from("new of the second"))).toBe("replayed");
      expect(await next.put(y, Buffer.from("new of the second"))).toBeUndefined();
      expect(await next.commit()).toEqual({ kind: "committed" });
      expect(await look(system, [x, y])).toEqual(["another", "new of the second"]);
    });

    it("does each step once when two attempts take turns, and both name the one that wrote last", async () => {
      const system = await open("step-log");
      const [x, y, requestId] = [fresh("x"), fresh("y"), fresh("r")];
      const [a, b] = [system.begin({ requestId }), system.begin({ requestId })];
      await Promise.all([put(a, { [x]: "a" }), put(b, { [x]: "b" })]);
      const [first] = await look(system, [x]);
      expect(await b.put(y, Buffer.from("b"))).toBeUndefined();
      expect(await a.put(y, Buffer.from("a"))).toBe("replayed");
      const outcomes = await Promise.all([a.commit(), b.commit()]);
      expect(outcomes).toEqual([
        { kind: "committed", committedBy: b.transactionId },
        { kind: "committed" },
      ]);
      expect(await look(system, [x, y])).toEqual([first, "b"]);
    });

    it("repeats no write whose answer was lost, and no commit", async () => {
      const system = await openBehindRelay("step-log");
      const [key, requestId] = [fresh("k"), fresh("r")];
      const first = system.begin({ requestId });
      relay.loseNextAnswer();
      await expect(first.put(key, Buffer.from("first"))).rejects.toMatchObject({
        disposition: "retry",
      });
      const second = system.begin({ requestId });
      expect(await second.put(key, Buffer.from("second"))).toBe("replayed");
      const context = await second.suspend();
      relay.loseNextAnswer();
      expect((await second.commit()).kind).toBe("unknown");
      const told = { kind: "committed", committedBy: first.transactionId };
      expect(await system.outcomeOf(context)).toEqual(told);
      await write(system, { [key]: "another" });
      const third = await put(system.begin({ requestId }), { [key]: "third" });
      expect(await third.commit()).toEqual(told);
      expect(await look(system, [key])).toEqual(["another"]);
    });

    it("writes nothing for an attempt that comes when the steps of its request are gone", async () => {
      const system = await open("step-log", { replayMs: 50 });
      const [key, requestId] = [fresh("k"), fresh("r")];
      const first = await put(system.begin({ requestId }), { [key]: "first" });
      await first.commit();
      await write(system, { [key]: "another" });
      await pause(200);
      const late = system.begin({ requestId });
      expect(await late.put(key, Buffer.from("late"))).toBe("replayed");
      // Nobody remembers what was read.
      expect(utf8(await late.get(key))).toBe("another");
      expect(await late.commit()).toEqual({ kind: "committed", committedBy: first.transactionId });
      expect(await look(system, [key])).toEqual(["another"]);
    });

    it("refuses another step under a number that is taken", async () => {
      const system = await open("step-log");
      const [key, requestId] = [fresh("k"), fresh("r")];
      await put(system.begin({ requestId }), { [key]: "v" });
      const odd = { code: "not_deterministic", disposition: "bug" };
      await expect(system.begin({ requestId }).get(key)).rejects.toMatchObject(odd);
      const other = system.begin({ requestId }).put(fresh("k"), Buffer.from("v"));
      await expect(other).rejects.toMatchObject(odd);
    });
  });

  describe("all of them", () => {
    const systems = ["redis-multi", "redis-occ", "step-log"];

    it("remember requests for as long as they say, and no longer", async () => {
      for (const name of ["redis-occ", "step-log"]) {
        const system = await open(name, { retentionMs: 100, replayMs: 50 });
        const [key, requestId] = [fresh("k"), fresh("r")];
        await (await put(system.begin({ requestId }), { [key]: "first" })).commit();
        await pause(300);
        const late = await put(system.begin({ requestId }), { [key]: "late" });
        expect(await late.commit()).not.toHaveProperty("committedBy");
        expect(await look(system, [key])).toEqual(["late"]);
      }
    });

    it("write 1,000 values of one transaction, and 5 MB in one function", async () => {
      for (const name of systems) {
        const system = await open(name);
        const many = system.begin({ requestId: fresh("r") });
        const keys = Array.from({ length: 1_000 }, () => fresh("k"));
        await many.putMany(keys.map((key) => [key, Buffer.from(key)]));
        const next = system.resume(await many.suspend());
        expect((await next.commit()).kind).toBe("committed");
        expect(await look(system, keys)).toEqual(keys);
        const large = system.begin({ requestId: fresh("r") });
        await large.put(keys[0] ?? "", Buffer.alloc(5_000_000));
        expect((await large.commit()).kind).toBe("committed");
      }
    });

    it("refuse to pass on what no invocation carries, where they pass it on at all", async () => {
      for (const name of ["redis-multi", "redis-occ"]) {
        const system = await open(name);
        const session = system.begin({ requestId: fresh("r") });
        await session.put(fresh("k"), Buffer.alloc(5_000_000));
        const refusal = { code: "context_too_large", disposition: "abort" };
        await expect(session.suspend()).rejects.toMatchObject(refusal);
      }
    });

    it("take as long as an emulated service does, and count the same", async () => {
      const target = { engine: "redis", urls: [redis.url], cluster: false };
      const emulation = { profile: "elasticache", seed: 1 };
      for (const name of systems) {
        const system = await open(name, { storage: { target, emulation } });
        const session = system.begin({ requestId: fresh("r") });
        const startMs = performance.now();
        for (let turn = 0; turn < 20; turn += 1) await session.get(fresh("none"));
        // Sampled with a median of 0.85 ms each.
        expect(performance.now() - startMs).toBeGreaterThan(10);
        expect(system.counters?.()).toEqual({ calls: 20, bytesRead: 0, bytesWritten: 0 });
      }
    });

    it("outlive a restart of the server: refused meanwhile, never wrong, well again afterwards", async () => {
      const own = await startRedis({ appendOnly: "always" });
      try {
        expect(await readRedisDurability(own.url)).toBe(
          "appendonly yes, appendfsync always: on the disk before it is acknowledged",
        );
        for (const name of systems) {
          const target = { engine: "redis", urls: [own.url], cluster: false };
          const system = await open(name, { storage: { target } });
          const key = fresh("k");
          await write(system, { [key]: "kept" });
          const under = system.begin({ requestId: fresh("r") });
          await put(under, { [fresh("k")]: "v" });
          await own.kill();
          await expect(system.begin({ requestId: fresh("r") }).get(key)).rejects.toMatchObject({
            code: "storage_unavailable",
            disposition: "retry",
          });
          expect((await under.commit()).kind).toBe("unknown");
          await own.restart();
          await expect
            .poll(() => look(system, [key]).catch(() => []), { timeout: 10_000 })
            .toEqual(["kept"]);
        }
      } finally {
        await own.stop();
      }
    });
  });
});
