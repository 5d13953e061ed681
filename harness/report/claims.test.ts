/**
 * Goal    Each claim of the paper's evaluation has exactly one predicate, which can come out either way, and no
 *         line of the claims table is without a verdict and its reason.
 * Method  The committed small record as it is, and with numbers changed.
 */
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import type { ClaimVerdict, SuiteResult } from "#harness/record/run.ts";
import { loadClaims } from "#results/load.ts";
import { alternativesClaims } from "./claims-alternatives.ts";
import { evaluateClaims, predicates } from "./claims.ts";
import { whyOf } from "./claims-text.ts";
import { storeName } from "./format.ts";
import { openRecord } from "./open-record.ts";

const small = fileURLToPath(new URL("../../results/reference-small", import.meta.url));
let suite: SuiteResult;

beforeAll(async () => {
  ({ suite } = await openRecord(small));
});

type Run = SuiteResult["runs"][number];

/** The record with runs changed; what disturbed it when it was made is not what is tested. */
function changed(change: (run: Run) => Run): SuiteResult {
  const runs = suite.runs.map((run) => change({ ...run, valid: true, invalidReasons: [] }));
  return { ...suite, runs };
}

function verdictOn(
  id: string,
  judged: SuiteResult,
  options?: Parameters<typeof evaluateClaims>[1],
): ClaimVerdict {
  const found = evaluateClaims(judged, options).find((claim) => claim.id === id);
  if (found === undefined) throw new Error(`no verdict on ${id}`);
  return found;
}

/** Response times of an `overhead` cell over an emulated service, set so that AFT costs `ratio`. */
function withRatio(store: string, ratio: number): SuiteResult {
  return changed((run) => {
    if (run.experiment !== "overhead" || storeName(run.cell) !== store) return run;
    const p50 = run.cell.system === "aft" ? 10_000 * ratio : 10_000;
    return { ...run, responseTimeUs: { ...run.responseTimeUs, p50, p99: p50 * 2 } };
  });
}

describe("the list of claims", () => {
  it("has exactly one predicate for each claim, and no predicate without one", () => {
    const claimed = loadClaims().map(({ id }) => id);
    expect(new Set(claimed).size).toBe(claimed.length);
    expect(predicates.map(({ id }) => id).toSorted()).toEqual(claimed.toSorted());
  });

  it("covers every figure and table of the evaluation", () => {
    const figures = new Set(loadClaims().map(({ figure }) => figure));
    for (const number of [2, 3, 4, 5, 6, 7, 8, 9, 10])
      expect(figures).toContain(`Figure ${number}`);
    expect(figures).toContain("Table 2");
  });
});

describe("the claims table", () => {
  it("has a line for each claim, with a verdict, and a reason or measured facts unless reproduced", () => {
    const claims = evaluateClaims(suite);
    // What is expected beyond the paper comes behind its claims.
    const known = [...loadClaims(), ...alternativesClaims].map(({ id }) => id);
    expect(claims.map(({ id }) => id)).toEqual(known);
    for (const claim of claims) {
      expect(["reproduced", "not-reproduced", "not-testable"]).toContain(claim.verdict);
      expect(claim.rule).not.toBe("");
      if (claim.verdict !== "reproduced")
        expect({ [claim.id]: whyOf(claim) }).not.toEqual({ [claim.id]: [] });
    }
  });

  it("leaves out claims about experiments that were not asked for", () => {
    const runs = suite.runs.filter(({ experiment }) => experiment === "read-share");
    const sections = evaluateClaims({ ...suite, runs, notRun: [] }).map(({ section }) => section);
    expect(new Set(sections)).toEqual(new Set(["6.3"]));
  });

  it("says which engine is missing", () => {
    const runs = suite.runs.filter(({ experiment }) => experiment !== "caching-skew");
    const notRun = [
      {
        what: "caching-skew platform:inline storage:redis",
        why: "redis-server is not installed",
        get: "apt-get install redis-server",
      },
    ];
    const { verdict, reason } = verdictOn("fig4-dynamodb-cache", { ...suite, runs, notRun });
    expect(verdict).toBe("not-testable");
    expect(reason).toMatch(/caching-skew.*redis-server is not installed.*apt-get/);
  });

  it("does not take a missing package of some system for the reason", () => {
    const runs = suite.runs.filter(({ experiment }) => experiment !== "caching-skew");
    const notRun = [
      { what: "caching-skew system:optional", why: "its package is missing", get: "npm install" },
    ];
    const { reason } = verdictOn("fig4-dynamodb-cache", { ...suite, runs, notRun });
    expect(reason).toMatch(/were not part of this run of caching-skew/);
  });

  it("does not judge invalid runs, and says why they are", () => {
    const invalid = changed((run) =>
      run.experiment === "overhead"
        ? { ...run, valid: false, invalidReasons: ["the generator stood still"] }
        : run,
    );
    const { verdict, reason } = verdictOn("fig3-redis-median", invalid);
    expect(verdict).toBe("not-testable");
    expect(reason).toContain("the generator stood still");
    expect(verdictOn("fig3-redis-median", invalid, { keepInvalid: true }).verdict).not.toBe(
      "not-testable",
    );
  });

  it("says that a sample is too small for a percentile", () => {
    const few = changed((run) =>
      run.experiment === "overhead"
        ? {
            ...run,
            responseTimeUs: { ...run.responseTimeUs, count: 50, p99: { need: 459, have: 50 } },
          }
        : run,
    );
    expect(verdictOn("fig3-redis-p99", few).reason).toMatch(/needs 459 requests, there are 50/);
  });
});

