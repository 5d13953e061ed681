/**
 * Goal    Storage that refuses, loses requests or answers, answers late or falls silent at the n-th
 *         call, for every n of a commit: never a visible half transaction, never a false answer.
 * Method  One commit of two keys over a store that is hit once; then a look from inside, and from a
 *         replica restarted on what the store holds.
 */
import { describe, expect, it } from "vitest";
import { createManualClock } from "#kit/testing/manual-clock.ts";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import { StorageUnavailableError } from "#shim/storage/errors.ts";
import { createFaulty, type Fault } from "#shim/storage/testing/faulty.ts";
import { withCalls } from "../cluster/testing.ts";
import type { CommitAnswer } from "./port.ts";
import { openTestReplica, put } from "./testing.ts";

const faults: readonly Fault[] = ["refused", "lost-request", "lost-answer", "late", "silence"];
/** Two entries and the seal; then what follows when the outcome must be looked up. */
const callsOfCommit = 3;

interface Trial {
  readonly answer: CommitAnswer;
  /** What everybody else sees right after the answer, here. */
  readonly seen: readonly (string | null)[];
  /** What a replica restarted on the same store sees. */
  readonly recovered: readonly (string | null)[];
  readonly secondAnswer: CommitAnswer["kind"];
}

async function commitUnder(fault: Fault, call: number): Promise<Trial> {
  const clock = createManualClock();
  const memory = createMemoryEngine();
  const faulty = createFaulty(memory, clock);
  const { replica, begin, peek } = await openTestReplica({ storage: faulty.engine, clock });
  const transactionId = begin();
  await put(replica, transactionId, "x", "new");
  await put(replica, transactionId, "y", "new");
  faulty.failCall(call, fault);
  const committing = Promise.resolve(replica.commit({ transactionId }));
  await clock.advance(10_000_000);
  const answer = await committing;
  const seen = [await peek("x"), await peek("y")];
  const repeated = Promise.resolve(replica.commit({ transactionId }));
  await clock.advance(10_000_000);
  const again = await repeated;

  const next = await openTestReplica({ storage: memory, clock });
  const recovered = [await next.peek("x"), await next.peek("y")];
  return { answer, seen, recovered, secondAnswer: again.kind };
}

const outcomes = new Set<string>();

describe.each(faults)("storage: %s", (fault) => {
  it.each(Array.from({ length: callsOfCommit }, (_unused, index) => index + 1))(
    "at call %d of a commit",
    async (call) => {
      const { answer, seen, recovered, secondAnswer } = await commitUnder(fault, call);
      outcomes.add(answer.kind);
      // Whole or not at all, here and after a restart.
      expect(seen[0]).toBe(seen[1]);
      expect(recovered[0]).toBe(recovered[1]);
      if (answer.kind === "committed") {
        expect(seen[0]).toBe("new");
        expect(recovered[0]).toBe("new");
      } else {
        const { refusal } = answer;
        if (answer.kind === "aborted") expect(recovered[0]).toBeNull();
        if (fault !== "silence" && fault !== "late")
          expect(refusal.message).toMatch(/storage "memory": \w+ of "aft\/.*injected fault/);
        expect(refusal.code).toBe("storage_unavailable");
      }
      // Nothing that was said is taken back.
      if (answer.kind !== "unknown") expect(secondAnswer).toBe(answer.kind);
    },
  );
});

it("reached every kind of answer, or the trials prove nothing", () => {
  expect(outcomes).toEqual(new Set(["committed", "aborted", "unknown"]));
});

it("does not take a refusal for the end of a commit that may have happened unseen", async () => {
  const clock = createManualClock();
  const memory = createMemoryEngine();
  const refusal = new StorageUnavailableError({
    engine: "memory",
    operation: "get",
    effect: "none",
  });
  let [seals, looks] = [0, 0];
  const storage = withCalls(memory, {
    putSealed: async (groups) => {
      seals += 1;
      if (seals === 2) return groups.map(() => ({ kind: "failed", error: refusal }));
      const answers = await memory.putSealed(groups);
      // A client library repeats a request: what it is told is about the second one.
      return seals === 1 ? groups.map(() => ({ kind: "alreadySealed" })) : answers;
    },
    get: (name) => {
      looks += 1;
      return looks === 1 ? Promise.reject(refusal) : memory.get(name);
    },
  });
  const { replica, begin, peek } = await openTestReplica({ storage, clock });
  const transactionId = begin();
  await put(replica, transactionId, "x", "new");
  const committing = Promise.resolve(replica.commit({ transactionId }));
  await clock.advance(10_000_000);
  expect(await committing).toMatchObject({ kind: "committed" });
  expect(await peek("x")).toBe("new");
});

it("answers reads with a typed refusal while storage is down, and recovers", async () => {
  const clock = createManualClock();
  const faulty = createFaulty(createMemoryEngine(), clock);
  const { write, peek } = await openTestReplica({
    storage: faulty.engine,
    clock,
    settings: { cacheBytes: 0 },
  });
  await write({ x: "1" });
  faulty.failCall(1, "refused");
  expect(await peek("x")).toBe("!storage_unavailable");
  expect(await peek("x")).toBe("1");
});

it("does not start on a store that it cannot read whole", async () => {
  const clock = createManualClock();
  const memory = createMemoryEngine();
  await (await openTestReplica({ storage: memory, clock })).write({ x: "1" });
  for (const call of [1, 2]) {
    const faulty = createFaulty(memory, clock);
    faulty.failCall(call, "refused");
    await expect(openTestReplica({ storage: faulty.engine, clock })).rejects.toThrow("injected");
  }
});
