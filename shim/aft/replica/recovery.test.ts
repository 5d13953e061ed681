/**
 * Goal    Reading a large commit set leaves the process able to answer, and reads nothing twice.
 * Method  The memory engine, which like all embedded ones answers without the event loop.
 */
import { expect, it } from "vitest";
import { delay } from "#kit/clock.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import type { StorageEngine } from "#shim/storage/port.ts";
import { createNames } from "../protocol/names.ts";
import { encodeOutcome } from "../protocol/record-codec.ts";
import { key } from "../protocol/types.ts";
import { readCommitSet } from "./recovery.ts";

const names = createNames("aft");
const clock = createSystemClock();

async function fill(engine: StorageEngine, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const uuid = `01890000-0000-7000-8000-${String(index).padStart(12, "0")}`;
    const record = {
      id: { timestampUs: 1 + index, uuid },
      writeSet: new Set([key("x")]),
      requestId: "r",
    };
    await engine.put(names.commit(uuid), encodeOutcome({ kind: "committed", record }));
  }
}

it("whoever reads a large commit set answers others meanwhile", async () => {
  const engine = createMemoryEngine();
  const count = 5_500;
  await fill(engine, count);
  let turns = 0;
  let reading = true;
  const count1 = (): void => {
    turns += 1;
    if (reading) clock.defer(count1);
  };
  clock.defer(count1);
  let read = 0;
  await readCommitSet({
    engine,
    names,
    clock,
    onOutcome: () => {
      read += 1;
    },
    onCorrupt: (error) => {
      throw error;
    },
  });
  reading = false;
  expect(read).toBe(count);
  // Pages hold a thousand.
  expect(turns).toBeGreaterThanOrEqual(5);
});

it("a page that fails long before its turn fails the whole, and nothing else", async () => {
  const store = createMemoryEngine();
  await fill(store, 5_500);
  let asked = 0;
  const engine: StorageEngine = {
    ...store,
    list: async (prefix, options) => {
      // Longer than it takes for a rejection that nobody has looked at to end the process.
      await delay(clock, 2_000);
      return store.list(prefix, options);
    },
    multiGet: (keys) => {
      asked += 1;
      return asked === 2 ? Promise.reject(new Error("page 2")) : store.multiGet(keys);
    },
  };
  let read = 0;
  const reading = readCommitSet({
    engine,
    names,
    clock,
    onOutcome: () => {
      read += 1;
    },
    onCorrupt: (error) => {
      throw error;
    },
  });
  await expect(reading).rejects.toThrow("page 2");
  expect(read).toBe(1_000);
});
