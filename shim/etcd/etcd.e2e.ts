/**
 * Goal    etcd as a state system keeps its contract: one instant over functions, first committer wins, once.
 * Method  One real server; others commit between functions, answers are lost, revisions are compacted, limits
 *         are passed.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { describeContract } from "#kit/testing/describe-contract.ts";
import { type EtcdService, startEtcd } from "#harness/services/etcd.ts";
import { etcdMissing, hasEtcd } from "#harness/services/testing.ts";
import { startRelay } from "#harness/services/testing/relay.ts";
import type { StateContext, StateSession, StateSystem } from "#shim/state/port.ts";
import { loadStateSystem, openStateSystem } from "#shim/state/registry.ts";
import { openStateContract, stateContract } from "#shim/state/state.contract.ts";

const clock = createSystemClock();

describe.skipIf(!hasEtcd())(`etcd (skipped if ${etcdMissing})`, () => {
  let service: EtcdService;
  let plain: StateSystem;
  let serializable: StateSystem;
  let keys = 0;
  /** A key that nobody has used. */
  const fresh = (): string => `key ${(keys += 1)}`;

  const optionsOf = (endpoint = service.endpoint): Record<string, unknown> => ({
    storage: { target: { engine: "etcd", endpoint } },
  });

  beforeAll(async () => {
    service = await startEtcd();
    plain = await openStateSystem({ system: "etcd", options: optionsOf() });
    serializable = await openStateSystem({ system: "etcd-ser", options: optionsOf() });
  });
  afterAll(async () => {
    await plain.close();
    await serializable.close();
    await service.stop();
  });

  for (const name of ["etcd", "etcd-ser"])
    describeContract(`state contract: ${name}`, stateContract, async () => {
      const { promises } = await loadStateSystem({ system: name });
      return openStateContract({
        promises,
        clock,
        open: () => openStateSystem({ system: name, options: optionsOf() }),
      });
    });

  it("reads are of one instant over functions, also of keys that came later", async () => {
    const [x, y, later] = [fresh(), fresh(), fresh()];
    await write(plain, { [x]: "old", [y]: "old" });
    const first = begin(plain);
    expect(text(await first.get(x))).toBe("old");
    await write(plain, { [x]: "new", [y]: "new", [later]: "new" });
    const second = plain.resume(passed(await first.suspend()));
    expect((await second.getMany([y, later, x])).map(text)).toEqual(["old", undefined, "old"]);
    // Only read: nothing can have been in its way.
    expect(await second.commit()).toEqual({ kind: "committed" });
    const after = begin(plain);
    expect((await after.getMany([x, y, later])).map(text)).toEqual(["new", "new", "new"]);
  });

  it("the first committer wins a key, and the second one has no effect", async () => {
    const [x, y] = [fresh(), fresh()];
    await write(plain, { [x]: "0" });
    const [one, two] = [begin(plain), begin(plain)];
    for (const session of [one, two]) {
      await session.get(x);
      await session.put(x, bytes("1"));
    }
    await two.put(y, bytes("1"));
    expect(await one.commit()).toMatchObject({ kind: "committed" });
    const lost = await two.commit();
    expect(lost).toMatchObject({ kind: "aborted", reason: expect.stringContaining("conflict") });
    const after = begin(plain);
    expect((await after.getMany([x, y])).map(text)).toEqual(["1", undefined]);
  });

  it("write skew happens with writes compared, and not with reads compared too", async () => {
    const skew = async (system: StateSystem): Promise<string[]> => {
      const [x, y] = [fresh(), fresh()];
      await write(system, { [x]: "0", [y]: "0" });
      const [one, two] = [begin(system), begin(system)];
      await one.getMany([x, y]);
      await two.getMany([x, y]);
      await one.put(x, bytes("1"));
      await two.put(y, bytes("1"));
      // What was read travels too.
      const nextTwo = system.resume(passed(await two.suspend()));
      return [(await one.commit()).kind, (await nextTwo.commit()).kind];
    };
    expect(await skew(plain)).toEqual(["committed", "committed"]);
    expect(await skew(serializable)).toEqual(["committed", "aborted"]);
  });

  it("a lost answer is found out, and the next attempt is told who committed", async () => {
    const relay = await startRelay(service.port);
    const system = await openStateSystem({
      system: "etcd",
      options: optionsOf(`http://127.0.0.1:${relay.port}`),
    });
    const key = fresh();
    const requestId = `request ${fresh()}`;
    const session = system.begin({ requestId });
    await session.get(key);
    await session.put(key, bytes("once"));
    relay.loseAnswers();
    const outcome = await session.commit();
    expect(outcome).toMatchObject({ kind: "committed", commitOrder: expect.any(String) });
    expect(outcome).not.toHaveProperty("committedBy");
    const again = plain.begin({ requestId });
    await again.put(key, bytes("twice"));
    const { transactionId } = session;
    expect(await again.commit()).toEqual({ ...outcome, committedBy: transactionId });
    expect(text(await begin(plain).get(key))).toBe("once");
    await system.close();
    await relay.stop();
  });

  it("who asks about an attempt that has not committed keeps it from it", async () => {
    const key = fresh();
    const session = begin(plain);
    await session.put(key, bytes("late"));
    const context = await session.suspend();
    expect(await plain.outcomeOf(context)).toMatchObject({ kind: "aborted" });
    expect(await plain.resume(context).commit()).toMatchObject({ kind: "aborted" });
    expect(await begin(plain).get(key)).toBeUndefined();
  });

  it("a snapshot that was compacted is refused, to be tried from the start", async () => {
    const key = fresh();
    await write(plain, { [key]: "old" });
    const reader = begin(plain);
    await reader.get(fresh());
    const outcome = await write(plain, { [key]: "new" });
    const revision = String(Number("commitOrder" in outcome ? outcome.commitOrder : 0));
    const answer = await fetch(`${service.endpoint}/v3/kv/compaction`, {
      method: "POST",
      body: JSON.stringify({ revision, physical: true }),
    });
    expect(answer.status).toBe(200);
    await expect(reader.get(key)).rejects.toMatchObject({
      code: "revision_compacted",
      disposition: "retry",
    });
    expect(text(await begin(plain).get(key))).toBe("new");
  });

  it("as many writes as one transaction takes are taken, and one more is refused", async () => {
    const session = begin(plain);
    for (let index = 0; index < 126; index += 1) await session.put(fresh(), bytes("v"));
    const context = await session.suspend();
    const beyond = { code: "limit_exceeded", disposition: "abort" };
    await expect(plain.resume(context).put(fresh(), bytes("v"))).rejects.toMatchObject(beyond);
    expect(await plain.resume(context).commit()).toMatchObject({ kind: "committed" });
  });

  it("as many bytes as one request takes are taken, and more are refused", async () => {
    const session = begin(plain);
    for (let index = 0; index < 14; index += 1) await session.put(fresh(), Buffer.alloc(110_000));
    const beyond = { code: "limit_exceeded", disposition: "abort" };
    await expect(session.put(fresh(), Buffer.alloc(110_000))).rejects.toMatchObject(beyond);
    expect(await session.commit()).toMatchObject({ kind: "committed" });
  });

  it("what the server refuses is an outcome, with its reason", async () => {
    const system = await openStateSystem({
      system: "etcd",
      options: { ...optionsOf(), maxTxnOps: 1_000, maxRequestBytes: 10_000_000 },
    });
    const many = begin(system);
    for (let index = 0; index < 200; index += 1) await many.put(fresh(), bytes("v"));
    const large = begin(system);
    await large.put(fresh(), Buffer.alloc(3_000_000));
    for (const session of [many, large])
      expect(await session.commit()).toMatchObject({
        kind: "aborted",
        reason: expect.stringContaining("limit_exceeded"),
      });
    await system.close();
  });

  it("more keys than one call takes are read at one instant", async () => {
    const names = Array.from({ length: 300 }, fresh);
    for (let start = 0; start < names.length; start += 100)
      await write(
        plain,
        Object.fromEntries(names.slice(start, start + 100).map((key) => [key, key])),
      );
    const before = plain.counters?.().calls ?? 0;
    expect((await begin(plain).getMany(names)).map(text)).toEqual(names);
    expect((plain.counters?.().calls ?? 0) - before).toBe(3);
  });

  it("a server that is gone is not taken for one that refuses, and is used again when it is back", async () => {
    await service.kill();
    await expect(begin(plain).get(fresh())).rejects.toMatchObject({
      code: "storage_unavailable",
      disposition: "retry",
    });
    await service.restart();
    const key = fresh();
    await write(plain, { [key]: "again" });
    expect(text(await begin(plain).get(key))).toBe("again");
  });

  it("refuses what it cannot run on, all at once", async () => {
    const opening = openStateSystem({
      system: "etcd",
      options: { storage: { target: { engine: "memory" } }, timeoutMs: -1 },
    });
    await expect(opening).rejects.toThrow(ConfigError);
    await expect(opening).rejects.toThrow(/etcd, not on memory[\s\S]*timeoutMs/);
  });

  function begin(system: StateSystem): StateSession {
    return system.begin({ requestId: `request ${fresh()}` });
  }

  async function write(system: StateSystem, values: Readonly<Record<string, string>>) {
    const session = begin(system);
    for (const [key, value] of Object.entries(values)) await session.put(key, bytes(value));
    const outcome = await session.commit();
    expect(outcome.kind).toBe("committed");
    return outcome;
  }
});

/** As it arrives in another process. */
function passed(context: StateContext): StateContext {
  return JSON.parse(JSON.stringify(context)) as StateContext;
}

function bytes(content: string): Buffer {
  return Buffer.from(content);
}

function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString();
}
