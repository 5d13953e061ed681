/**
 * Goal    State systems side by side: every rate with its bounds, nothing seen is not nothing, and what is
 *         expected of a system can come out either way.
 * Method  Summaries made from the committed run, with the counts of interest set.
 */
import { describe, expect, it } from "vitest";
import type { RunSummary, SuiteResult } from "#harness/record/run.ts";
import { alternativeRows, choicesOf, formatAlternatives, formatRate } from "./alternatives.ts";
import { evaluateClaims } from "./claims.ts";
import { alternativesFigure } from "./figures/alternatives.ts";
import { renderPage } from "./page/page.ts";
import { renderFigure } from "./render.ts";
import { sampleSuite } from "./testing/sample.ts";

type Run = SuiteResult["runs"][number];
const count = (requests: number) => ({ requests, upperBoundPer10k: 30 });

function runOf(
  system: string,
  options: {
    readonly faults?: string;
    readonly zipfTheta?: number;
    readonly torn?: number;
    readonly repeated?: number;
    readonly more?: Partial<RunSummary>;
  } = {},
): Run {
  const [sample] = sampleSuite().runs;
  if (sample === undefined) throw new Error("no sample");
  const { faults = "mishaps:1%", zipfTheta = 1, torn = 0, repeated = 0, more } = options;
  return {
    ...sample,
    runId: `${system}-${faults}-${zipfTheta}`,
    experiment: "alternatives",
    cell: { ...sample.cell, system, storage: "redis", faults, zipfTheta },
    retries: { storage_timeout: 5 },
    effects: {
      requests: 1_000,
      failedAttempts: 9,
      torn: count(torn),
      repeated: count(repeated),
      inPart: count(torn),
    },
    ...(faults !== "none" && { mishaps: { slow: 7, duplicate: 3 } }),
    ...more,
  };
}

function suiteOf(...runs: readonly Run[]): SuiteResult {
  return { ...sampleSuite(), runs };
}

function verdictOn(id: string, suite: SuiteResult) {
  const found = evaluateClaims(suite).find((claim) => claim.id === id);
  if (found === undefined) throw new Error(`no verdict on ${id}`);
  return found;
}

describe("rates", () => {
  it("stand with their interval, and where nothing was seen with what may have been missed", () => {
    const [row, other] = alternativeRows([runOf("direct", { torn: 20 }), runOf("aft")]);
    expect(row?.rates.torn).toMatchObject({ count: 20, of: 1_000, per10k: 200 });
    expect(formatRate(row?.rates.torn ?? { count: 0, of: 0, per10k: 0, low: 0, high: 0 })).toMatch(
      /^200 \(12\d–30\d\)$/,
    );
    expect(formatRate(other?.rates.torn ?? { count: 0, of: 0, per10k: 0, low: 0, high: 0 })).toBe(
      "0 (<37)",
    );
  });

  it("say what was tried again, per request", () => {
    const [row] = alternativeRows([runOf("direct")]);
    expect(row?.retryPercent).toBe(10);
  });
});

describe("the table", () => {
  const limits = [
    { what: "101 writes", outcome: "ok", applied: 101, asked: 101 },
    { what: "5 MB value", outcome: "refused", error: "too_large", applied: 0, asked: 1 },
  ] as const;
  const runs = [
    runOf("direct", { torn: 20, repeated: 3 }),
    runOf("aft", { more: { limits } }),
    runOf("aft", { faults: "none" }),
  ];

  it("fits a terminal and names guarantees, costs, limits and mishaps", () => {
    const text = formatAlternatives(runs, false);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(110);
    expect(text).toMatch(/direct +mishaps +zipf 1 +200 \(12\d–30\d\)/);
    expect(text).toMatch(/aft +5 MB value +refused: too_large/);
    expect(text).toContain("14 slow, 6 duplicate");
    expect(formatAlternatives(sampleSuite().runs, false)).toBe("");
  });

  it("leaves of the systems those that kept a need in all their runs", () => {
    const [torn] = choicesOf(alternativeRows(runs));
    expect(torn?.kept.map(({ system }) => system)).toEqual(["aft"]);
  });

  it("stands in the page, numbers with their fields", () => {
    const suite = suiteOf(...runs);
    const page = renderPage({
      suite: { ...suite, claims: evaluateClaims(suite) },
      figures: [],
      notDrawn: [],
      keepInvalid: false,
      linkTo: (directory) => directory,
      manifests: new Map(),
      bundle: { script: "void 0;", notices: "" },
    });
    expect(page).toContain('<data value="20" data-field="effects.inPart.requests">200 (');
    expect(page).toContain("refused: too_large");
    expect(page).toContain("What is expected");
  });
});

