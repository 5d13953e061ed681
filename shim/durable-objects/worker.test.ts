/**
 * Goal    The worker that durable objects run keeps the state contract, and does each write once.
 * Method  Its own code over real SQLite databases, one for each object, without the runtime around it; what the
 *         runtime does beyond that is tested where it is installed (`#shim/objects/objects.e2e.ts`).
 */
import { expect, it, vi } from "vitest";
import type { Clock } from "#kit/clock.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { describeContract } from "#kit/testing/describe-contract.ts";
import {
  decodeFound,
  encodeWrite,
  retentionMs,
  type WriteHead,
  type Writer,
} from "#shim/objects/frame.ts";
import { createObjectSystem } from "#shim/objects/object-system.ts";
import type { ObjectStore } from "#shim/objects/store.ts";
import { StateError, type StateSystem } from "#shim/state/port.ts";
import { openStateContract, stateContract } from "#shim/state/state.contract.ts";
import { durableRoutes } from "./routes.ts";
import { createRuntime, type Environment } from "./testing/runtime.ts";
import worker from "./worker.ts";

const clock = createSystemClock();
const prng = createPrng(20_261_127);

function openStore(runtime: Environment): ObjectStore {
  let isClosed = false;
  const counts = { calls: 0, bytesRead: 0, bytesWritten: 0 };
  const post = async (path: string, body: Uint8Array<ArrayBuffer>): Promise<Response> => {
    counts.calls += 1;
    if (isClosed)
      throw new StateError({ code: "closed", disposition: "abort", message: "it is closed" });
    const request = new Request(`http://objects${path}`, { method: "POST", body });
    const answer = await worker.fetch(request, runtime);
    expect(answer.status, await answer.clone().text()).toBe(200);
    return answer;
  };
  return {
    read: async (key) => {
      const answer = await post(durableRoutes.readPath(key), new Uint8Array());
      const value = decodeFound(new Uint8Array(await answer.arrayBuffer()));
      counts.bytesRead += value?.length ?? 0;
      return value;
    },
    write: async (key, head, value) => {
      counts.bytesWritten += value.length;
      const answer = await post(durableRoutes.writePath(key), encodeWrite(head, value));
      return (await answer.json()) as Writer;
    },
    counters: () => ({ ...counts }),
    close: () => {
      isClosed = true;
    },
  };
}

function open(runtime: Environment, at: Clock = clock): StateSystem {
  const ids = prng.fork(`system ${(systems += 1)}`);
  return createObjectSystem({ name: "objects", store: openStore(runtime), clock: at, prng: ids });
}
let systems = 0;

describeContract("state contract: objects of the worker", stateContract, () => {
  const runtime = createRuntime();
  return openStateContract({
    promises: ["exactly-once"],
    clock,
    open: () => Promise.resolve(open(runtime)),
  });
});

it("a later attempt passes over what was done, does the rest, and counts by who did the last write", async () => {
  const system = open(createRuntime());
  const first = system.begin({ requestId: "r" });
  expect(await first.put("a", bytes("first"))).toBeUndefined();
  await first.abort();
  const second = system.begin({ requestId: "r" });
  expect(await second.put("a", bytes("second"))).toBe("replayed");
  expect(await second.put("b", bytes("second"))).toBeUndefined();
  const passed = await second.suspend();
  expect(await second.commit()).toEqual({ kind: "committed" });
  const third = system.begin({ requestId: "r" });
  expect(
    await third.putMany([
      ["a", bytes("third")],
      ["b", bytes("third")],
    ]),
  ).toBe("replayed");
  const { transactionId: committedBy } = second;
  expect(await third.commit()).toEqual({ kind: "committed", committedBy });
  // Also where the last function writes nothing.
  expect(await system.resume(passed).commit()).toEqual({ kind: "committed" });
  const later = system.begin({ requestId: "other" });
  expect((await later.getMany(["a", "b"])).map(text)).toEqual(["first", "second"]);
});

