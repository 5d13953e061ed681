/** Goal  Behaves as `Map` does, whatever the ids: also while it grows, shrinks, and closes gaps around its end. */
import { expect, it } from "vitest";
import fc from "fast-check";
import { UuidMap } from "./uuid-map.ts";

/** Few, and many of them with the same hash: only the last twelve characters of the first 36 count. */
const few = fc
  .tuple(fc.constantFrom("018bcfe5", "018bcfe6", "018bcfe7"), fc.integer({ min: 0, max: 9 }))
  .map(([time, end]) => `${time}-6df1-760d-bac8-${String(end).padStart(12, "0")}`);
const ids = fc.oneof(
  few,
  fc.uuid(),
  few.map((uuid) => `${uuid}.tag`),
  fc.constantFrom("", "a", "b"),
);
const steps = fc.array(
  fc.record({ id: ids, what: fc.constantFrom("set", "set", "delete", "get"), value: fc.nat() }),
  { maxLength: 300 },
);

const sorted = (values: Iterable<number>): number[] => [...values].toSorted((a, b) => a - b);

it("does what Map does", () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const map = new UuidMap<number>();
      const oracle = new Map<string, number>();
      for (const { id, what, value } of taken) {
        if (what === "set") {
          map.set(id, value);
          oracle.set(id, value);
        } else if (what === "delete") expect(map.delete(id)).toBe(oracle.delete(id));
        expect(map.get(id)).toBe(oracle.get(id));
        expect(map.has(id)).toBe(oracle.has(id));
        expect(map.size).toBe(oracle.size);
      }
      expect(sorted(map.values())).toEqual(sorted(oracle.values()));
      for (const [id, value] of oracle) expect(map.get(id)).toBe(value);
    }),
    { numRuns: 300 },
  );
});

it("holds thousands, and lets go of their room", () => {
  const map = new UuidMap<number>();
  const idOf = (number: number): string =>
    `018bcfe5-6df1-760d-bac8-${number.toString(16).padStart(12, "0")}`;
  for (let number = 0; number < 20_000; number += 1) map.set(idOf(number), number);
  for (let number = 0; number < 20_000; number += 1) expect(map.get(idOf(number))).toBe(number);
  for (let number = 0; number < 19_990; number += 1) expect(map.delete(idOf(number))).toBe(true);
  expect(sorted(map.values())).toEqual(
    Array.from({ length: 10 }, (_unused, index) => 19_990 + index),
  );
});
