/**
 * Goal    The contract can fail: what does not keep a promise does not pass for keeping it.
 * Method  Plain storage keeps every clause that is for all, and breaks nearly every promise: it is held to
 *         all of them, and the clauses that it breaks are named.
 */
import { expect, it } from "vitest";
import { checkContract } from "#kit/contract.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { describeContract } from "#kit/testing/describe-contract.ts";
import { createDirectSystem } from "#shim/direct/direct-system.ts";
import { counted } from "#shim/storage/counted.ts";
import { StorageClosedError } from "#shim/storage/errors.ts";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import type { StorageEngine } from "#shim/storage/port.ts";
import type { StateContractSubject } from "./contract/subject.ts";
import type { StatePromise } from "./registry.ts";
import { openStateContract, stateContract } from "./state.contract.ts";

const clock = createSystemClock();
const prng = createPrng(20_261_126);

/** The same bytes, opened and closed on their own. */
function share(engine: StorageEngine): StorageEngine {
  const { engine: shared } = counted(engine);
  let isClosed = false;
  return {
    ...shared,
    get: (key) =>
      isClosed
        ? Promise.reject(
            new StorageClosedError({ engine: "memory", operation: "get", key, effect: "none" }),
          )
        : shared.get(key),
    close: () => {
      isClosed = true;
      return Promise.resolve();
    },
  };
}

function plainStorage(promises: readonly StatePromise[]): StateContractSubject {
  const engine = createMemoryEngine();
  let opened = 0;
  const open = () => {
    opened += 1;
    const ids = prng.fork(`ids ${opened}`);
    return Promise.resolve(createDirectSystem({ engine: share(engine), clock, prng: ids }));
  };
  return { promises, clock, open, seenWithinMs: 100 };
}

describeContract("state contract: direct over memory", stateContract, () =>
  openStateContract(plainStorage(["session-order"])),
);

it("finds every promise that plain storage does not keep", async () => {
  const all: StatePromise[] = [
    "read-atomic",
    "read-your-writes",
    "repeatable-read",
    "exactly-once",
  ];
  const { subject, cleanUp } = await openStateContract(plainStorage(all));
  const results = await checkContract({ clauses: stateContract, subject, clock, limitMs: 30_000 });
  await cleanUp();
  const broken = results.filter(({ outcome }) => outcome === "broken").map(({ name }) => name);
  const ofPromises = stateContract
    .map(({ name }) => name)
    .filter((name) => all.some((promise) => name.startsWith(promise)));
  expect(broken).toEqual(ofPromises);
  expect(ofPromises).toHaveLength(7);
});

it("a clause that never ends is broken, and one that is not for the subject says why", async () => {
  const results = await checkContract({
    clauses: [
      { name: "never ends", check: () => new Promise<void>(() => {}) },
      { name: "not for it", notFor: () => "why not", check: () => Promise.reject(new Error("no")) },
      { name: "kept", check: () => Promise.resolve() },
    ],
    subject: undefined,
    clock,
    limitMs: 20,
  });
  expect(results).toEqual([
    { name: "never ends", outcome: "broken", reason: "not done within 20 ms" },
    { name: "not for it", outcome: "not for it", reason: "why not" },
    { name: "kept", outcome: "kept" },
  ]);
});
