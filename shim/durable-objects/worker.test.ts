/**
 * Goal    The worker that durable objects run keeps the state contract, and does each write once.
 * Method  Its own code over real SQLite databases, one for each object, without the runtime around it; what the
 *         runtime does beyond that is tested where it is installed (`#shim/objects/objects.e2e.ts`).
 */
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import type { Clock } from "#kit/clock.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { describeContract } from "#kit/testing/describe-contract.ts";
import { decodeFound, encodeWrite, type WriteHead, type Writer } from "#shim/objects/frame.ts";
import { createObjectSystem } from "#shim/objects/object-system.ts";
import type { ObjectStore } from "#shim/objects/store.ts";
import { StateError, type StateSystem } from "#shim/state/port.ts";
import { openStateContract, stateContract } from "#shim/state/state.contract.ts";
import { durableRoutes } from "./routes.ts";
import worker, { ValueObject } from "./worker.ts";

type Environment = Parameters<typeof worker.fetch>[1];
const clock = createSystemClock();
const prng = createPrng(20_261_127);

/** As much of the runtime as the worker sees. */
function createRuntime(): Environment {
  const objects = new Map<unknown, ValueObject>();
  return {
    VALUES: {
      idFromName: (name) => name,
      get: (id) => {
        const object = objects.get(id) ?? new ValueObject({ storage: createObjectStorage() });
        objects.set(id, object);
        return object;
      },
    },
  };
}

function createObjectStorage(): ConstructorParameters<typeof ValueObject>[0]["storage"] {
  const database = new DatabaseSync(":memory:");
  return {
    sql: {
      exec: <T>(query: string, ...bindings: unknown[]) => {
        if (bindings.length === 0 && query.includes("CREATE")) {
          database.exec(query);
          return cursor<T>([]);
        }
        return cursor(database.prepare(query).all(...(bindings as string[])) as T[]);
      },
    },
    transactionSync: (work) => {
      database.exec("BEGIN");
      try {
        const result = work();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
  };
}

function cursor<T>(rows: T[]): Iterable<T> & { toArray(): T[] } {
  return Object.assign(rows.values(), { toArray: () => rows });
}

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
