/**
 * Goal    Promises about functions are judged within functions, and one about sessions alone is not judged by a check
 *         that forbids more.
 * Method  A record in which a request is seen in part between its two functions.
 */
import { expect, it } from "vitest";
import type { RecordedOperation, RecordedTransaction } from "./history.ts";
import { summarize } from "./summarize.ts";
import { readRun } from "./run-directory.ts";
import { sampleRun } from "#harness/report/testing/sample.ts";

let now = 0;
const at = () => ({ startUs: (now += 1), endUs: (now += 1) });
const write = (key: string, sequence: number): RecordedOperation => ({
  kind: "write",
  key,
  sequence,
  ...at(),
});
const read = (key: string, from: string, fromSequence: number): RecordedOperation => ({
  kind: "read",
  key,
  from,
  fromSequence,
  ...at(),
});
const done = (
  transactionId: string,
  operations: RecordedOperation[],
  functionEnds: number[],
): RecordedTransaction => ({
  requestId: transactionId,
  attempt: 0,
  transactionId,
  session: 0,
  outcome: "committed",
  writeSet: ["a", "b"],
  operations,
  functionEnds,
});

const between = () => [
  done("old", [write("a", 0), write("b", 1)], [1, 2]),
  done("new", [write("a", 0), write("b", 1)], [1, 2]),
  done("reader", [read("a", "new", 0), read("b", "old", 1)], [1, 2]),
];
const within = () => [
  done("old", [write("a", 0), write("b", 1)], [2, 2]),
  done("new", [write("a", 0), write("b", 1)], [2, 2]),
  done("reader", [read("a", "new", 0), read("b", "old", 1)], [2, 2]),
];

async function violatedBy(
  transactions: RecordedTransaction[],
  promises: readonly string[],
): Promise<readonly string[]> {
  const run = await readRun(sampleRun);
  const measurements = { ...run.measurements, promises };
  return summarize({ ...run, transactions, measurements }).summary.violated;
}

it("holds whole requests to promises about requests", async () => {
  expect(await violatedBy(between(), ["read-atomic"])).toEqual(["read-atomic"]);
});

it("holds functions to promises about functions", async () => {
  const promises = ["session-order", "functions-read-atomic"];
  expect(await violatedBy(between(), promises)).toEqual([]);
  expect(await violatedBy(within(), promises)).toEqual(["functions-read-atomic"]);
});

it("finds an update that a function lost", async () => {
  const lost = [
    done("old", [write("a", 0)], [1, 1]),
    done("first", [read("a", "old", 0), write("a", 0)], [2, 2]),
    done("second", [read("a", "old", 0), write("a", 0)], [2, 2]),
  ];
  expect(await violatedBy(lost, ["functions-keep-updates"])).toEqual(["functions-keep-updates"]);
});