describe("facts", () => {
  it("name a stop of the load process that is in a p99, and no shorter one", () => {
    const stopped = (longestStallMs: number) =>
      changed((run) =>
        run.experiment === "overhead"
          ? {
              ...run,
              generator: { longestStallMs, stalledMs: longestStallMs, utilization: 0.5 },
              responseTimeUs: { ...run.responseTimeUs, count: 460, p99: 300_000 },
            }
          : run,
      );
    const text = /stood still for 255 ms at once .* of its 460 requests .* p99 of 300 ms/;
    expect(verdictOn("fig3-redis-p99", stopped(255)).facts?.join("\n")).toMatch(text);
    expect(verdictOn("fig3-redis-p99", stopped(90)).facts?.join("\n")).not.toMatch(/stood still/);
    expect(verdictOn("fig3-redis-median", stopped(255)).facts?.join("\n")).not.toMatch(/stood/);
  });
});

describe("predicates", () => {
  it.each([
    ["fig3-redis-median", "elasticache", 1.18],
    ["fig3-redis-p99", "elasticache", 1.21],
    ["fig3-dynamodb-median", "dynamodb", 1],
    ["fig3-s3-median", "s3", 1.23],
  ])(
    "%s is reproduced at the paper's ratio, and not at another in either direction",
    (id, store, paper) => {
      expect(verdictOn(id, withRatio(store, paper)).verdict).toBe("reproduced");
      for (const ratio of [paper * 0.6, paper * 1.6]) {
        const { verdict, facts } = verdictOn(id, withRatio(store, ratio));
        expect(verdict).toBe("not-reproduced");
        expect(facts?.join("\n")).toMatch(/storage calls a transaction/);
      }
    },
  );

  it("one anomaly under AFT is enough against Table 2", () => {
    expect(
      verdictOn(
        "table2-aft-none",
        changed((run) => run),
      ).verdict,
    ).toBe("reproduced");
    let done = false;
    const one = changed((run) => {
      if (done || run.experiment !== "overhead" || run.cell.system !== "aft") return run;
      done = true;
      const anomalous = { transactions: 1, upperBoundPer10k: 1 };
      return { ...run, anomalies: { ...run.anomalies, anomalous } };
    });
    expect(verdictOn("table2-aft-none", one).verdict).toBe("not-reproduced");
  });

  it("a lost commit is enough against the durability of commits", () => {
    const withLost = (lost: number): SuiteResult =>
      changed((run) => {
        if (run.experiment !== "fault-timeline") return run;
        const durability = { acknowledged: 900, replicas: 4, keys: 1_000, lost, examples: [] };
        return { ...run, durability };
      });
    expect(verdictOn("no-commit-lost", withLost(0)).verdict).toBe("reproduced");
    expect(verdictOn("no-commit-lost", withLost(1)).verdict).toBe("not-reproduced");
  });

  it("a late detection is not within five seconds", () => {
    const detected = (detectionSeconds: number): SuiteResult =>
      changed((run) => {
        const { timeline } = run;
        if (timeline?.fault === undefined || timeline.fault === null) return run;
        return {
          ...run,
          timeline: { ...timeline, fault: { ...timeline.fault, detectionSeconds } },
        };
      });
    expect(verdictOn("fig10-detection", detected(4.9)).verdict).toBe("reproduced");
    expect(verdictOn("fig10-detection", detected(5.1)).verdict).toBe("not-reproduced");
  });

  it("ten functions that take three times as long as one are not linear as in Figure 6", () => {
    const flat = changed((run) => {
      if (run.experiment !== "transaction-length") return run;
      const functions = Number(run.cell["functions"]);
      const p50 = 20_000 * (1 + Math.log10(functions) * 2);
      return { ...run, responseTimeUs: { ...run.responseTimeUs, p50 } };
    });
    expect(verdictOn("fig6-redis-linear", flat).verdict).toBe("not-reproduced");
    expect(verdictOn("fig6-redis-ratio", flat).verdict).toBe("not-reproduced");
    const straight = changed((run) =>
      run.experiment === "transaction-length"
        ? {
            ...run,
            responseTimeUs: {
              ...run.responseTimeUs,
              p50: 3_000 + 23_600 * Number(run.cell["functions"]),
            },
          }
        : run,
    );
    expect(verdictOn("fig6-redis-linear", straight).verdict).toBe("reproduced");
    expect(verdictOn("fig6-redis-ratio", straight).verdict).toBe("reproduced");
  });

  it("where the cores were used up, falling behind is the machine's and not judged", () => {
    const at = (run: Run, share: number): Run => ({
      ...run,
      throughputPerSecond: run.cell.clients * 20 * share,
      cell: { ...run.cell },
    });
    const scaled = (cores: number): SuiteResult => {
      const template = suite.runs.find(({ experiment }) => experiment === "scaling-clients");
      if (template === undefined) throw new Error("the record has no scaling-clients");
      const runs = [10, 20, 40, 45, 50].map((clients) => ({
        ...at(
          { ...template, cell: { ...template.cell, clients, emulation: "dynamodb" } },
          clients >= 40 ? 0.7 : 1,
        ),
        cpuCores: { load: clients >= 40 ? cores : 0.1 },
        ...(template.fitness && { fitness: { ...template.fitness, foreignCores: 0 } }),
        coreWaits: {},
      }));
      return { ...suite, runs };
    };
    expect(verdictOn("fig7-dynamodb-linear", scaled(0.2)).verdict).toBe("not-reproduced");
    const full = verdictOn("fig7-dynamodb-linear", scaled(0.99));
    expect(full.verdict).toBe("not-testable");
    expect(full.reason).toMatch(/cores were used up/);
  });
});
