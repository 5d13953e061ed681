/**
 * Goal    Each statistic gives the known answer.
 * Method  Values from the literature (source at each), and properties that must hold.
 */
import { describe, expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { samplesForPercentile, upperRateBound } from "./binomial.ts";
import { ratioOfBlocks } from "./bootstrap.ts";
import { median, quantile } from "./quantile.ts";

describe("upperRateBound", () => {
  it("is the rule of three for nothing seen", () => {
    // Exact: 1 - 0.05^(1/n).
    expect(upperRateBound(0, 10_000, 0.95)).toBeCloseTo(1 - 0.05 ** (1 / 10_000), 9);
    expect(upperRateBound(0, 10, 0.95)).toBeCloseTo(0.2589, 4);
  });

  it("matches the two-sided 95 % table at 97.5 %", () => {
    // Clopper and Pearson: 1 of 10 has the interval 0.0025 … 0.4450; 5 of 10 0.1871 … 0.8129.
    expect(upperRateBound(1, 10, 0.975)).toBeCloseTo(0.445, 3);
    expect(upperRateBound(5, 10, 0.975)).toBeCloseTo(0.8129, 4);
  });

  it("knows nothing from nothing", () => {
    expect(upperRateBound(0, 0, 0.95)).toBe(1);
    expect(upperRateBound(7, 7, 0.95)).toBe(1);
  });
});

it("needs 459 samples for p99 and 4,603 for p99.9 (MEASURING rule 4)", () => {
  expect(samplesForPercentile(0.99)).toBe(459);
  expect(samplesForPercentile(0.999)).toBe(4_603);
});

it("interpolates quantiles as type 7 of Hyndman and Fan", () => {
  expect(quantile([1, 2, 3, 4], 0.25)).toBe(1.75);
  expect(median([3, 1, 2])).toBe(2);
  expect(median([])).toBeNaN();
});

describe("ratioOfBlocks", () => {
  it("covers 1.0 for equal systems in about 95 of 100 cases", () => {
    const prng = createPrng(11);
    const noisy = (): number[] => Array.from({ length: 15 }, () => 100 * (1 + prng.next()));
    let covered = 0;
    for (let trial = 0; trial < 200; trial += 1) {
      const { low, high } = ratioOfBlocks(noisy(), noisy(), prng.fork(`${trial}`));
      if (low <= 1 && high >= 1) covered += 1;
    }
    expect(covered).toBeGreaterThanOrEqual(180);
    expect(covered).toBeLessThanOrEqual(200);
  });

  it("finds a difference, and the same one for the same seed", () => {
    const baseline = [10, 11, 9, 10, 10, 12];
    const candidate = baseline.map((value) => value * 1.5);
    const estimate = ratioOfBlocks(candidate, baseline, createPrng(1));
    expect(estimate.median).toBeCloseTo(1.5);
    expect(estimate.low).toBeGreaterThan(1.4);
    expect(ratioOfBlocks(candidate, baseline, createPrng(1))).toEqual(estimate);
  });
});