it("the next function goes on counting, and knows who did the last write before it", async () => {
  const system = open(createRuntime());
  const first = system.begin({ requestId: "r" });
  await first.put("k", bytes("one"));
  const next = system.resume(await first.suspend());
  expect(await next.put("k", bytes("two"))).toBeUndefined();
  expect(text(await next.get("k"))).toBe("two");
  const again = system.begin({ requestId: "r" });
  await again.put("k", bytes("three"));
  // Its last function writes nothing.
  const last = system.resume(await again.suspend());
  const { transactionId: committedBy } = first;
  expect(await last.commit()).toEqual({ kind: "committed", committedBy });
});

it("a copy of a function, with the same context, passes over what the first one has done", async () => {
  const system = open(createRuntime());
  const first = system.begin({ requestId: "r" });
  await first.put("a", bytes("first"));
  const context = await first.suspend();
  const [last, copy] = [system.resume(context), system.resume(context)];
  expect(await last.put("b", bytes("last"))).toBeUndefined();
  expect(await copy.put("b", bytes("copy"))).toBe("replayed");
  expect(await copy.commit()).toEqual(await last.commit());
});

it("of writes that overlap, the last one made decides who is the author, not the last one answered", async () => {
  const store = openStore(createRuntime());
  const answers = new Map<string, () => void>();
  const slow: ObjectStore = {
    ...store,
    write: async (key, head, value) => {
      const writer = await store.write(key, head, value);
      await new Promise<void>((resolve) => answers.set(key, resolve));
      return writer;
    },
  };
  const [other, system] = [store, slow].map((over) =>
    createObjectSystem({
      name: "objects",
      store: over,
      clock,
      prng: prng.fork(over === slow ? "slow" : "other"),
    }),
  ) as [StateSystem, StateSystem];
  const first = other.begin({ requestId: "r" });
  await first.put("a", bytes("first"));
  const second = system.begin({ requestId: "r" });
  const writes = [second.put("a", bytes("second")), second.put("b", bytes("second"))];
  await expect.poll(() => answers.size).toBe(2);
  answers.get("b")?.();
  expect(await writes[1]).toBeUndefined();
  answers.get("a")?.();
  expect(await writes[0]).toBe("replayed");
  expect(await second.commit()).toEqual({ kind: "committed" });
});

it("remembers a write for as long as it says, and then takes it for a new one", async () => {
  const store = openStore(createRuntime());
  const head: WriteHead = { request: "r", step: 1, attempt: "one", call: "c1" };
  const started = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: started });
  try {
    await store.write("k", head, bytes("1"));
    vi.setSystemTime(started + retentionMs);
    const other: WriteHead = { ...head, request: "other" };
    await store.write("k", other, bytes("2"));
    expect(await store.write("k", { ...head, call: "c2" }, bytes("1"))).toMatchObject({
      call: "c1",
    });
    vi.setSystemTime(started + retentionMs + 1);
    await store.write("k", { ...other, step: 2 }, bytes("3"));
    expect(await store.write("k", { ...head, call: "c3" }, bytes("4"))).toMatchObject({
      call: "c3",
    });
  } finally {
    vi.useRealTimers();
  }
});

it("a call that is sent again is the same write, and the next write of the key another one", async () => {
  const store = openStore(createRuntime());
  const head: WriteHead = { request: "r", step: 1, attempt: "one", call: "c1" };
  expect(await store.write("k", head, bytes("1"))).toEqual({ attempt: "one", call: "c1" });
  expect(await store.write("k", head, bytes("1"))).toEqual({ attempt: "one", call: "c1" });
  const next: WriteHead = { ...head, step: 2, call: "c2" };
  expect(await store.write("k", next, bytes("2"))).toEqual({ attempt: "one", call: "c2" });
  // A copy of the first one that comes late.
  expect(await store.write("k", head, bytes("1"))).toEqual({ attempt: "one", call: "c1" });
  expect(text(await store.read("k"))).toBe("2");
});

it("a write that failed is not said to be committed", async () => {
  const store = openStore(createRuntime());
  const failing: ObjectStore = { ...store, write: () => Promise.reject(new Error("lost")) };
  const system = createObjectSystem({ name: "objects", store: failing, clock, prng });
  const session = system.begin({ requestId: "r" });
  await expect(session.put("k", bytes("v"))).rejects.toThrow("lost");
  expect(await session.commit()).toMatchObject({
    kind: "unknown",
    reason: expect.stringContaining("lost"),
  });
});

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : new TextDecoder().decode(value);
}
