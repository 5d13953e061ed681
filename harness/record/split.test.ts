/**
 * Goal    Parts of a request's time add up to it, and nobody's part is made up.
 * Method  Attempts by hand; what is not told must come out as null, never as 0.
 */
import { describe, expect, it } from "vitest";
import { formatSplits } from "#harness/report/split.ts";
import { TimesOfFunctions } from "#harness/loadgen/times.ts";
import type { AttemptRecord, AttemptTimes } from "./attempts.ts";
import type { RunManifest, RunSummary, SplitTimes } from "./run.ts";
import { splitOf } from "./split.ts";

const times: AttemptTimes = {
  clientUs: 1_000,
  platformUs: 4_000,
  functionUs: 500,
  stateUs: 4_500,
  initMs: null,
  billedMs: null,
};

function attempt(coldStarts: number, more: Partial<AttemptTimes> = {}): AttemptRecord {
  const spent = { ...times, ...more };
  const { clientUs, platformUs, functionUs, stateUs } = spent;
  const endUs = (clientUs ?? 0) + (platformUs ?? 0) + functionUs + stateUs;
  const where = { client: 0, attempt: 0, index: 0, block: 0, dueUs: 0, startUs: 0, endUs };
  return { requestId: "r", ...where, outcome: "committed", final: true, coldStarts, times: spent };
}

function split(
  attempts: readonly AttemptRecord[],
  cell: { readonly system: string; readonly clients?: number },
  waitedUs?: number,
) {
  const manifest = { cell: { clients: 1, ...cell } } as unknown as RunManifest;
  const storage = { calls: 1, bytes: 1, ...(waitedUs !== undefined && { waitedUs }) };
  return splitOf({ manifest, attempts, measurements: { storage } }).split;
}

function sumOf(parts: SplitTimes | null | undefined): number {
  const { clientUs, platformUs, functionUs, stateUs } = parts ?? {};
  return (clientUs ?? 0) + (platformUs ?? 0) + (functionUs ?? 0) + (stateUs ?? 0);
}

describe("the time split", () => {
  it("keeps cold and warm apart, and its parts add up to the mean", () => {
    const found = split([attempt(0), attempt(1, { platformUs: 300_000 }), attempt(0)], {
      system: "aft",
    });
    expect(found?.warm?.requests).toBe(2);
    expect(found?.cold?.requests).toBe(1);
    expect(sumOf(found?.warm)).toBe(found?.warm?.totalUs.mean);
    expect(sumOf(found?.cold)).toBe(306_000);
  });

  it("tells shim and storage apart where one client waited for each request", () => {
    const attempts = [attempt(0), attempt(0)];
    const one = split(attempts, { system: "aft" }, 6_000)?.warm;
    expect(one).toMatchObject({ stateUs: 4_500, storageUs: 3_000, shimUs: 1_500 });
    const many = split(attempts, { system: "aft", clients: 2 }, 6_000)?.warm;
    expect(many).toMatchObject({ storageUs: null, shimUs: null });
    // The replica counts over a whole block, so a cold request's share is not known.
    const cold = split([attempt(1)], { system: "aft" }, 6_000)?.cold;
    expect(cold).toMatchObject({ storageUs: null, shimUs: null });
  });

  it("gives plain storage no shim", () => {
    const found = split([attempt(0)], { system: "direct" })?.warm;
    expect(found).toMatchObject({ storageUs: 4_500, shimUs: null });
  });

  it("says null of what one request does not tell, and nothing of runs that were not asked", () => {
    const found = split([attempt(0, { billedMs: 5 }), attempt(0)], { system: "direct" });
    expect(found?.warm?.billedMs).toBeNull();
    const { times: _times, ...plain } = attempt(0);
    expect(split([plain], { system: "direct" })).toBeUndefined();
  });

  it('reads "not reported" in the table, never 0', () => {
    const found = split([attempt(0), attempt(1, { initMs: 7, billedMs: 9 })], { system: "aft" });
    const cell = { platform: "somewhere", system: "aft" };
    const text = formatSplits([{ cell, split: found } as unknown as RunSummary]);
    const [warm, cold] = ["warm", "cold"].map(
      (kind) => text.split("\n").find((line) => line.includes(` ${kind} `)) ?? "",
    );
    expect(warm).toMatch(/4\.50 with storage +\(in shim\) +not reported +not reported$/);
    expect(cold).toMatch(/7\.00 +9\.00$/);
  });
});

describe("times of an attempt", () => {
  const timings = { startUs: 100, endUs: 1_100, coldStart: false };
  const result = { functionUs: 400, stateUs: 300 };

  it("are those of its functions, and between them", () => {
    const sum = new TimesOfFunctions(50);
    sum.add({ ...timings, exchangeUs: 900, billedMs: 2 }, result);
    sum.add({ ...timings, endUs: 2_050, exchangeUs: 800, billedMs: 3, initMs: 8 }, result);
    expect(sum.sum()).toEqual({
      clientUs: 2_000 - 1_700,
      platformUs: 1_700 - 800,
      functionUs: 200,
      stateUs: 600,
      initMs: 8,
      billedMs: 5,
    });
  });

  it("are null where one function's are not known", () => {
    const sum = new TimesOfFunctions(50);
    sum.add({ ...timings, exchangeUs: 900, billedMs: 2 }, result);
    sum.add(timings, result);
    expect(sum.sum()).toMatchObject({ clientUs: null, platformUs: null, billedMs: null });
  });
});
