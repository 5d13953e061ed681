/**
 * Goal    A gate says pass, fail or "cannot tell", and every output says the same.
 */
import { describe, expect, it } from "vitest";
import { type ExactRun, judgeExact } from "./exact.ts";
import { formatGates, gatesToJunit, gatesToMarkdown } from "./format.ts";
import { worstOutcome } from "./outcome.ts";

const baseline = {
  parameters: { seed: 1 },
  cases: { memory: { committed: 10, storageCalls: 20 } },
};

function run(storageCalls: number): ExactRun {
  return { ...baseline, cases: { memory: { committed: 10, storageCalls } }, notRun: [] };
}

describe("judgeExact", () => {
  it("passes equal counts", () => {
    expect(judgeExact(baseline, [run(20)])).toMatchObject({ outcome: "pass", attempts: 1 });
  });

  it("fails one call more, with both figures", () => {
    const result = judgeExact(baseline, [run(30), run(30)]);
    expect(result).toMatchObject({ outcome: "fail", attempts: 2 });
    const explanation = "30 (3 a transaction), baseline 20 (2 a transaction)";
    expect(result.checks).toContainEqual({
      name: "memory: storageCalls",
      outcome: "fail",
      explanation,
    });
  });

  it("fails one call less: an improvement belongs into the baseline, too", () => {
    expect(judgeExact(baseline, [run(19), run(19)]).outcome).toBe("fail");
  });

  it("cannot tell when counts do not repeat", () => {
    expect(judgeExact(baseline, [run(21), run(20)]).outcome).toBe("inconclusive");
  });

  it("fails other parameters, new cases, and cases that vanished", () => {
    const other = { ...run(20), parameters: { seed: 2 } };
    expect(judgeExact(baseline, [other]).outcome).toBe("fail");
    expect(judgeExact({ ...baseline, cases: {} }, [run(20)]).outcome).toBe("fail");
    expect(judgeExact(baseline, [{ ...run(20), cases: {} }]).outcome).toBe("fail");
  });

  it("does not judge what could not run, and says so", () => {
    const notRun = [{ what: "memory", why: "not installed", get: "buy some" }];
    const result = judgeExact(baseline, [{ ...run(20), cases: {}, notRun }]);
    expect(result.outcome).toBe("inconclusive");
    expect(result.notes).toEqual(["not run: memory: not installed; buy some"]);
  });
});

describe("outputs", () => {
  const failed = judgeExact(baseline, [run(30), run(30)]);

  it("shows failures on a terminal", () => {
    expect(formatGates([failed])).toContain("exact gate: FAIL (1 of 2 checks passed, 2 attempts)");
  });

  it("writes JUnit that names the failure and escapes it", () => {
    const checks = [{ name: 'a<"b"&', outcome: "fail", explanation: "1 > 0" } as const];
    const xml = gatesToJunit([{ ...failed, checks }]);
    expect(xml).toContain('tests="1" failures="1" skipped="0"');
    expect(xml).toContain('name="a&lt;&quot;b&quot;&amp;"><failure message="1 &gt; 0"/>');
  });

  it("writes Markdown with one row per failure", () => {
    const text = gatesToMarkdown([failed]);
    expect(text).toContain("### exact gate: fail");
    expect(text).toContain("| fail | memory: storageCalls | 30 (3 a transaction)");
  });
});

it("lets one failure fail and one doubt doubt", () => {
  expect(worstOutcome(["pass", "inconclusive", "fail"])).toBe("fail");
  expect(worstOutcome(["pass", "inconclusive"])).toBe("inconclusive");
  expect(worstOutcome(["pass"])).toBe("pass");
  expect(worstOutcome([])).toBe("inconclusive");
});
