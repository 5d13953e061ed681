/**
 * Goal    Intervals, second opinion and change points give published answers and cover what they say.
 * Method  1. Published values, source at each.
 *         2. Coverage counted on seeded series with known truth.
 *         3. A dumb oracle: all arrangements, all splits.
 */
import { describe, expect, it } from "vitest";
import { createPrng, type Prng } from "#kit/prng.ts";
import { rateInterval, supportsPercentile } from "./binomial.ts";
import { ratioOfBlocks, ratioOfPooledQuantiles, ratioOfRates } from "./bootstrap.ts";
import { changePoints, energyStatistic } from "./change-point.ts";
import { mannWhitney } from "./mann-whitney.ts";

describe("Clopper-Pearson", () => {
  it.each([
    // scipy.stats.binomtest(k, n).proportion_ci(0.95, "exact"), SciPy 1.17.1.
    [0, 10, 0, 0.308_497_107_8],
    [1, 10, 0.002_528_578_5, 0.445_016_117],
    [5, 10, 0.187_086_028_4, 0.812_913_971_6],
    [10, 10, 0.691_502_892_2, 1],
    [7, 20, 0.153_909_204_8, 0.592_188_534_5],
    [3, 10_000, 0.000_061_871_5, 0.000_876_474_5],
    [50, 5_000, 0.007_431_047, 0.013_162_738_3],
  ])("%i of %i", (seen, trials, low, high) => {
    const interval = rateInterval(seen, trials, 0.95);
    expect(interval.low).toBeCloseTo(low, 8);
    expect(interval.high).toBeCloseTo(high, 8);
  });

  it("knows which sample supports which percentile", () => {
    expect([supportsPercentile(0.99, 458), supportsPercentile(0.99, 459)]).toEqual([false, true]);
  });
});

describe("mannWhitney", () => {
  it("is exact for small samples (SciPy's documentation of mannwhitneyu)", () => {
    const answer = mannWhitney([19, 22, 16, 29, 24], [20, 11, 17, 12]);
    expect(answer).toMatchObject({ u: 17, method: "exact" });
    expect(answer.p).toBeCloseTo(1 / 9, 12);
  });

  it("corrects for ties (R's wilcox.test: W = 51.5, p-value = 0.5966)", () => {
    const x = [1, 5, 9, 24, 56, 21, 3, 7, 21, 4];
    const y = [12, 15, 5, 9, 9, 14, 56, 22, 3, 7, 32, 5];
    const answer = mannWhitney(x, y);
    expect(answer).toMatchObject({ u: 51.5, method: "normal" });
    expect(answer.p).toBeCloseTo(0.596_597, 5);
  });

  it("agrees with all arrangements of seven values", () => {
    const values = [1, 2, 3, 4, 5, 6, 7];
    const all = choose(values, 3).map((x) => ({
      x,
      y: values.filter((value) => !x.includes(value)),
    }));
    const distances = all.map(({ x, y }) => Math.abs(mannWhitney(x, y).u - 6));
    for (const [index, { x, y }] of all.entries()) {
      const own = distances[index] ?? 0;
      const share = distances.filter((distance) => distance >= own).length / all.length;
      expect(mannWhitney(x, y).p).toBeCloseTo(Math.min(1, share), 12);
    }
  });

  it("finds nothing in equal values", () => {
    expect(mannWhitney([3, 3, 3], [3, 3, 3]).p).toBe(1);
  });
});

