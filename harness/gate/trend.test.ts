/**
 * Goal    A known change is found where it is, in the right direction; a steady history has none.
 * Method  Synthetic histories with noise, seeded; many of them, because one could be luck.
 */
import { describe, expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { type HistoryLine, parseHistory } from "#harness/record/trend-history.ts";
import { ConfigError } from "#kit/errors.ts";
import { findTrends, hasWorsened } from "./trend.ts";

const machine = { cpuModel: "cpu", cores: 2, node: "24.0.0" };

function line(index: number, figures: HistoryLine["figures"], system = "aft"): HistoryLine {
  return {
    schemaVersion: 1,
    runId: `run-${index}`,
    atMs: index * 1_000,
    commit: `commit-${index}`,
    dirty: false,
    machine,
    series: { experiment: "overhead", profile: "quick", cell: { system, zipfTheta: 1 } },
    figures,
  };
}

/** Levels with 5 % noise around them. */
function history(
  levels: readonly number[],
  seed: number,
  figure = "responseTimeUsP50",
): HistoryLine[] {
  const prng = createPrng(seed);
  return levels.map((level, index) =>
    line(index, { [figure]: level * (1 + (prng.next() - 0.5) * 0.1) }),
  );
}

function stretches(...parts: readonly (readonly [level: number, runs: number])[]): number[] {
  return parts.flatMap(([level, runs]) => Array.from({ length: runs }, () => level));
}

const options = { significance: 0.01, threshold: 0.1, prng: createPrng(1) };

describe("findTrends", () => {
  it("finds a step where it is, and says in which direction", () => {
    for (let seed = 0; seed < 10; seed += 1) {
      const [found] = findTrends(history(stretches([100, 20], [130, 20]), seed), options).trends;
      expect(found?.changes).toHaveLength(1);
      const [change] = found?.changes ?? [];
      expect(Math.abs((change?.index ?? 0) - 20)).toBeLessThanOrEqual(1);
      expect(change?.direction).toBe("worse");
      expect(change?.relative).toBeCloseTo(0.3, 1);
      expect(change?.at.commit).toBe(`commit-${change?.index}`);
    }
  });

  it("finds two steps, and calls a repaired figure not worse", () => {
    const [found] = findTrends(
      history(stretches([100, 15], [140, 15], [100, 15]), 3),
      options,
    ).trends;
    expect(found?.changes.map(({ direction }) => direction)).toEqual(["worse", "better"]);
    expect(found === undefined || hasWorsened(found, 0)).toBe(false);
  });

  it("is silent about steady histories", () => {
    let alarms = 0;
    for (let seed = 0; seed < 40; seed += 1) {
      const { trends } = findTrends(history(stretches([100, 40]), seed), options);
      alarms += trends.flatMap(({ changes }) => changes).length;
    }
    expect(alarms).toBe(0);
  });

  it("ignores a change within the noise threshold, however sure it is", () => {
    const { trends } = findTrends(history(stretches([100, 30], [107, 30]), 1), options);
    expect(trends[0]?.changes).toEqual([]);
    const finer = findTrends(history(stretches([100, 30], [107, 30]), 1), {
      ...options,
      threshold: 0.02,
    });
    expect(finer.trends[0]?.changes).toHaveLength(1);
  });

  it("knows that more throughput is better", () => {
    const lines = history(stretches([100, 15], [70, 15]), 1, "throughputPerSecond");
    const [found] = findTrends(lines, options).trends;
    expect(found?.changes[0]?.direction).toBe("worse");
    expect(found !== undefined && hasWorsened(found, 0)).toBe(true);
    // A change that is older than what is asked about does not alarm again.
    expect(found !== undefined && hasWorsened(found, 20_000)).toBe(false);
  });

  it("never joins cells or machines, orders by time, and says which series are too short", () => {
    const other = history(stretches([500, 4]), 2).map((entry) => ({
      ...entry,
      machine: { ...machine, cores: 64 },
    }));
    const mixed = [...history(stretches([100, 12]), 1).toReversed(), ...other];
    const { trends, tooShort } = findTrends(mixed, options);
    expect(trends).toHaveLength(1);
    expect(trends[0]?.points.map(({ atMs }) => atMs)).toEqual(
      Array.from({ length: 12 }, (_unused, index) => index * 1_000),
    );
    expect(trends[0]?.changes).toEqual([]);
    expect(tooShort).toEqual([{ series: expect.stringContaining("x64") as string, runs: 4 }]);
  });
});

describe("parseHistory", () => {
  it("names every line that is none", () => {
    const good = JSON.stringify(line(1, { a: 1 }));
    expect(parseHistory("h", `${good}\n\n${good}\n`)).toHaveLength(2);
    try {
      parseHistory("h", `${good}\nnonsense\n{"schemaVersion":2}\n`);
      expect.unreachable("should have been refused");
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      const { problems } = error as ConfigError;
      expect(problems.map(({ where }) => where)).toEqual(["h:2", "h:3"]);
    }
  });
});
