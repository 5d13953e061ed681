/**
 * Goal    The plume text of a run says to other checkers what the record says to ours.
 * Method  Records with every kind of outcome; verdicts of the text against verdicts of the record.
 */
import { expect, it } from "vitest";
import { check } from "#harness/checker/check.ts";
import { plume } from "#harness/checker/formats/plume.ts";
import { HistoryBuilder } from "#harness/checker/history.ts";
import { judgeRecord } from "#harness/checker/judge-record.ts";
import type { RecordedOperation, RecordedTransaction } from "./history.ts";
import { toPlume } from "./plume.ts";

const instants = { startUs: 0, endUs: 1 };
const write = (key: string, sequence = 0): RecordedOperation => ({
  kind: "write",
  key,
  sequence,
  ...instants,
});
const read = (key: string, from: string | null): RecordedOperation => ({
  kind: "read",
  key,
  from,
  fromSequence: from === null ? -1 : 0,
  ...instants,
});

function one(
  transactionId: string,
  outcome: RecordedTransaction["outcome"],
  operations: readonly RecordedOperation[],
): RecordedTransaction {
  const base = { requestId: transactionId, attempt: 0, session: 0, writeSet: [] };
  return { ...base, transactionId, outcome, operations };
}

function verdictOfText(history: readonly RecordedTransaction[]): string | undefined {
  const builder = new HistoryBuilder();
  const parser = plume.parser({ file: "history.txt", sink: builder });
  parser.feed(new TextEncoder().encode(toPlume(history).text));
  parser.end();
  return check(builder.build(), { levels: ["ra"] }).ra?.kind;
}

// Its own reads are fractured: it must not count unless it surely happened.
const fractured = one("lost", "unknown", [read("x", "both"), read("y", null), write("z")]);
const both = { ...one("both", "committed", [write("x"), write("y", 1)]), session: 1 };

it("leaves out an unknown transaction that only an aborted or unknown one has read from", () => {
  const history = [
    both,
    fractured,
    one("gone", "aborted", [read("z", "lost")]),
    one("also-lost", "unknown", [read("z", "lost")]),
  ];
  expect(judgeRecord(history).verdicts.ra).toBe("pass");
  expect(verdictOfText(history)).toBe("pass");
});

it("keeps one that a committed transaction has read from, also through another unknown one", () => {
  const history = [
    both,
    fractured,
    one("also-lost", "unknown", [read("z", "lost"), write("w")]),
    one("sure", "committed", [read("w", "also-lost")]),
  ];
  expect(judgeRecord(history).verdicts.ra).toBe("violation");
  expect(verdictOfText(history)).toBe("violation");
});

it("adds a writer that is not in the record, so that no value comes from nowhere", () => {
  expect(verdictOfText([one("a", "committed", [read("x", "ghost")])])).toBe("pass");
});
