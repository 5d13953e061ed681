import { expect, it } from "vitest";
import { storageKey } from "#shim/storage/port.ts";
import { RetainedNames } from "./retained-names.ts";

const names = (from: number, to: number) =>
  Array.from({ length: to - from }, (_unused, at) => storageKey(`aft/c/${from + at}`));

it("gives names when they are due, in order, until they are dropped", () => {
  const kept = new RetainedNames();
  for (const name of names(0, 150)) kept.push(name, 1_000);
  for (const name of names(150, 160)) kept.push(name, 2_000);
  expect(kept.nextDueMs).toBe(1_000);
  expect(kept.due(999).names).toEqual([]);
  expect(kept.due(1_000).names).toEqual(names(0, 150));
  const due = kept.due(1_500);
  expect(due.names).toEqual(names(0, 150));
  // What comes meanwhile is not dropped with them.
  kept.push(storageKey("aft/c/late"), 3_000);
  due.drop();
  expect(kept.nextDueMs).toBe(2_000);
  expect(kept.due(3_000).names).toEqual([...names(150, 160), "aft/c/late"]);
  kept.due(3_000).drop();
  expect(kept.nextDueMs).toBe(Infinity);
  expect(kept.due(9_000).names).toEqual([]);
});
