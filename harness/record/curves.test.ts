import { describe, expect, it } from "vitest";
import { LatencyHistogram } from "#harness/metrics/histogram.ts";
import { curveOf } from "./curves.ts";

function of(count: number): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (let value = 1; value <= count; value += 1) histogram.record(value * 10);
  return histogram;
}

describe("a percentile curve", () => {
  it("ends where the sample no longer supports the quantile: p99 needs 459", () => {
    const reaches = (count: number): number => curveOf(of(count)).points.at(-1)?.quantile ?? 0;
    expect(reaches(459)).toBeCloseTo(0.99, 10);
    expect(reaches(458)).toBeLessThan(0.99);
    expect(reaches(4_603)).toBeCloseTo(0.999, 10);
  });

  it("rises, and has the histogram's own values", () => {
    const histogram = of(1_000);
    const { points, count } = curveOf(histogram);
    expect(count).toBe(1_000);
    for (const [index, { us, quantile, oneIn }] of points.entries()) {
      expect(us).toBeGreaterThanOrEqual(points[index - 1]?.us ?? 0);
      expect(us).toBe(histogram.percentile(quantile));
      expect(oneIn).toBeCloseTo(1 / (1 - quantile), 6);
    }
  });

  it("of nothing has no points", () => {
    expect(curveOf(new LatencyHistogram()).points).toEqual([]);
  });
});
