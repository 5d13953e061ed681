/**
 * Goal    Numbers say what they stand on.
 */
import { describe, expect, it } from "vitest";
import { formatConfidence } from "./format.ts";

describe("formatConfidence", () => {
  const ratio = { median: 1, low: 0.9, high: 1.1 };

  it("is what the interval has, not what one would like", () => {
    expect(formatConfidence({ name: "a", ratio, blocks: 12, confidence: 0.95 })).toBe("95 %");
    expect(formatConfidence({ name: "a", ratio, blocks: 5, confidence: 0.9375 })).toBe("93.8 %");
    expect(formatConfidence({ name: "a", ratio, blocks: 1, confidence: 0 })).toMatch(/no interval/);
  });

  it("is worked out for documents that do not say it", () => {
    expect(formatConfidence({ name: "a", ratio, blocks: 3 })).toBe("75 %");
    expect(formatConfidence({ name: "a", ratio, blocks: 10 })).toBe("95 %");
  });
});
