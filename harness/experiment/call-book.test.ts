/** Goal  Storage calls are counted once, in the block in which they were made, whoever worked before. */
import { expect, it } from "vitest";
import { CallBook } from "./call-book.ts";

const counters = (calls: number) => ({ calls, bytesRead: calls * 10, bytesWritten: calls });

it("counts what instances did within blocks, and nothing from before or between", () => {
  const book = new CallBook();
  expect(book.measured()).toBeNull();
  book.note("a", counters(5), true);
  book.beginBlock();
  book.note("a", counters(8), false);
  // It has worked for another cell before: what it did then is not known here.
  book.note("b", counters(1_000), false);
  book.note("b", counters(1_002), false);
  // Started within the block.
  book.note("c", counters(4), true);
  book.endBlock();
  book.note("a", counters(50), false);
  book.beginBlock();
  // Deployed anew under an old name.
  book.note("a", counters(1), true);
  book.endBlock();
  expect(book.measured()).toEqual({ calls: 10, bytes: 110, bytesRead: 100, bytesWritten: 10 });
});