describe("bootstrap over blocks", () => {
  it("says what three blocks can support", () => {
    const estimate = ratioOfBlocks([11, 12, 13], [10, 10, 10], createPrng(1));
    expect(estimate).toMatchObject({ low: 1.1, high: 1.3, blocks: 3, confidence: 0.75 });
  });

  // Heavy upper tail and a drift both sides share, as on a busy machine. Binomial error at 400: 2 %.
  it.each([6, 8, 12, 20])("covers the true ratio with %i blocks", (blocks) => {
    const prng = createPrng(blocks);
    let covered = 0;
    for (let trial = 0; trial < 400; trial += 1) {
      const drift = Array.from({ length: blocks }, (_unused, at) => 100 + 10 * at);
      const noisy = (scale: number): number[] =>
        drift.map((level) => scale * level * (1 + 0.1 * exponential(prng)));
      const { low, high } = ratioOfBlocks(noisy(1.2), noisy(1), prng);
      if (low <= 1.2 && high >= 1.2) covered += 1;
    }
    expect(covered / 400).toBeGreaterThanOrEqual(0.92);
    expect(covered / 400).toBeLessThanOrEqual(0.99);
  });

  it("compares rates as all requests over all time", () => {
    const pair = (count: number, base: number): Parameters<typeof ratioOfRates>[0][number] => ({
      candidate: { count, seconds: 2 },
      baseline: { count: base, seconds: 1 },
    });
    const estimate = ratioOfRates([pair(10, 10), pair(30, 10)], createPrng(1));
    expect(estimate).toMatchObject({ median: 1, low: 0.5, high: 1.5 });
  });

  it("covers the ratio of 99th percentiles that no block supports alone", () => {
    const prng = createPrng(5);
    let covered = 0;
    for (let trial = 0; trial < 100; trial += 1) {
      const pairs = Array.from({ length: 10 }, () => ({
        candidate: Array.from({ length: 60 }, () => 1.5 * (5 + exponential(prng))),
        baseline: Array.from({ length: 60 }, () => 5 + exponential(prng)),
      }));
      const { low, high } = ratioOfPooledQuantiles(pairs, 0.99, prng);
      if (low <= 1.5 && high >= 1.5) covered += 1;
    }
    expect(covered).toBeGreaterThanOrEqual(85);
  });
});

describe("changePoints", () => {
  it("finds the Nile's change of 1899 and nothing else (Cobb 1978; R's datasets::Nile)", () => {
    const found = changePoints(nile, { prng: createPrng(1) });
    expect(found.map(({ index }) => 1871 + index)).toEqual([1899]);
    // Medians of the two parts of the published series.
    expect(found[0]).toMatchObject({ before: 1130, after: 842.5 });
  });

  it("raises a false alarm in about one of twenty steady histories", () => {
    const prng = createPrng(9);
    let alarms = 0;
    for (let trial = 0; trial < 60; trial += 1) {
      const steady = Array.from({ length: 24 }, () => 100 + exponential(prng));
      if (changePoints(steady, { prng }).length > 0) alarms += 1;
    }
    expect(alarms).toBeLessThanOrEqual(8);
  });

  it("splits where the energy statistic, computed pair by pair, is largest", () => {
    const values = [5, 4, 6, 5, 4, 9, 8, 10, 9, 11];
    const oracle = [3, 4, 5, 6, 7].map((at) => ({
      at,
      statistic: energyStatistic(values.slice(0, at), values.slice(at)),
    }));
    const best = oracle.toSorted((a, b) => b.statistic - a.statistic)[0];
    const found = changePoints(values, { prng: createPrng(2) });
    expect(found.map(({ index }) => index)).toEqual([best?.at]);
  });

  it("has an answer for no history and for a constant one", () => {
    expect(changePoints([], { prng: createPrng(1) })).toEqual([]);
    expect(
      changePoints(
        Array.from({ length: 12 }, () => 7),
        { prng: createPrng(1) },
      ),
    ).toEqual([]);
  });
});

function exponential(prng: Prng): number {
  return -Math.log(1 - prng.next());
}

function choose(values: readonly number[], count: number): number[][] {
  if (count === 0) return [[]];
  return values.flatMap((value, index) =>
    choose(values.slice(index + 1), count - 1).map((rest) => [value, ...rest]),
  );
}

/** Annual flow at Aswan, 1871-1970, 10^8 cubic metres. */
const nile = [
  1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180,
  799, 958, 1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701,
  916, 692, 1020, 1050, 969, 831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862,
  698, 845, 744, 796, 1040, 759, 781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812,
  742, 801, 1040, 860, 874, 848, 890, 744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906,
  901, 1170, 912, 746, 919, 718, 714, 740,
];
