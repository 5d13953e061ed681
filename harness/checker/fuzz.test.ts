/**
 * Goal    The checker and the axioms agree on every small history, at every level, in both directions.
 * Method  `testing/axioms.ts` is the definitions by the letter and tries every commit order. Each witness
 *         is judged by them too: a violation by itself, none without any of its transactions, and for
 *         some no smaller set of the history's transactions is one.
 * Longer  npm run nightly:checker-fuzz
 */
import { expect, it } from "vitest";
import { fuzz } from "./testing/fuzz.ts";
import { levels } from "./witness.ts";

it("agrees with the axioms on 4,000 histories at every level, and shrinks every witness", () => {
  const tally = fuzz({ seed: 20_261_125, count: 4_000 });
  expect(tally.disagreements).toEqual([]);
  expect(tally.sized).toBeGreaterThan(300);
  expect(tally.oversized, "witnesses with more transactions than needed").toBe(0);
  // A generator that cannot reach an outcome proves nothing about it.
  for (const level of levels) {
    expect(tally.satisfied[level], level).toBeGreaterThan(1_000);
    expect(tally.violated[level], level).toBeGreaterThan(200);
  }
  // Each level rejects something that the one before accepts.
  for (const [index, level] of levels.slice(1).entries())
    expect(tally.violated[level], level).toBeGreaterThan(tally.violated[levels[index] ?? "rc"]);
  expect(Object.keys(tally.anomalies).toSorted()).toEqual([
    "aborted-read",
    "causality-violation",
    "circular-information-flow",
    "fractured-read",
    "intermediate-read",
    "long-fork",
    "lost-update",
    "no-commit-order",
    "non-monotonic-read",
    "non-repeatable-read",
    "not-own-write",
    "stale-session-read",
    "write-skew",
  ]);
});
