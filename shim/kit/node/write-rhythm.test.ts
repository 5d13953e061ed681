/**
 * Goal    Commands leave together where that is cheap, and early where the other side would sleep.
 * Method  Turns of a number of commands; which of them end a write.
 */
import { describe, expect, it } from "vitest";
import { WriteRhythm } from "./write-rhythm.ts";

/** Sizes of the writes in one turn of commands that nobody answers meanwhile. */
function writes(rhythm: WriteRhythm, commands: number, underWayBefore = 0): number[] {
  const sizes: number[] = [];
  let gathered = 0;
  for (let command = 1; command <= commands; command += 1) {
    gathered += 1;
    if (!rhythm.leaves(underWayBefore + command)) continue;
    sizes.push(gathered);
    gathered = 0;
  }
  rhythm.endTurn();
  return gathered > 0 ? [...sizes, gathered] : sizes;
}

describe("the rhythm of writes", () => {
  it("sends the first of a few at once, and the rest together", () => {
    const rhythm = new WriteRhythm();
    expect(writes(rhythm, 4)).toEqual([1, 3]);
    expect(writes(rhythm, 1)).toEqual([1]);
    expect(writes(rhythm, 10)).toEqual([1, 8, 1]);
  });

  it("sends many in eights", () => {
    const rhythm = new WriteRhythm();
    writes(rhythm, 40);
    expect(writes(rhythm, 20)).toEqual([8, 8, 4]);
  });

  it("counts what is under way from earlier turns", () => {
    const rhythm = new WriteRhythm();
    expect(writes(rhythm, 3, 30)).toEqual([3]);
  });

  it("goes by the most under way lately, and forgets it when fewer callers are left", () => {
    const rhythm = new WriteRhythm();
    writes(rhythm, 40);
    // Small turns of many callers.
    expect(writes(rhythm, 4)).toEqual([4]);
    for (let turn = 0; turn < 40; turn += 1) writes(rhythm, 4);
    expect(writes(rhythm, 4)).toEqual([1, 3]);
  });
});
