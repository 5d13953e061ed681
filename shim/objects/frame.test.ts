/**
 * Goal    What objects are sent and answer arrives as it was.
 * Method  Round trips of anything; a broken frame is refused.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeFound, decodeWrite, encodeFound, encodeWrite } from "./frame.ts";

const head = { request: "tag", step: 1, attempt: "a ü", call: "c" };

it("a write arrives as it was, also without a byte, and from within a larger buffer", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.string(), fc.nat(), (value, attempt, step) => {
      const frame = encodeWrite({ ...head, attempt, step }, value);
      const moved = new Uint8Array(frame.length + 3);
      moved.set(frame, 3);
      const decoded = decodeWrite(moved.subarray(3));
      expect(decoded.head).toEqual({ ...head, attempt, step });
      expect([...decoded.value]).toEqual([...value]);
    }),
  );
});

it("no value and an empty one are different", () => {
  expect(decodeFound(encodeFound(undefined))).toBeUndefined();
  expect(decodeFound(encodeFound(new Uint8Array()))).toEqual(new Uint8Array());
  expect(decodeFound(encodeFound(Uint8Array.of(0, 7)))).toEqual(Uint8Array.of(0, 7));
});

it("a frame that was cut off is refused", () => {
  const frame = encodeWrite(head, new Uint8Array());
  expect(() => decodeWrite(frame.subarray(0, frame.length - 1))).toThrow(RangeError);
  expect(() => decodeWrite(new Uint8Array(2))).toThrow(RangeError);
});
