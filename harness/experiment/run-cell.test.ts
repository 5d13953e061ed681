import { expect, it } from "vitest";
import { notForTimes } from "./run-cell.ts";

it("notes what disturbs times where only counts are read off, and distrusts nothing else", () => {
  const judged = {
    invalidReasons: ["generator-stalled: 438 ms"],
    notes: ["machine-shared: a little"],
    validity: "strict",
  };
  expect(notForTimes(judged)).toEqual({
    invalidReasons: [],
    notes: ["machine-shared: a little", "not fit for times: generator-stalled: 438 ms"],
    validity: "strict",
  });
});
