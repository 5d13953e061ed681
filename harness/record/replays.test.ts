/**
 * Goal    A request that goes on where an attempt has died is counted as what it was: each write once, by
 *         whoever did it, torn until the rest was there, and never as an anomaly of its own.
 * Method  One record by hand: a wrote x and died, b passed over x, wrote y and committed; others looked.
 */
import { expect, it } from "vitest";
import { countAnomalies } from "#harness/checker/counts.ts";
import { countEffects } from "#harness/checker/effects.ts";
import { judgeRecord } from "#harness/checker/judge-record.ts";
import type { RecordedOperation, RecordedTransaction } from "./history.ts";
import { toPlume } from "./plume.ts";
import { keepContinued, withoutReplays } from "./replays.ts";

const write = (key: string, startUs: number, replayed = false): RecordedOperation => ({
  kind: "write",
  key,
  sequence: key === "x" ? 0 : 1,
  startUs,
  endUs: startUs + 5,
  ...(replayed && { replayed: true as const }),
});
const read = (key: string, from: string | null, startUs: number): RecordedOperation => ({
  kind: "read",
  key,
  from,
  fromSequence: from === null ? -1 : key === "x" ? 0 : 1,
  startUs,
  endUs: startUs + 5,
});

const died = attempt("a", [write("x", 10)], { outcome: "aborted", reason: "failed on purpose" });
const went = attempt("b", [write("x", 50, true), read("x", "a", 60), write("y", 70)]);

function attempt(
  transactionId: string,
  operations: readonly RecordedOperation[],
  more: Partial<RecordedTransaction> = {},
): RecordedTransaction {
  return {
    requestId: "r",
    attempt: transactionId === "a" ? 0 : 1,
    transactionId,
    session: 1,
    outcome: "committed",
    writeSet: ["x", "y"],
    operations,
    ...more,
  };
}

function other(transactionId: string, operations: readonly RecordedOperation[]) {
  const session = transactionId.codePointAt(0) ?? 0;
  return attempt(transactionId, operations, { requestId: transactionId, session, writeSet: [] });
}

it("counts no anomaly for going on from an earlier attempt's write", () => {
  const later = other("later", [read("x", "a", 100), read("y", "b", 110)]);
  const history = [died, went, later];
  keepContinued(history);
  expect(history.map(({ outcome }) => outcome)).toEqual(["unknown", "committed", "committed"]);
  const { readYourWrites, fractured, dirtyReads, lostUpdates } = countAnomalies(
    withoutReplays(history),
  );
  const found = [readYourWrites, fractured, dirtyReads, lostUpdates];
  expect(found.map((one) => one?.transactions)).toEqual([0, 0, 0, 0]);
  // Also where a record is read that still holds what was passed over.
  expect(judgeRecord(history).verdicts).toMatchObject({ rc: "pass", ra: "pass" });
  expect(
    toPlume(history)
      .text.split("\n")
      .filter((line) => line.startsWith("w")),
  ).toHaveLength(2);
});

it("leaves an attempt aborted whose request has never committed", () => {
  const again = attempt("b", [write("x", 50, true)], { outcome: "aborted" });
  const history = [died, again];
  keepContinued(history);
  expect(history.map(({ outcome }) => outcome)).toEqual(["aborted", "aborted"]);
});

it("calls it torn only while the rest was missing, and repeated never", () => {
  const during = other("during", [read("x", "a", 30), read("y", null, 40)]);
  const after = other("after", [read("x", "a", 100), read("y", "b", 110)]);
  const effects = (...readers: RecordedTransaction[]): [number, number] => {
    const { torn, repeated } = countEffects([died, went, ...readers]);
    return [torn.requests, repeated.requests];
  };
  expect(effects(after)).toEqual([0, 0]);
  expect(effects(during, after)).toEqual([1, 0]);
});

it("tells two writes of one key by two attempts from one write done twice", () => {
  const again: RecordedOperation = { kind: "write", key: "x", sequence: 1, startUs: 70, endUs: 75 };
  const later = attempt("b", [write("x", 50, true), again]);
  const readers = [
    other("before", [read("x", "a", 60)]),
    other("behind", [{ ...read("x", "b", 100), fromSequence: 1 } as RecordedOperation]),
  ];
  expect(countEffects([died, later, ...readers]).repeated.requests).toBe(0);
  const twice = attempt("b", [write("x", 50, true), write("x", 70)]);
  const seen = [readers[0], other("behind", [read("x", "b", 100)])] as RecordedTransaction[];
  expect(countEffects([died, twice, ...seen]).repeated.requests).toBe(1);
});

it("is the very history where nothing was replayed", () => {
  const history = [died];
  expect(withoutReplays(history)).toBe(history);
});
