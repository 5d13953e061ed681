/**
 * Goal    A run is judged at what its system promises, accuses nobody wrongly, and never fails.
 * Method  Hand-made records, one per rule: sessions, unknown outcomes, writers that are not recorded,
 *         many sessions, long runs; and what a summary makes of them.
 */
import { describe, expect, it } from "vitest";
import type { RecordedOperation, RecordedTransaction } from "#harness/record/history.ts";
import { judgeRecord } from "./judge-record.ts";

const instants = { startUs: 0, endUs: 1 };

function write(key: string, sequence = 0): RecordedOperation {
  return { kind: "write", key, sequence, ...instants };
}

function read(
  key: string,
  from: string | null,
  fromSequence = from === null ? -1 : 0,
): RecordedOperation {
  return { kind: "read", key, from, fromSequence, ...instants };
}

function transaction(
  transactionId: string,
  session: number,
  operations: readonly RecordedOperation[],
  outcome: RecordedTransaction["outcome"] = "committed",
): RecordedTransaction {
  return {
    requestId: transactionId,
    attempt: 0,
    transactionId,
    session,
    outcome,
    writeSet: [],
    operations,
  };
}

const passed = { rc: "pass", ra: "pass", cc: "pass", "ra-without-sessions": "pass" };

describe("judgeRecord", () => {
  it("passes what an order explains", () => {
    const report = judgeRecord([
      transaction("fill", -2, [write("x"), write("y", 1)]),
      transaction("a", 0, [read("x", "fill"), write("x")]),
      transaction("b", 1, [read("x", "a"), read("y", "fill", 1)]),
    ]);
    expect(report).toMatchObject({ verdicts: passed, reasons: {}, witnesses: [] });
    expect(report.coverage).toEqual({ transactions: 3, operations: 6, windows: 1, missed: [] });
  });

  it("tells a fractured read from a session that missed its own earlier write", () => {
    const both = transaction("t1", 0, [write("x"), write("y", 1)]);
    const fractured = [both, transaction("t2", 1, [read("x", "t1"), read("y", null)])];
    expect(judgeRecord(fractured).verdicts).toMatchObject({
      ra: "violation",
      "ra-without-sessions": "violation",
    });
    const stale = [both, transaction("t2", 0, [read("x", null)])];
    const report = judgeRecord(stale);
    expect(report.verdicts).toEqual({ ...passed, ra: "violation", cc: "violation" });
    expect(report.witnesses).toHaveLength(1);
    expect(report.witnesses[0]).toMatchObject({ check: "ra" });
  });

  it("does not order a client's later transactions after one of unknown outcome", () => {
    const history = [
      transaction("lost", 0, [write("x")], "unknown"),
      transaction("next", 0, [read("x", null)]),
      transaction("other", 1, [read("x", "lost")]),
    ];
    expect(judgeRecord(history).verdicts).toEqual(passed);
  });

  it("does not believe the writes of an attempt that was answered for an earlier one", () => {
    // The first attempt did commit; the second was told so, and its own write never was.
    const history = [
      { ...transaction("first", 0, [write("x")], "unknown"), requestId: "r" },
      { ...transaction("second", 0, [read("x", "first"), write("x")]), requestId: "r", attempt: 1 },
      transaction("next", 0, [read("x", "first")]),
    ];
    expect(judgeRecord(history).verdicts).toEqual(passed);
    const believed = history.map((one) => ({ ...one, requestId: one.transactionId }));
    expect(judgeRecord(believed).verdicts.ra).toBe("violation");
  });

  it("does not order the fill of old records, which had one session for all", () => {
    const history = [
      transaction("f1", -1, [write("x")]),
      transaction("f2", -1, [write("y")]),
      transaction("a", 0, [read("y", "f2"), read("x", null)]),
    ];
    expect(judgeRecord(history).verdicts).toEqual(passed);
    const sessions = history.map((one) => (one.session === -1 ? { ...one, session: -2 } : one));
    expect(judgeRecord(sessions).verdicts).toMatchObject({ ra: "pass", cc: "violation" });
  });

  it("proves nothing where a writer is not recorded, and still finds what is sure", () => {
    const ghost = transaction("a", 0, [read("x", "ghost")]);
    const report = judgeRecord([ghost]);
    expect(report.verdicts).toMatchObject({ ra: "undecided", "ra-without-sessions": "undecided" });
    expect(report.reasons.ra).toContain("not in the record");
    const twice = transaction("b", 1, [read("x", "ghost"), read("x", null)]);
    expect(judgeRecord([twice]).verdicts.ra).toBe("violation");
  });

  it("does not run CC over too many sessions, and says so", () => {
    const history = Array.from({ length: 50 }, (_unused, index) =>
      transaction(`t${index}`, index, [write(`k${index}`)]),
    );
    const report = judgeRecord(history, { causalWork: 1_000 });
    expect(report.verdicts).toEqual({ ...passed, cc: "not-run" });
    expect(report.reasons.cc).toContain("50 sessions");
  });

  it("judges a long run in windows and never calls that a pass", () => {
    const history = Array.from({ length: 100 }, (_unused, index) =>
      transaction(`t${index}`, index % 3, [write("x"), read("x", `t${index}`)]),
    );
    const report = judgeRecord(history, { wholeOperations: 50 });
    expect(report.verdicts).toEqual({
      rc: "undecided",
      ra: "undecided",
      cc: "not-run",
      "ra-without-sessions": "undecided",
    });
    expect(report.coverage.windows).toBeGreaterThan(3);
    expect(report.coverage.missed.length).toBeGreaterThan(0);
  });

  it("is undecided, not broken, when a record says one thing twice", () => {
    const report = judgeRecord([transaction("a", 0, [write("x"), write("x")])]);
    expect(report.verdicts.ra).toBe("undecided");
    expect(report.reasons.ra).toContain("written twice");
  });
});
