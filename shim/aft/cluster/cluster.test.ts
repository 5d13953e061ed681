/**
 * Goal    Many replicas keep what one promises: commits reach everybody whatever the network does,
 *         nothing acknowledged is lost when replicas and managers die, and who was away comes back
 *         without damage (AFT §4).
 * Method  Replicas and managers over one memory store, a manual clock and a seeded network that
 *         loses, repeats, delays, reorders and partitions.
 */
import { describe, expect, it } from "vitest";
import { show } from "../replica/testing.ts";
import { TestCluster, type TestMember } from "./testing.ts";

async function started(
  seed: number,
  addresses: readonly string[] = ["r1", "r2", "r3"],
): Promise<{ cluster: TestCluster; members: TestMember[] }> {
  const cluster = new TestCluster({ seed });
  const members: TestMember[] = [];
  for (const address of addresses) members.push(await cluster.replica(address));
  await cluster.seconds(3);
  return { cluster, members };
}

function at(members: readonly TestMember[], index: number): TestMember {
  const member = members[index];
  if (member === undefined) throw new RangeError(`no replica ${index}`);
  return member;
}

async function peekAll(members: readonly TestMember[], key: string): Promise<(string | null)[]> {
  return Promise.all(members.map((member) => member.peek(key)));
}

describe("commit multicast", () => {
  it("brings a commit to every replica within two rounds", async () => {
    const { cluster, members } = await started(1);
    await at(members, 0).write({ x: "1", y: "1" });
    expect(await at(members, 1).peek("x")).toBeNull();
    await cluster.seconds(2);
    expect(await peekAll(members, "x")).toEqual(["1", "1", "1"]);
  });

  it("leaves out superseded commits, and everybody has the newest", async () => {
    const { cluster, members } = await started(2);
    for (let turn = 1; turn <= 20; turn += 1) await at(members, 0).write({ x: String(turn) });
    await cluster.seconds(2);
    expect(await peekAll(members, "x")).toEqual(["20", "20", "20"]);
    expect(at(members, 1).member.mergedTotal).toBe(1);
  });

  it("is one exchange a round with each peer, however much is committed meanwhile", async () => {
    const { cluster, members } = await started(4);
    cluster.network.faults.delayMs = 200;
    const before = cluster.network.asked;
    for (let turn = 0; turn < 100; turn += 1) {
      await at(members, turn % 3).write({ [`k${turn}`]: "1" });
      await cluster.seconds(0.05);
    }
    // Five rounds in which each of three asks two others; one round more at the edges.
    expect(cluster.network.asked - before).toBeLessThanOrEqual(6 * 3 * 2);
    await cluster.seconds(2);
    expect(await peekAll(members, "k99")).toEqual(["1", "1", "1"]);
  });

  it("is repaired when messages are lost, repeated, late and out of order", async () => {
    for (let seed = 10; seed < 20; seed += 1) {
      const { cluster, members } = await started(seed);
      Object.assign(cluster.network.faults, { lose: 0.3, repeat: 0.3, delayMs: 800 });
      for (let turn = 0; turn < 30; turn += 1) {
        await at(members, turn % 3).write({ [`k${turn % 7}`]: String(turn), all: String(turn) });
        await cluster.seconds(0.2);
      }
      Object.assign(cluster.network.faults, { lose: 0, repeat: 0, delayMs: 0 });
      await cluster.seconds(5);
      for (let key = 0; key < 7; key += 1) {
        const seen = await peekAll(members, `k${key}`);
        expect(new Set(seen).size, `seed ${seed}, k${key}: ${seen.join()}`).toBe(1);
      }
      expect(await peekAll(members, "all")).toEqual(["29", "29", "29"]);
    }
  });

  it("catches up after a partition in which more was committed than one message holds", async () => {
    const cluster = new TestCluster({ seed: 3, settings: { maxBatch: 5 } });
    const members = [await cluster.replica("r1"), await cluster.replica("r2")];
    await cluster.seconds(3);
    cluster.network.faults.cut.add("r1>r2").add("r2>r1");
    for (let turn = 0; turn < 40; turn += 1) await at(members, 0).write({ [`k${turn}`]: "1" });
    await cluster.seconds(5);
    expect(await at(members, 1).peek("k7")).toBeNull();
    cluster.network.faults.cut.clear();
    await cluster.seconds(4);
    for (let turn = 0; turn < 40; turn += 1)
      expect(await at(members, 1).peek(`k${turn}`)).toBe("1");
  });

  it("reads the commit set when a peer no longer keeps what was missed", async () => {
    const cluster = new TestCluster({ seed: 4, settings: { maxKept: 8 } });
    const members = [await cluster.replica("r1"), await cluster.replica("r2")];
    await cluster.seconds(3);
    cluster.network.faults.cut.add("r1>r2").add("r2>r1");
    for (let turn = 0; turn < 40; turn += 1) await at(members, 0).write({ [`k${turn}`]: "1" });
    cluster.network.faults.cut.clear();
    await cluster.seconds(5);
    for (let turn = 0; turn < 40; turn += 1)
      expect(await at(members, 1).peek(`k${turn}`)).toBe("1");
  });

  it("does not keep commits for peers that are gone", async () => {
    const { cluster, members } = await started(5);
    cluster.manager();
    await cluster.seconds(2);
    at(members, 2).kill();
    await cluster.seconds(6);
    for (let turn = 0; turn < 5; turn += 1) await at(members, 0).write({ x: String(turn) });
    await cluster.seconds(3);
    expect(at(members, 0).member.keptCommits).toBe(0);
    const states = at(members, 0)
      .member.members()
      .map(({ address, state }) => `${address} ${state}`);
    expect(states).toContain("r3 dead");
    expect(await at(members, 1).peek("x")).toBe("4");
  });
});

