/**
 * Goal    All attempts of a request, on whichever replica, have at most one effect, and all that ask
 *         are told of that one (`committer.ts`, C4).
 * Method  Two replicas over one store; then every storage call of two racing attempts is failed in
 *         every way, and the survivors are asked.
 */
import { describe, expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { createManualClock } from "#kit/testing/manual-clock.ts";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import { createFaulty, type Fault } from "#shim/storage/testing/faulty.ts";
import type { StorageEngine } from "#shim/storage/port.ts";
import type { CommitAnswer, Replica } from "./port.ts";
import { createReplica } from "./replica.ts";
import { put, show } from "./testing.ts";

let seed = 100;

async function open(storage: StorageEngine, clock = createManualClock()): Promise<Replica> {
  seed += 1;
  const settings = { storageGc: "off", orphanSweepMs: 0 } as const;
  return createReplica({ storage, clock, prng: createPrng(seed), settings });
}

async function attempt(replica: Replica, requestId: string, value: string): Promise<string> {
  const begun = replica.begin({ requestId, once: true });
  if (begun.kind !== "begun") throw new Error(begun.message);
  await put(replica, begun.transactionId, "x", value);
  await put(replica, begun.transactionId, "y", value);
  return begun.transactionId;
}

async function peek(storage: StorageEngine, key: string): Promise<string | null> {
  const replica = await open(storage);
  const begun = replica.begin({ requestId: "peek" });
  if (begun.kind !== "begun") throw new Error(begun.message);
  return show(await replica.get({ transactionId: begun.transactionId, key }));
}

describe("a request that is to happen once", () => {
  it("commits one of two attempts on two replicas; the other joins its outcome", async () => {
    const storage = createMemoryEngine();
    const [one, two] = [await open(storage), await open(storage)];
    const first = await attempt(one, "r", "one");
    const second = await attempt(two, "r", "two");
    const [a, b] = await Promise.all([
      one.commit({ transactionId: first }),
      two.commit({ transactionId: second }),
    ]);
    expect(a).toMatchObject({ kind: "committed" });
    expect(b).toEqual(a);
    const winner = a.kind === "committed" && a.transactionId === first ? "one" : "two";
    expect(await peek(storage, "x")).toBe(winner);
    expect(await peek(storage, "y")).toBe(winner);
  });

  it("answers a repeated commit and status of the loser with the winner's outcome", async () => {
    const storage = createMemoryEngine();
    const [one, two] = [await open(storage), await open(storage)];
    const first = await attempt(one, "r", "one");
    const second = await attempt(two, "r", "two");
    const won = await one.commit({ transactionId: first });
    expect(await two.commit({ transactionId: second })).toEqual(won);
    expect(await two.commit({ transactionId: second })).toEqual(won);
    expect(await one.status({ transactionId: second })).toEqual(won);
  });

  it("is recognised before it begins again, also by a replica that never heard of it", async () => {
    const storage = createMemoryEngine();
    const one = await open(storage);
    expect(await one.outcomeOfRequest("r")).toBeUndefined();
    const first = await attempt(one, "r", "one");
    const won = await one.commit({ transactionId: first });
    const two = await open(storage);
    expect(await two.outcomeOfRequest("r")).toEqual(won);
    expect(await two.outcomeOfRequest("other")).toBeUndefined();
  });

  it("leaves nothing of the losing attempt in storage", async () => {
    const storage = createMemoryEngine();
    const [one, two] = [await open(storage), await open(storage)];
    const first = await attempt(one, "r", "one");
    const second = await attempt(two, "r", "two");
    await one.commit({ transactionId: first });
    await two.commit({ transactionId: second });
    const { keys } = await storage.list("");
    expect(keys.filter((name) => name.includes(second.slice(0, 36)))).toEqual([]);
  });

  it("may still commit by another attempt after one was fenced, and the fenced one joins", async () => {
    const storage = createMemoryEngine();
    const [one, two] = [await open(storage), await open(storage)];
    const first = await attempt(one, "r", "one");
    // Asked of a replica that does not have it open: fenced there.
    expect(await two.status({ transactionId: first })).toMatchObject({ kind: "aborted" });
    const second = await attempt(two, "r", "two");
    expect(await two.commit({ transactionId: second })).toMatchObject({ kind: "committed" });
    expect(await one.commit({ transactionId: first })).toMatchObject({ kind: "aborted" });
    expect(await two.outcomeOfRequest("r")).toMatchObject({ transactionId: second });
    expect(await peek(storage, "x")).toBe("two");
  });

  it("is two requests when two clients name their own ids without its tag", async () => {
    const storage = createMemoryEngine();
    const one = await open(storage);
    const ids = [0, 1].map(() => {
      const begun = one.begin({ requestId: "same" });
      if (begun.kind !== "begun") throw new Error(begun.message);
      return begun.transactionId;
    });
    for (const transactionId of ids) {
      await put(one, transactionId, "x", transactionId);
      expect(await one.commit({ transactionId })).toMatchObject({ transactionId });
    }
  });
});

describe("two racing attempts, with a fault at every storage call", () => {
  const faults: readonly Fault[] = ["refused", "lost-request", "lost-answer", "late", "silence"];
  it.each(faults)("have one effect: %s", async (fault) => {
    for (let call = 1; call <= 12; call += 1) {
      const clock = createManualClock();
      const memory = createMemoryEngine();
      const faulty = createFaulty(memory, clock);
      const [one, two] = [await open(faulty.engine, clock), await open(memory, clock)];
      const first = await attempt(one, "r", "one");
      const second = await attempt(two, "r", "two");
      faulty.failCall(call, fault);
      const answers: CommitAnswer[] = [];
      const note = (answer: CommitAnswer): void => {
        answers.push(answer);
      };
      void Promise.resolve(one.commit({ transactionId: first })).then(note);
      if (call % 2 === 0) await clock.settle();
      void Promise.resolve(two.commit({ transactionId: second })).then(note);
      await clock.advance(70_000_000);
      expect(answers).toHaveLength(2);
      // Whoever asks next is told the same as anybody who got an answer.
      const three = await open(memory, clock);
      const truth = await three.outcomeOfRequest("r");
      expect(truth).toMatchObject({ kind: "committed" });
      for (const answer of answers) if (answer.kind === "committed") expect(answer).toEqual(truth);
      const winner = truth?.kind === "committed" && truth.transactionId === first ? "one" : "two";
      expect(await peek(memory, "x")).toBe(winner);
      expect(await peek(memory, "y")).toBe(winner);
    }
  });
});
