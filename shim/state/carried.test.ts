/**
 * Goal    Kept writes survive the way to the next function, and what is too large for it is refused.
 * Method  Properties over any keys and bytes; the size against JSON itself.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { carriedBytes, checkCarried, defaultMaxContextBytes, WriteBuffer } from "./carried.ts";
import { StateError } from "./port.ts";

const entries = fc.array(
  fc.tuple(
    fc.oneof(fc.constantFrom("k", "__proto__", "w/", 'q"\\ü'), fc.string({ unit: "binary" })),
    fc.uint8Array({ maxLength: 40 }),
  ),
  { maxLength: 8 },
);

function bufferOf(writes: readonly (readonly [string, Uint8Array])[]): WriteBuffer {
  const buffer = new WriteBuffer();
  for (const [key, value] of writes) buffer.set(key, value);
  return buffer;
}

it("arrives as it was: the last value of each key, through JSON", () => {
  fc.assert(
    fc.property(entries, (writes) => {
      const carried = JSON.parse(JSON.stringify({ seen: 3, ...bufferOf(writes).toCarried() })) as {
        seen: number;
      };
      const arrived = WriteBuffer.fromCarried(carried);
      const expected = new Map(writes);
      expect(arrived.size).toBe(expected.size);
      for (const [key, value] of expected)
        expect(Buffer.from(value).equals(arrived.get(key) ?? Buffer.from("missing"))).toBe(true);
    }),
  );
});

it("knows what a context takes as JSON, never less and hardly more", () => {
  fc.assert(
    fc.property(entries, fc.string(), (writes, other) => {
      const carried = { other, count: 7, ...bufferOf(writes).toCarried() };
      const json = Buffer.byteLength(JSON.stringify(carried));
      expect(carriedBytes(carried)).toBeGreaterThanOrEqual(json);
      expect(carriedBytes(carried)).toBeLessThanOrEqual(json + 1);
    }),
  );
});

it("refuses a context above the limit and says what to do, and takes one at it", () => {
  const fits = bufferOf([["k", new Uint8Array(4_600_000)]]).toCarried();
  expect(checkCarried(fits, defaultMaxContextBytes)).toBe(fits);
  expect(checkCarried(fits, carriedBytes(fits))).toBe(fits);
  const large = bufferOf([["k", new Uint8Array(5_000_000)]]).toCarried();
  const refusal = (): unknown => checkCarried(large, defaultMaxContextBytes);
  expect(refusal).toThrow(StateError);
  expect(refusal).toThrow(/write less before the last function, or commit/);
});

it("bounds what one function keeps", () => {
  const buffer = bufferOf([["k", new Uint8Array(200 * 1_048_576)]]);
  expect(() => {
    buffer.set("other", new Uint8Array(57 * 1_048_576));
  }).toThrow(/split it/);
  buffer.set("k", new Uint8Array(1));
  buffer.set("other", new Uint8Array(57 * 1_048_576));
  expect(buffer.size).toBe(2);
});
