/**
 * Goal    The chooser draws Zipf's distribution, also at the skews where YCSB's does not.
 * Method  Chi-square of the ranks against the exact probabilities, pooled so that every cell expects
 *         at least 20; critical value for p = 0.001 by Wilson and Hilferty's approximation. Seeded.
 */
import { describe, expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { createZipf } from "./zipf.ts";

const draws = 200_000;
const keys = 1_000;

describe.each([0, 0.5, 0.99, 1, 1.5, 2])("zipf %d", (theta) => {
  it("fits its probabilities", () => {
    const zipf = createZipf(keys, theta);
    const prng = createPrng(7).fork(`zipf ${theta}`);
    const seen = new Float64Array(keys);
    for (let draw = 0; draw < draws; draw += 1) {
      const rank = zipf.next(prng);
      seen[rank] = (seen[rank] ?? 0) + 1;
    }
    const { statistic, degrees } = chiSquare(seen, (rank) => zipf.probability(rank) * draws);
    expect(statistic).toBeLessThan(critical(degrees));
  });

  it("would not fit a neighbouring skew", () => {
    const zipf = createZipf(keys, theta);
    const other = createZipf(keys, theta + 0.05);
    const prng = createPrng(7).fork(`zipf ${theta}`);
    const seen = new Float64Array(keys);
    for (let draw = 0; draw < draws; draw += 1) {
      const rank = other.next(prng);
      seen[rank] = (seen[rank] ?? 0) + 1;
    }
    const { statistic, degrees } = chiSquare(seen, (rank) => zipf.probability(rank) * draws);
    expect(statistic).toBeGreaterThan(critical(degrees));
  });
});

it("reaches every key", () => {
  const zipf = createZipf(50, 1.5);
  const prng = createPrng(3);
  const seen = new Set<number>();
  for (let draw = 0; draw < 50_000; draw += 1) seen.add(zipf.next(prng));
  expect(seen.size).toBe(50);
});

function chiSquare(
  seen: Float64Array,
  expected: (rank: number) => number,
): { statistic: number; degrees: number } {
  let statistic = 0;
  let degrees = -1;
  let seenCell = 0;
  let expectedCell = 0;
  for (const [rank, count] of seen.entries()) {
    seenCell += count;
    expectedCell += expected(rank);
    if (expectedCell < 20) continue;
    statistic += (seenCell - expectedCell) ** 2 / expectedCell;
    degrees += 1;
    seenCell = 0;
    expectedCell = 0;
  }
  return { statistic, degrees };
}

function critical(degrees: number): number {
  const z = 3.09;
  const term = 2 / (9 * degrees);
  return degrees * (1 - term + z * Math.sqrt(term)) ** 3;
}
