/** @module How well counts fit the frequencies they should have. Pure. */

export interface Fit {
  readonly statistic: number;
  readonly degrees: number;
  /** Chance of a fit as bad as this or worse, if the frequencies are right. */
  readonly p: number;
}

/** Classes below this expectation are put together: the approximation needs it (Cochran). */
const fewestExpected = 5;

/** Pearson's test of `counts` against `probabilities`, in the order given. */
export function chiSquareFit(counts: ArrayLike<number>, probabilities: ArrayLike<number>): Fit {
  let total = 0;
  for (let index = 0; index < counts.length; index += 1) total += counts[index] ?? 0;
  const classes: { seen: number; expected: number }[] = [];
  let open = { seen: 0, expected: 0 };
  for (let index = 0; index < counts.length; index += 1) {
    open.seen += counts[index] ?? 0;
    open.expected += (probabilities[index] ?? 0) * total;
    if (open.expected < fewestExpected) continue;
    classes.push(open);
    open = { seen: 0, expected: 0 };
  }
  // What is left over is too little for a class of its own.
  const last = classes.at(-1);
  if (last !== undefined) {
    last.seen += open.seen;
    last.expected += open.expected;
  }
  const statistic = classes.reduce(
    (sum, { seen, expected }) => sum + (seen - expected) ** 2 / expected,
    0,
  );
  const degrees = Math.max(1, classes.length - 1);
  return { statistic, degrees, p: upperTail(statistic, degrees) };
}

/** Wilson and Hilferty (1931): the cube root is nearly normal; good to three digits from 30 degrees. */
function upperTail(statistic: number, degrees: number): number {
  const spread = 2 / (9 * degrees);
  const z = (Math.cbrt(statistic / degrees) - (1 - spread)) / Math.sqrt(spread);
  return 1 - normalBelow(z);
}

/** Abramowitz and Stegun 26.2.17; absolute error below 1e-7. */
function normalBelow(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const polynomial =
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
  return z >= 0 ? 1 - tail : tail;
}
