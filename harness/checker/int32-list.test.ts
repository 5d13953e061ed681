import { expect, it } from "vitest";
import { Int32Blocks } from "./int32-list.ts";

const several = 300_000;
const numbers = Int32Array.from({ length: several }, (_unused, at) => at * 7);

it.each([0, 1, 200_000, several, 1_000_000])(
  "holds in order what was pushed, with %i reserved",
  (reserved) => {
    const blocks = new Int32Blocks(reserved);
    for (const number of numbers) blocks.push(number);
    expect(blocks.length).toBe(several);
    expect(blocks.flat()).toEqual(numbers);
  },
);

it("is empty at first", () => {
  expect(new Int32Blocks().flat().length).toBe(0);
});
