/**
 * Goal    A figure beyond its bar fails a micro-benchmark, and only where that is certain.
 */
import { expect, it } from "vitest";
import { judgeBars, type MicroFigure } from "./micro.ts";

const figure = (value: number, least?: number): MicroFigure => ({
  id: "a",
  unit: "ratio",
  value,
  low: value - 0.1,
  high: value + 0.1,
  ...(least !== undefined && { least }),
});

it("judges figures that have a bar, by their interval", () => {
  expect(judgeBars([figure(0.1)])).toBe("pass");
  expect(judgeBars([figure(1.02, 1), figure(0.1)])).toBe("pass");
  expect(judgeBars([figure(0.95, 1)])).toBe("inconclusive");
  expect(judgeBars([figure(0.85, 1), figure(2, 1)])).toBe("fail");
});

it("judges figures that must not be above a bar", () => {
  const below = (value: number): MicroFigure => ({ ...figure(value), most: 1 });
  expect(judgeBars([below(0.98)])).toBe("pass");
  expect(judgeBars([below(1.05)])).toBe("inconclusive");
  expect(judgeBars([below(1.2), below(0.5)])).toBe("fail");
});
