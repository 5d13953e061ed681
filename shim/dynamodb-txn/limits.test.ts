/**
 * Goal    What DynamoDB would refuse is refused before it is sent, at the operation that goes too far.
 * Method  The documented limits, at and one above each.
 */
import { describe, expect, it } from "vitest";
import { StateError } from "#shim/state/port.ts";
import { checkReads, KeptSizes } from "./limits.ts";

function kept(count: number, bytes: number): KeptSizes {
  const sizes = new KeptSizes();
  for (let index = 0; index < count; index += 1) sizes.add(`k${index}`, bytes);
  return sizes;
}

function refusal(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    if (error instanceof StateError) return { code: error.code, disposition: error.disposition };
    throw error;
  }
  return "taken";
}

const limitExceeded = { code: "limit_exceeded", disposition: "abort" };

describe("a DynamoDB transaction", () => {
  it("has 100 actions, one of which is the request's record", () => {
    const sizes = kept(99, 10);
    expect(refusal(() => sizes.add("k0", 20))).toBe("taken");
    expect(refusal(() => sizes.add("another", 10))).toEqual(limitExceeded);
  });

  it("has 4 MB, counting the last write of each key", () => {
    const sizes = kept(10, 400_000);
    expect(refusal(() => sizes.add("more", 400_000))).toEqual(limitExceeded);
    sizes.add("k0", 1_000);
    expect(refusal(() => sizes.add("more", 400_000))).toBe("taken");
  });

  it("has items of 400 KB with their names, and keys of 2,048 bytes", () => {
    expect(refusal(() => kept(1, 409_000))).toBe("taken");
    expect(refusal(() => kept(1, 409_600))).toEqual(limitExceeded);
    expect(refusal(() => new KeptSizes().add("ü".repeat(1_024), 1))).toEqual(limitExceeded);
  });

  it("reads 100 items at once", () => {
    const keys = Array.from({ length: 101 }, (_unused, index) => `k${index}`);
    expect(refusal(() => checkReads(keys.slice(1)))).toBe("taken");
    expect(refusal(() => checkReads(keys))).toEqual(limitExceeded);
  });
});
