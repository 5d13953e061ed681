/**
 * @module Zipfian choice of a rank: exact for every theta from 0 up, 1.0 and above included.
 *
 * Inverse of the cumulative distribution by binary search over a table; YCSB's closed form is
 * wrong at and above 1 (MEASURING rule 15). Memory: 8 bytes a key.
 */
import type { Prng } from "#kit/prng.ts";

/** Draws ranks 0 … count-1; rank r has probability proportional to 1 / (r+1)^theta. */
export interface RankChooser {
  next(prng: Prng): number;
  /** Probability of a rank, for fits. */
  probability(rank: number): number;
}

/** Cost: O(count) once, O(log count) a draw. `theta` 0 is uniform. */
export function createZipf(count: number, theta: number): RankChooser {
  const cumulative = new Float64Array(count);
  let total = 0;
  for (let rank = 0; rank < count; rank += 1) {
    total += (rank + 1) ** -theta;
    cumulative[rank] = total;
  }
  return {
    next: (prng) => {
      // 53 bits: with 32 the rarest of a million keys could never be drawn.
      const fine = (prng.nextInt(2 ** 26) * 2 ** 27 + prng.nextInt(2 ** 27)) / 2 ** 53;
      const target = fine * total;
      let low = 0;
      let high = count - 1;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((cumulative[middle] ?? 0) > target) high = middle;
        else low = middle + 1;
      }
      return low;
    },
    probability: (rank) => (rank + 1) ** -theta / total,
  };
}
