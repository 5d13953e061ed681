/**
 * @module Mann-Whitney U: are values of one sample larger than those of another? A second opinion that
 * knows nothing of medians, blocks or bootstraps.
 *
 * Source    Mann and Whitney (1947). Exact for small samples without ties; otherwise the normal
 *           approximation with tie and continuity correction.
 */

export interface MannWhitney {
  /** Pairs (x, y) with x > y, ties counting half. */
  readonly u: number;
  /** Two-sided. */
  readonly p: number;
  readonly method: "exact" | "normal";
  /** Chance that a value of x exceeds one of y: u / (n x m). */
  readonly superiority: number;
}

/** Beyond this many values in either sample the approximation is as good. */
const exactUpTo = 25;

/** NaN for an empty sample. Pure, symmetric in its arguments up to the side `u` counts. */
export function mannWhitney(x: readonly number[], y: readonly number[]): MannWhitney {
  const [n, m] = [x.length, y.length];
  const all = [
    ...x.map((value) => ({ value, ofX: true })),
    ...y.map((value) => ({ value, ofX: false })),
  ].toSorted((a, b) => a.value - b.value);
  let rankSum = 0;
  let tieTerm = 0;
  for (let start = 0; start < all.length;) {
    let end = start;
    while (end < all.length && all[end]?.value === all[start]?.value) end += 1;
    const tied = end - start;
    tieTerm += tied ** 3 - tied;
    for (let at = start; at < end; at += 1)
      if (all[at]?.ofX === true) rankSum += (start + end + 1) / 2;
    start = end;
  }
  const u = rankSum - (n * (n + 1)) / 2;
  const exact = tieTerm === 0 && n <= exactUpTo && m <= exactUpTo;
  const p = exact ? exactP(u, n, m) : normalP({ u, n, m, tieTerm });
  return { u, p, method: exact ? "exact" : "normal", superiority: u / (n * m) };
}

/** Counts arrangements by recurrence: the largest value is of x (and beats all of y) or of y. */
function exactP(u: number, n: number, m: number): number {
  if (n === 0 || m === 0) return Number.NaN;
  const size = n * m + 1;
  let previous: Float64Array[] = [];
  for (let i = 0; i <= n; i += 1) {
    const current: Float64Array[] = [];
    for (let j = 0; j <= m; j += 1) {
      const counts = new Float64Array(size);
      if (i === 0 || j === 0) counts[0] = 1;
      else {
        for (let value = 0; value <= i * j; value += 1) {
          const largestOfX = value >= j ? (previous[j]?.[value - j] ?? 0) : 0;
          counts[value] = largestOfX + (current[j - 1]?.[value] ?? 0);
        }
      }
      current.push(counts);
    }
    previous = current;
  }
  const counts = previous[m] ?? new Float64Array(size);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const extreme = Math.min(u, n * m - u);
  let tail = 0;
  for (let value = 0; value <= extreme; value += 1) tail += counts[value] ?? 0;
  return Math.min(1, (2 * tail) / total);
}

function normalP(options: {
  readonly u: number;
  readonly n: number;
  readonly m: number;
  readonly tieTerm: number;
}): number {
  const { u, n, m, tieTerm } = options;
  const count = n + m;
  const variance = ((n * m) / 12) * (count + 1 - tieTerm / (count * (count - 1)));
  if (variance === 0) return 1;
  const distance = Math.max(0, Math.abs(u - (n * m) / 2) - 0.5);
  return Math.min(1, 2 * upperTail(distance / Math.sqrt(variance)));
}

/** Of the standard normal, z >= 0. Chebyshev fit of erfc, relative error below 1.2e-7. */
function upperTail(z: number): number {
  const x = z / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const coefficients = [
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418,
    0.37409196, 1.00002368, -1.26551223,
  ];
  const series = coefficients.reduce((sum, coefficient) => sum * t + coefficient, 0);
  return (t * Math.exp(-x * x + series)) / 2;
}