describe("the figure", () => {
  it("is drawn of eleven systems at three skews, with and without mishaps", async () => {
    const systems = Array.from({ length: 11 }, (_unused, index) => `system-${index}`);
    const runs = systems.flatMap((system) =>
      ["none", "mishaps:1%"].flatMap((faults) =>
        [0.5, 1, 1.5].map((zipfTheta) => runOf(system, { faults, zipfTheta, torn: zipfTheta * 4 })),
      ),
    );
    const input = { suite: suiteOf(...runs), paper: {} as never };
    const built = alternativesFigure.build(input);
    if (built.kind !== "figure") throw new Error("not drawn");
    expect(built.rows.length).toBeGreaterThan(66 * 5);
    const { svg } = await renderFigure(built.spec);
    for (const text of ["system-10", "with mishaps", "left alone", "requests seen in part"])
      expect(svg).toContain(text);
    expect(alternativesFigure.build({ ...input, suite: suiteOf() }).kind).toBe("missing");
  });
});

describe("what is expected", () => {
  it.each([
    ["alternatives-aft", runOf("aft"), runOf("aft", { torn: 1 })],
    ["alternatives-redis-multi", runOf("redis-multi", { torn: 4 }), runOf("redis-multi")],
    ["alternatives-step-log", runOf("step-log", { torn: 2 }), runOf("step-log", { repeated: 1 })],
    [
      "alternatives-promises",
      runOf("redis-occ"),
      runOf("redis-occ", { more: { violated: ["read-atomic"] } }),
    ],
  ])("%s can be met and can be missed", (id, met, missed) => {
    expect(verdictOn(id, suiteOf(met)).verdict).toBe("reproduced");
    const { verdict, facts = [] } = verdictOn(id, suiteOf(missed));
    expect(verdict).toBe("not-reproduced");
    expect(facts.join()).toMatch(/mishaps in|broke/);
  });

  it("of postgres-ser is about functions, and says what becomes of whole requests", () => {
    const { anomalies: counted } = runOf("postgres-ser");
    const none = { transactions: 0, upperBoundPer10k: 1 };
    const anomalies = { ...counted, anomalous: none, lostUpdates: none };
    const more = { perFunction: anomalies };
    const { verdict, facts = [] } = verdictOn(
      "alternatives-postgres-ser",
      suiteOf(runOf("postgres-ser", { torn: 6, more })),
    );
    expect(verdict).toBe("reproduced");
    expect(facts.join()).toMatch(/6 seen in part/);
    const lostUpdates = { transactions: 1, upperBoundPer10k: 1 };
    const lost = { perFunction: { ...anomalies, lostUpdates } };
    expect(
      verdictOn("alternatives-postgres-ser", suiteOf(runOf("postgres-ser", { more: lost })))
        .verdict,
    ).toBe("not-reproduced");
  });

  it("is not judged of a system that was not run", () => {
    const { verdict, reason } = verdictOn("alternatives-aft", suiteOf(runOf("direct")));
    expect(verdict).toBe("not-testable");
    expect(reason).toMatch(/alternatives/);
  });
});
