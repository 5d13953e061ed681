/**
 * Goal    Reading a large commit set leaves the process able to answer, and reads nothing twice.
 * Method  The memory engine, which like all embedded ones answers without the event loop.
 */
import { expect, it } from "vitest";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import { createNames } from "../protocol/names.ts";
import { encodeOutcome } from "../protocol/record-codec.ts";
import { key } from "../protocol/types.ts";
import { readCommitSet } from "./recovery.ts";

const names = createNames("aft");
const clock = createSystemClock();

it("whoever reads a large commit set answers others meanwhile", async () => {
  const engine = createMemoryEngine();
  const count = 5_500;
  for (let index = 0; index < count; index += 1) {
    const uuid = `01890000-0000-7000-8000-${String(index).padStart(12, "0")}`;
    const record = {
      id: { timestampUs: 1 + index, uuid },
      writeSet: new Set([key("x")]),
      requestId: "r",
    };
    await engine.put(names.commit(uuid), encodeOutcome({ kind: "committed", record }));
  }
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
