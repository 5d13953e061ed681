/**
 * Goal    The time gate fails a slower candidate, passes an equal one, and admits when it cannot tell.
 */
import { describe, expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { type AbFigures, judgeTail, judgeTime, type TimeJudgement, timeGate } from "./time.ts";

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

describe("judgeTail", () => {
  /** Blocks of 50 values; one in twenty is `slow` times as long. */
  function blocks(count: number, slow: number, seed: number): number[][] {
    const prng = createPrng(seed);
    return Array.from({ length: count }, () =>
      Array.from({ length: 50 }, () => 100 * (1 + prng.next()) * (prng.next() < 0.05 ? slow : 1)),
    );
  }
  const judgeTails = (count: number, slow: number): TimeJudgement =>
    judgeTail({
      name: "p99",
      q: 0.99,
      values: {
        base: blocks(count, 3, 1),
        baseAgain: blocks(count, 3, 2),
        candidate: blocks(count, slow, 3),
      },
      threshold: 1,
      prng: createPrng(1),
    });

  it("passes an equal tail, and fails one that is more than twice as long", () => {
    expect(judgeTails(40, 3).outcome).toBe("pass");
    expect(judgeTails(40, 12)).toMatchObject({ outcome: "fail", tail: true });
  });

  it("gives no figure where the sample cannot carry it", () => {
    const judged = judgeTails(9, 12);
    expect(judged.outcome).toBe("inconclusive");
    expect(judged.explanation).toBe("n/a (need 459 transactions a side, have 450)");
  });

  it("may fail the gate, but a doubt about it does not withhold a pass", () => {
    const p50 = judge(noisy(12, {}));
    const options = { attempts: 1, notes: [] };
    expect(timeGate([p50, judgeTails(9, 12)], options).outcome).toBe("pass");
    expect(timeGate([p50, judgeTails(40, 12)], options).outcome).toBe("fail");
    expect(timeGate([judgeTails(9, 12)], options).outcome).toBe("inconclusive");
  });
});