describe("the fault manager", () => {
  it("declares a silent replica dead within 5 s and launches one replacement", async () => {
    const { cluster, members } = await started(20);
    const launched: TestMember[] = [];
    cluster.manager({
      settings: { replicas: 3 },
      launcher: {
        launch: async () => {
          launched.push(await cluster.replica("r4"));
        },
      },
    });
    await cluster.seconds(3);
    at(members, 1).kill();
    await cluster.seconds(5);
    expect(cluster.events.filter(({ kind }) => kind === "dead")).toHaveLength(1);
    await cluster.seconds(10);
    expect(launched).toHaveLength(1);
    expect(at(launched, 0).member.self.state).toBe("alive");
    expect(cluster.events.filter(({ kind }) => kind === "launch")).toHaveLength(1);
  });

  it("tells all of a commit whose replica died before it could", async () => {
    const { cluster, members } = await started(21);
    cluster.manager({ settings: { scanMs: 0 } });
    await cluster.seconds(3);
    await at(members, 0).write({ x: "acknowledged" });
    at(members, 0).kill();
    await cluster.seconds(1);
    expect(await at(members, 1).peek("x")).toBeNull();
    await cluster.seconds(6);
    expect(await peekAll(members.slice(1), "x")).toEqual(["acknowledged", "acknowledged"]);
  });

  it("may be killed at any time: the next one learns all again and goes on collecting", async () => {
    const { cluster, members } = await started(22);
    const first = cluster.manager();
    await cluster.seconds(2);
    for (let turn = 0; turn < 10; turn += 1) await at(members, 0).write({ x: String(turn) });
    first.close();
    await cluster.seconds(5);
    const second = cluster.manager({ id: "m:2" });
    await cluster.seconds(20);
    expect(second.stats().collectedTotal).toBe(9);
    expect(await cluster.storedData()).toHaveLength(1);
  });

  it("several may run: one of them collects, and another when that one is gone", async () => {
    const { cluster, members } = await started(23);
    const [a, b] = [cluster.manager({ id: "m:a" }), cluster.manager({ id: "m:b" })];
    await cluster.seconds(4);
    expect([a.isLeader, b.isLeader]).toEqual([true, false]);
    a.close();
    await cluster.seconds(10);
    expect(b.isLeader).toBe(true);
    for (let turn = 0; turn < 5; turn += 1) await at(members, 0).write({ x: String(turn) });
    await cluster.seconds(6);
    expect(await cluster.storedData()).toHaveLength(1);
  });

  it("does not take its own pause for the death of everybody else", async () => {
    const { cluster } = await started(24);
    cluster.manager();
    await cluster.seconds(3);
    cluster.stop("m:1");
    await cluster.seconds(10);
    cluster.continue("m:1");
    await cluster.seconds(5);
    expect(cluster.events.filter(({ kind }) => kind === "dead")).toEqual([]);
  });
});

