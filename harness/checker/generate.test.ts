/**
 * Goal    Generated histories are what they say: valid at their store's level, or with one anomaly.
 * Method  Every store, every anomaly, many seeds; the checker judges (and is itself judged by the axioms
 *         in `fuzz.test.ts`).
 * Longer  npm run nightly:checker-planted
 */
import { describe, expect, it } from "vitest";
import { check } from "./check.ts";
import { generate, type GenerateOptions } from "./generate.ts";
import { HistoryBuilder } from "./history.ts";
import { plantable } from "./plant.ts";
import type { StoreKind } from "./stores.ts";
import { judgePlanted } from "./testing/planted.ts";
import { type Level, levels } from "./witness.ts";

const small = { sessions: 3, transactionsPerSession: 6, operations: 4, keys: 5, theta: 0 };
const middle = { sessions: 20, transactionsPerSession: 100, operations: 15, keys: 500 };

describe("valid histories", () => {
  const cases: [StoreKind, Level, Level][] = [
    ["serializable", "ser", "ser"],
    ["causal", "cc", "pc"],
    ["read-atomic", "ra", "cc"],
  ];
  it.each(cases)("of a %s store satisfy %s, and mostly nothing above", (store, level, above) => {
    let failedAbove = 0;
    for (let seed = 0; seed < 150; seed += 1) {
      const builder = new HistoryBuilder();
      generate({ seed, ...small, theta: (seed % 3) / 2, store }, builder);
      const verdicts = check(builder.build(), { levels });
      for (const weaker of levels.slice(0, levels.indexOf(level) + 1))
        expect(verdicts[weaker]?.kind, `${weaker}, seed ${seed}`).toBe("pass");
      if (verdicts[above]?.kind === "violation") failedAbove += 1;
    }
    if (above === level) expect(failedAbove).toBe(0);
    else expect(failedAbove).toBeGreaterThan(50);
  });

  it.each(["serializable", "causal", "read-atomic"] as const)(
    "of 30,000 operations, %s",
    (store) => {
      const builder = new HistoryBuilder();
      generate({ seed: 5, ...middle, theta: 0.99, store }, builder);
      const history = builder.build();
      expect(history.operationCount).toBe(30_000);
      const level = store === "read-atomic" ? "ra" : "cc";
      expect(check(history, { levels: [level] })).toEqual({ [level]: { kind: "pass" } });
    },
  );

  it("are the same for the same seed, and others for another", () => {
    const written = (seed: number): string => {
      const lines: string[] = [];
      const sink = {
        transaction: (session: number, name: number) => lines.push(`${session} ${name}`),
        read: (_handle: number, key: number, value: number | null) =>
          lines.push(`r${key} ${value}`),
        write: (_handle: number, key: number, value: number) => lines.push(`w${key} ${value}`),
      };
      generate({ seed, ...small }, sink);
      return lines.join("\n");
    };
    expect(written(1)).toBe(written(1));
    expect(written(1)).not.toBe(written(2));
  });
});

describe("one planted anomaly", () => {
  it.each(plantable)("%s is rejected at exactly the levels that forbid it", (kind) => {
    for (let seed = 0; seed < 25; seed += 1) {
      const result = judgePlanted({ seed, ...small, plant: { kind } }, levels);
      expect(result).toEqual({ placed: true, problem: undefined });
    }
  });

  it.each(plantable)("%s among 30,000 operations", (kind) => {
    const options: GenerateOptions = { seed: 9, ...middle, theta: 0.5, plant: { kind } };
    expect(judgePlanted(options, ["rc", "ra", "cc"]).problem).toBeUndefined();
  });
});

describe("one stale read among 30,000 operations", () => {
  it.each(["rc", "ra", "cc", "none"] as const)("that %s is the weakest to forbid", (level) => {
    let placed = 0;
    for (let seed = 0; seed < 12; seed += 1) {
      const options = { seed, ...middle, theta: (seed % 4) / 3 };
      const plant = { kind: "stale-read", level } as const;
      const result = judgePlanted({ ...options, plant }, ["rc", "ra", "cc"]);
      expect(result.problem).toBeUndefined();
      if (result.placed) placed += 1;
    }
    expect(placed).toBeGreaterThan(8);
  });
});
