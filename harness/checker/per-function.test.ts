/** Goal  Functions as transactions: what a request does between two functions is no anomaly of either. */
import { expect, it } from "vitest";
import type { RecordedOperation, RecordedTransaction } from "#harness/record/history.ts";
import { countAnomalies } from "./counts.ts";
import { splitByFunction } from "./per-function.ts";

let now = 0;
const tick = () => ({ startUs: (now += 1), endUs: (now += 1) });
const write = (key: string, sequence: number): RecordedOperation => ({
  kind: "write",
  key,
  sequence,
  ...tick(),
});
const read = (key: string, from: string | null, fromSequence = 0): RecordedOperation => ({
  kind: "read",
  key,
  from,
  fromSequence,
  ...tick(),
});
const attempt = (
  transactionId: string,
  operations: RecordedOperation[],
  more: Partial<RecordedTransaction> = {},
): RecordedTransaction => ({
  requestId: transactionId,
  attempt: 0,
  transactionId,
  session: 0,
  outcome: "committed",
  writeSet: ["a", "b"],
  operations,
  ...more,
});

it("sees a request in part as two whole functions", () => {
  const old = attempt("old", [write("a", 0), write("b", 1)], { functionEnds: [1, 2] });
  const first = write("a", 0);
  const reader = attempt("reader", [read("a", "new"), read("b", "old", 1)], { writeSet: [] });
  const whole = [old, attempt("new", [first, write("b", 1)], { functionEnds: [1, 2] }), reader];
  expect(countAnomalies(whole).fractured.transactions).toBe(1);
  const split = splitByFunction(whole);
  expect(split.map(({ transactionId }) => transactionId)).toEqual([
    "old#0",
    "old#1",
    "new#0",
    "new#1",
    "reader",
  ]);
  expect(countAnomalies(split).anomalous.transactions).toBe(0);
});

it("keeps what breaks within one function, and takes what went on for done", () => {
  const x = attempt("x", [write("a", 0), write("b", 1)], { functionEnds: [2, 2] });
  const y = attempt("y", [write("a", 0), write("b", 1)], {
    outcome: "aborted",
    functionEnds: [2, 2],
  });
  const reader = attempt("r", [read("a", "y"), read("b", "x", 1)], { writeSet: [] });
  const counted = countAnomalies(splitByFunction([x, y, reader]));
  expect(counted.fractured.transactions).toBe(1);
  // Its first function was done when its second failed.
  expect(counted.dirtyReads.transactions).toBe(0);
});