describe("a replica that was away (SIGSTOP, then SIGCONT)", () => {
  it("is declared dead, comes back as a new incarnation, and serves what it missed", async () => {
    const { cluster, members } = await started(30);
    cluster.manager();
    await cluster.seconds(3);
    const zombie = at(members, 2);
    cluster.stop("r3");
    await at(members, 0).write({ x: "1" });
    await cluster.seconds(8);
    expect(cluster.events.some(({ kind }) => kind === "dead")).toBe(true);
    cluster.continue("r3");
    await cluster.seconds(6);
    expect(zombie.member.self).toMatchObject({ state: "alive", incarnation: 2 });
    expect(await zombie.peek("x")).toBe("1");
  });

  it("cannot commit a request that was committed elsewhere meanwhile", async () => {
    const { cluster, members } = await started(31);
    const [one, two] = [at(members, 0), at(members, 1)];
    const paused = one.replica.begin({ requestId: "r", once: true });
    const retried = two.replica.begin({ requestId: "r", once: true });
    if (paused.kind !== "begun" || retried.kind !== "begun") throw new Error("not begun");
    const value = (text: string): Buffer => Buffer.from(text);
    void one.replica.put({ ...paused, key: "x", value: value("zombie") });
    void two.replica.put({ ...retried, key: "x", value: value("retry") });
    cluster.stop("r1");
    const outcome = await two.replica.commit(retried);
    await cluster.seconds(10);
    cluster.continue("r1");
    expect(await one.replica.commit(paused)).toEqual(outcome);
    await cluster.seconds(4);
    expect(await peekAll(members, "x")).toEqual(["retry", "retry", "retry"]);
  });

  it("skips versions that were collected without it, and never fractures a read", async () => {
    const { cluster, members } = await started(32);
    cluster.manager({ settings: { outcomeRetentionMs: 0 } });
    const zombie = await cluster.replica("r4", { settings: { cacheBytes: 0 } });
    await cluster.seconds(3);
    await at(members, 0).write({ x: "old", y: "old" });
    await cluster.seconds(2);
    const reader = zombie.replica.begin({ requestId: "reader" });
    if (reader.kind !== "begun") throw new Error(reader.message);
    expect(show(await zombie.replica.get({ ...reader, key: "x" }))).toBe("old");
    cluster.stop("r4");
    await at(members, 0).write({ x: "new", y: "new" });
    await cluster.seconds(12);
    expect(await cluster.storedData()).toHaveLength(2);
    // It still believes in the old version; its data is gone.
    expect(show(await zombie.replica.get({ ...reader, key: "y" }))).toBe("!no_valid_version");
    cluster.continue("r4");
    await cluster.seconds(8);
    expect(await zombie.peek("y")).toBe("new");
  });
});

describe("a version whose data is gone", () => {
  it("is skipped for the next older valid one, if nothing was read from it", async () => {
    const { cluster, members } = await started(33);
    cluster.manager({ settings: { outcomeRetentionMs: 0 } });
    const away = await cluster.replica("r4", { settings: { cacheBytes: 0 } });
    await cluster.seconds(3);
    // The first stays alive because of m; the second is superseded behind the back of r4.
    await at(members, 0).write({ k: "1", m: "1" });
    await at(members, 0).write({ k: "2" });
    await cluster.seconds(2);
    cluster.stop("r4");
    await at(members, 0).write({ k: "3" });
    await cluster.seconds(10);
    const reader = away.replica.begin({ requestId: "reader" });
    if (reader.kind !== "begun") throw new Error(reader.message);
    expect(show(await away.replica.get({ ...reader, key: "k" }))).toBe("1");
    expect(show(await away.replica.get({ ...reader, key: "k" }))).toBe("1");
    expect(show(await away.replica.get({ ...reader, key: "m" }))).toBe("1");
    cluster.continue("r4");
    await cluster.seconds(8);
    expect(await away.peek("k")).toBe("3");
  });
});

describe("leaving", () => {
  it("finishes what is open, refuses what is new, and tells everybody all it committed", async () => {
    const { cluster, members } = await started(40);
    const [one, two] = [at(members, 0), at(members, 1)];
    const open = one.replica.begin({ requestId: "r" });
    if (open.kind !== "begun") throw new Error(open.message);
    let left = false;
    void one.member.leave().then(() => {
      left = true;
    });
    await cluster.seconds(1);
    expect(one.replica.begin({ requestId: "late" })).toMatchObject({
      code: "draining",
      disposition: "retry",
    });
    void one.replica.put({ ...open, key: "x", value: Buffer.from("1") });
    expect(await one.replica.commit(open)).toMatchObject({ kind: "committed" });
    await cluster.seconds(0.5);
    expect(left).toBe(true);
    expect(await two.peek("x")).toBe("1");
    expect(two.member.members().find(({ address }) => address === "r1")?.state).toBe("left");
  });

  it("waits no longer than it may for a transaction that does not end", async () => {
    const { cluster, members } = await started(41);
    at(members, 0).replica.begin({ requestId: "r" });
    let left = false;
    void at(members, 0)
      .member.leave()
      .then(() => {
        left = true;
      });
    await cluster.seconds(10);
    expect(left).toBe(false);
    await cluster.seconds(8);
    expect(left).toBe(true);
  });
});
