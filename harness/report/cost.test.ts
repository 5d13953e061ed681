import { describe, expect, it } from "vitest";
import { lambdaPrices } from "#harness/faas/lambda/prices.ts";
import type { RunSummary } from "#harness/record/run.ts";
import { loadPrices } from "#results/prices.ts";
import { costOf } from "./cost.ts";

const table = loadPrices();

/** What the computation looks at is all there; a whole summary would hide it. */
function run(given: Partial<Record<keyof RunSummary, unknown>>): RunSummary {
  const warm = { requests: 100, functionUs: 20_000, stateUs: 80_000 };
  return {
    cell: { system: "direct", storage: "memory", emulation: "dynamodb" },
    storage: null,
    operations: { readsPerTransaction: 4, writesPerTransaction: 2, valueBytes: 4_096 },
    split: { cold: null, warm },
    platform: { invocations: 200, coldStarts: 0 },
    transactions: { committed: 100 },
    throughputPerSecond: 100,
    cpuCores: { load: 0.5 },
    ...given,
  } as unknown as RunSummary;
}

describe("the cost of a million transactions", () => {
  it("is what hand computation gives, for plain functions over DynamoDB", () => {
    const cost = costOf(run({}), table);
    // 4 reads of two units of 4 KiB, 2 writes of five units of 1 KiB: names count into an item.
    expect(cost?.usd["storage reads"]).toBeCloseTo(4 * 2 * 0.125, 6);
    expect(cost?.usd["storage writes"]).toBeCloseTo(2 * 5 * 0.625, 6);
    expect(cost?.usd.deletions).toBe(0);
    // Two invocations, and 0.1 s of half a GB.
    expect(cost?.usd.functions).toBeCloseTo(2 * 0.2 + 0.1 * 0.5 * 16.6667, 4);
    expect(cost?.usd.replica).toBe(0);
  });

  it("counts a shim's records, the deletion of its versions, and its CPU", () => {
    const storage = { itemsReadPerTransaction: 1, itemsWrittenPerTransaction: 3 };
    const cell = { system: "aft", storage: "memory", emulation: "dynamodb" };
    const cost = costOf(run({ cell, storage, cpuCores: { load: 0.5, replica: 0.1 } }), table);
    expect(cost?.usd["storage reads"]).toBeCloseTo(2 * 0.125, 6);
    expect(cost?.usd["storage writes"]).toBeCloseTo((2 * 5 + 1) * 0.625, 6);
    expect(cost?.usd.deletions).toBeCloseTo((2 * 5 + 1) * 0.625, 6);
    expect(cost?.usd.replica).toBeCloseTo((0.001 / 3_600) * 0.0408 * 1e6, 6);
    expect(cost?.total).toBeCloseTo(
      Object.values(cost?.usd ?? {}).reduce((a, b) => a + b, 0),
      6,
    );
  });

  it("charges S3 by request and its deletions not at all", () => {
    const cell = { system: "aft", storage: "memory", emulation: "s3" };
    const storage = { itemsReadPerTransaction: 1, itemsWrittenPerTransaction: 3 };
    const cost = costOf(run({ cell, storage }), table);
    expect(cost?.usd["storage reads"]).toBeCloseTo(0.4, 6);
    expect(cost?.usd["storage writes"]).toBeCloseTo(3 * 5, 6);
    expect(cost?.usd.deletions).toBe(0);
  });

  it("is not given where the record lacks a count, or the service charges by the hour", () => {
    const elasticache = { system: "direct", storage: "memory", emulation: "elasticache" };
    expect(costOf(run({ cell: elasticache }), table)).toBeUndefined();
    expect(costOf(run({ operations: undefined }), table)).toBeUndefined();
    expect(costOf(run({ split: undefined }), table)).toBeUndefined();
    expect(costOf(run({ storage: { callsPerTransaction: 2 } }), table)).toBeUndefined();
  });

  it("uses the prices of Lambda that the ceiling of a run on AWS uses", () => {
    const { lambdaRequest, lambdaGibSecond } = table.prices;
    expect(lambdaRequest.usd).toBeCloseTo(lambdaPrices.usdPerRequest, 15);
    expect(lambdaGibSecond.usd).toBe(lambdaPrices.usdPerGibSecond.x86_64);
  });
});
