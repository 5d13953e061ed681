/**
 * Goal    Percentiles are those of the samples, to three digits, or are not given.
 * Method  Properties against exact quantiles; each guard once.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  BadSampleError,
  highestTrackableUs,
  LatencyHistogram,
  readHistogramLog,
  writeHistogramLog,
} from "./histogram.ts";

const arbSamples = fc.array(fc.nat({ max: 60_000_000 }), { minLength: 500, maxLength: 800 });

function histogramOf(samples: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const sample of samples) histogram.record(sample);
  return histogram;
}

describe("LatencyHistogram", () => {
  it("agrees with exact quantiles to three digits", () => {
    fc.assert(
      fc.property(arbSamples, fc.constantFrom(0.5, 0.9, 0.99), (samples, q) => {
        const sorted = samples.toSorted((a, b) => a - b);
        const exact = sorted[Math.ceil(q * sorted.length) - 1] ?? 0;
        const given = histogramOf(samples).percentile(q);
        if (typeof given !== "number") throw new Error("supported by 500 samples");
        expect(Math.abs(given - exact)).toBeLessThanOrEqual(Math.max(1, exact * 0.002));
      }),
      { numRuns: 60 },
    );
  });

  it("merges into the histogram of the union, and survives its log", () => {
    fc.assert(
      fc.property(arbSamples, arbSamples, (a, b) => {
        const union = histogramOf([...a, ...b]).summary();
        const merged = histogramOf(a);
        merged.merge(histogramOf(b));
        expect(merged.summary()).toEqual(union);
        const log = writeHistogramLog(
          [a, b].map((samples) => ({
            tag: "service,time",
            startMs: 1_000,
            endMs: 2_000,
            histogram: histogramOf(samples),
          })),
          1_000,
        );
        expect(readHistogramLog(log).get("service-time")?.summary()).toEqual(union);
      }),
      { numRuns: 15 },
    );
  });

  it.each([0.5, -1, Number.NaN, Infinity])("refuses %d", (sample) => {
    expect(() => {
      new LatencyHistogram().record(sample);
    }).toThrow(BadSampleError);
  });

  it("counts what it clips", () => {
    const histogram = histogramOf([1, highestTrackableUs + 1]);
    expect(histogram.clipped).toBe(1);
    expect(histogram.count).toBe(2);
  });

  it("gives no percentile that the sample cannot support", () => {
    const histogram = histogramOf(Array.from({ length: 458 }, (_unused, index) => index));
    expect(histogram.percentile(0.99)).toEqual({ need: 459, have: 458 });
    histogram.record(1);
    expect(typeof histogram.percentile(0.99)).toBe("number");
  });
});
