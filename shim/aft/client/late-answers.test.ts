/** Goal  Each number gives its own caller once, in whatever order, over any stretch of a connection. */
import { expect, it } from "vitest";
import fc from "fast-check";
import { LateAnswers } from "./late-answers.ts";

it("does what a Map by number does", () => {
  const steps = fc.array(
    fc.oneof(
      { weight: 20, arbitrary: fc.constant("announce" as const) },
      { weight: 20, arbitrary: fc.nat() },
      { weight: 1, arbitrary: fc.constant("clear" as const) },
    ),
    { maxLength: 600, minLength: 50 },
  );
  fc.assert(
    fc.property(steps, (taken) => {
      const late = new LateAnswers<string>();
      const oracle = new Map<number, string>();
      let announced = 0;
      for (const step of taken) {
        if (step === "announce") {
          announced += 1;
          late.announce(`c${announced}`);
          oracle.set(announced, `c${announced}`);
        } else if (step === "clear") {
          expect(late.clear()).toEqual([...oracle.values()]);
          oracle.clear();
          announced = 0;
        } else {
          const waiting = [...oracle.keys()];
          const number = waiting[step % Math.max(1, waiting.length)] ?? step;
          expect(late.take(number)).toBe(oracle.get(number));
          oracle.delete(number);
          expect(late.take(number)).toBeUndefined();
        }
        expect(late.due).toBe(oracle.size);
      }
    }),
    { numRuns: 100 },
  );
});

it("knows no number that was not announced", () => {
  const late = new LateAnswers<string>();
  for (const number of [0, 1, -1, 1.5]) expect(late.take(number)).toBeUndefined();
});
