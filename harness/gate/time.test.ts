/**
 * Goal    The time gate fails a slower candidate, passes an equal one, and admits when it cannot tell.
 */
import { describe, expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { type AbFigures, judgeTime, type TimeJudgement, timeGate } from "./time.ts";

/** Blocks with up to 10 % noise and a drift that all sides share. */
function noisy(blocks: number, factors: { baseAgain?: number; candidate?: number }): AbFigures {
  const prng = createPrng(7);
  const side = (factor: number): number[] =>
    Array.from({ length: blocks }, (_unused, at) => factor * (100 + at) * (1 + 0.1 * prng.next()));
  const { baseAgain = 1, candidate = 1 } = factors;
  return { base: side(1), baseAgain: side(baseAgain), candidate: side(candidate) };
}

function judge(figures: AbFigures): TimeJudgement {
  return judgeTime({ name: "p50", figures, threshold: 0.2, prng: createPrng(1) });
}

describe("judgeTime", () => {
  it("passes an equal candidate", () => {
    expect(judge(noisy(12, {})).outcome).toBe("pass");
  });

  it("passes a faster one", () => {
    expect(judge(noisy(12, { candidate: 0.5 })).outcome).toBe("pass");
  });

  it("passes one that is slower within the threshold, however certainly", () => {
    const judged = judge(noisy(40, { candidate: 1.1 }));
    expect(judged.ratio.low).toBeGreaterThan(1);
    expect(judged.outcome).toBe("pass");
  });

  it("fails one that is slower beyond it", () => {
    const judged = judge(noisy(12, { candidate: 1.5 }));
    expect(judged).toMatchObject({ outcome: "fail" });
    expect(judged.p).toBeLessThan(0.001);
  });

  it("cannot tell about one at the threshold", () => {
    expect(judge(noisy(12, { candidate: 1.2 })).outcome).toBe("inconclusive");
  });

  it("decides nothing where base differs from itself, even for a slow candidate", () => {
    const judged = judge(noisy(12, { baseAgain: 1.6, candidate: 1.8 }));
    expect(judged.outcome).toBe("inconclusive");
    expect(judged.explanation).toContain("unfit");
  });

  it("decides nothing from five blocks", () => {
    expect(judge(noisy(5, { candidate: 9 })).outcome).toBe("inconclusive");
  });
});

it("says all that a reader needs to disagree", () => {
  const result = timeGate([judge(noisy(12, {}))], { attempts: 2, notes: ["12 blocks"] });
  expect(result).toMatchObject({ gate: "time", outcome: "pass", attempts: 2 });
  expect(result.checks[0]?.explanation).toMatch(/base\/base .*threshold 1\.20, 12 blocks/);
});
