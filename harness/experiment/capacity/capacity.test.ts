/**
 * Goal    The search finds a known capacity, whatever its start; an objective is judged as it is written.
 * Method  Probes of a made-up system with a sharp border, and with a noisy one; hand cases for the rest.
 */
import { describe, expect, it } from "vitest";
import type { ConfigError } from "#kit/errors.ts";
import { createPrng } from "#kit/prng.ts";
import type { CapacityProbe, ProbeVerdict } from "#harness/record/capacity.ts";
import type { RunSummary } from "#harness/record/run.ts";
import { searchCapacity, type SearchOptions } from "./search.ts";
import { judgeProbe, longestUs, parseSlo, samplesNeeded } from "./slo.ts";

function probeOf(ratePerSecond: number, verdict: ProbeVerdict): CapacityProbe {
  return {
    ratePerSecond,
    verdict,
    reasons: [],
    runId: "r",
    directory: "d",
    responseTimeUsP50: 1,
    responseTimeUsP99: 1,
    throughputPerSecond: ratePerSecond,
    anomalous: 0,
  };
}

function search(
  verdictAt: (rate: number) => ProbeVerdict,
  options: Partial<SearchOptions> = {},
): ReturnType<typeof searchCapacity> {
  return searchCapacity({
    startPerSecond: 200,
    factor: 2,
    precision: 0.05,
    leastPerSecond: 5,
    mostPerSecond: 50_000,
    probe: (rate) => Promise.resolve(probeOf(rate, verdictAt(rate))),
    ...options,
  });
}

describe("searchCapacity", () => {
  it.each([
    [1_234, 200],
    [1_234, 20_000],
    [17, 200],
    [40_000, 100],
  ])("finds a border at %i from %i, to its precision", async (border, startPerSecond) => {
    const found = await search((rate) => (rate <= border ? "kept" : "missed"), { startPerSecond });
    expect(found?.ratePerSecond).toBeLessThanOrEqual(border);
    expect(found?.ratePerSecond).toBeGreaterThan(border / 1.11);
    expect(found?.ceilingPerSecond).toBeGreaterThan(border);
    expect(found?.limitedBy).toBe("slo");
  });

  it("stays near a noisy border", async () => {
    const prng = createPrng(3);
    for (let round = 0; round < 20; round += 1) {
      const found = await search((rate) =>
        rate * (0.95 + 0.1 * prng.next()) <= 1_000 ? "kept" : "missed",
      );
      expect(found?.ratePerSecond).toBeGreaterThan(880);
      expect(found?.ratePerSecond).toBeLessThan(1_100);
    }
  });

  it("says when the generator, not the system, was the limit", async () => {
    const found = await search((rate) => (rate <= 3_000 ? "kept" : "generator"));
    expect(found?.limitedBy).toBe("generator");
    expect(found?.ratePerSecond).toBeLessThanOrEqual(3_000);
  });

  it("gives 0 where nothing keeps the objective, and its bound where everything does", async () => {
    expect(await search(() => "missed")).toMatchObject({ ratePerSecond: 0, limitedBy: "slo" });
    expect(await search(() => "kept")).toMatchObject({
      ratePerSecond: 50_000,
      ceilingPerSecond: null,
      limitedBy: "search-bound",
    });
  });

  it("has no answer when it is stopped", async () => {
    const probe = (): Promise<undefined> => Promise.resolve(undefined);
    expect(await search(() => "kept", { probe })).toBeUndefined();
  });
});

const summary = {
  invalidReasons: [],
  responseTimeUs: { p50: 4_000, p90: 9_000, p99: 40_000, p999: { need: 4_603, have: 900 } },
  transactions: { committed: 990, failed: 10, aborted: 0, unknown: 0 },
  anomalies: { anomalous: { transactions: 3, upperBoundPer10k: 0 } },
} as unknown as RunSummary;
const judged = (text: string, change: Partial<RunSummary> = {}): ProbeVerdict =>
  judgeProbe(parseSlo(text), { ...summary, ...change }).verdict;

describe("an objective", () => {
  it("is read with all its terms, or refused with all that are none", () => {
    expect(parseSlo("p99<=50ms, anomalies=0,failed<=0.5%").terms).toEqual([
      { kind: "latency", percentile: "p99", mostUs: 50_000 },
      { kind: "anomalies", most: 0 },
      { kind: "failed", mostShare: 0.005 },
    ]);
    expect(longestUs(parseSlo("p90<=2s"))).toBe(2_000_000);
    expect(samplesNeeded(parseSlo("p50<=1ms,p99<=2ms"))).toBe(459);
    try {
      parseSlo("p98<=5ms,p99<=5ms,p99<=0ms,speed>9");
      expect.unreachable("should have been refused");
    } catch (error) {
      expect((error as ConfigError).problems).toHaveLength(3);
    }
  });

  it.each([
    ["p99<=50ms", "kept"],
    ["p99<=39ms", "missed"],
    ["p999<=10s", "missed"],
    ["anomalies<=3", "kept"],
    ["anomalies=0", "missed"],
    ["failed<=1%", "kept"],
    ["failed<=0.9%", "missed"],
  ])("%s: %s", (text, verdict) => {
    expect(judged(text)).toBe(verdict);
  });

  it("never calls a saturated generator or a busy machine the system's limit", () => {
    const invalid = (...invalidReasons: string[]): Partial<RunSummary> => ({ invalidReasons });
    expect(judged("p99<=1ms", invalid("generator-late: x"))).toBe("generator");
    expect(judged("p99<=50ms", invalid("generator-stalled: x", "pool-exhausted: y"))).toBe(
      "generator",
    );
    expect(judged("p99<=50ms", invalid("machine-busy: x", "generator-late: y"))).toBe("unfit");
    expect(judged("p99<=50ms", invalid("pool-exhausted: x"))).toBe("missed");
  });
});
