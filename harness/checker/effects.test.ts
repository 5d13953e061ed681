/**
 * Goal    An effect counts as torn or repeated only if somebody else's read proves it.
 * Method  Hand-made records, one clause each.
 */
import { describe, expect, it } from "vitest";
import type { RecordedOperation, RecordedTransaction } from "#harness/record/history.ts";
import { countAnomalies } from "./counts.ts";
import { countEffects } from "./effects.ts";

function attempt(
  transactionId: string,
  operations: readonly RecordedOperation[],
  more: Partial<RecordedTransaction> = {},
): RecordedTransaction {
  const [requestId = ""] = transactionId.split(".");
  return {
    requestId,
    attempt: 0,
    transactionId,
    session: 0,
    outcome: "committed",
    writeSet: ["a", "b"],
    operations,
    ...more,
  };
}
const at = { startUs: 0, endUs: 1 };
const write = (key: string): RecordedOperation => ({ kind: "write", key, sequence: 0, ...at });
const read = (key: string, from: string): RecordedOperation => ({
  kind: "read",
  key,
  from,
  fromSequence: 0,
  ...at,
});
const failed = { outcome: "unknown", reason: "failed on purpose" } as const;
const found = (transactions: readonly RecordedTransaction[]): [number, number] => {
  const { torn, repeated } = countEffects(transactions);
  return [torn.requests, repeated.requests];
};

describe("countEffects", () => {
  it("counts a half-done attempt once, however often it was read", () => {
    const half = attempt("r.1", [write("a")], failed);
    const readers = ["s.1", "t.1"].map((id) => attempt(id, [read("a", "r.1")]));
    expect(found([half, ...readers])).toEqual([1, 0]);
  });

  it("counts nothing that nobody else read", () => {
    const half = attempt("r.1", [write("a")], failed);
    const again = attempt("r.2", [read("a", "r.1"), write("a"), write("b")]);
    expect(found([half, again])).toEqual([0, 0]);
  });

  it("does not call an attempt torn that had done all its writes", () => {
    const whole = attempt("r.1", [write("a"), write("b")], failed);
    expect(found([whole, attempt("s.1", [read("a", "r.1")])])).toEqual([0, 0]);
  });

  it("counts a repetition when two attempts were seen under one key", () => {
    const attempts = ["r.1", "r.2"].map((id) => attempt(id, [write("a"), write("b")]));
    const one = attempt("s.1", [read("a", "r.1")]);
    expect(found([...attempts, one, attempt("t.1", [read("b", "r.2")])])).toEqual([0, 0]);
    expect(found([...attempts, one, attempt("t.1", [read("a", "r.2")])])).toEqual([0, 1]);
  });

  it("counts a request as seen in part that was torn, or that a fractured read saw half of", () => {
    const half = attempt("r.1", [write("a")], failed);
    const whole = attempt("q.1", [write("a"), write("b")]);
    const all = [half, whole, attempt("s.1", [read("a", "r.1")]), attempt("t.1", [])];
    expect(countEffects(all).inPart).toBeUndefined();
    expect(countEffects(all, new Set()).inPart?.requests).toBe(1);
    expect(countEffects(all, new Set(["q.1", "r.1"])).inPart?.requests).toBe(2);
    const seen: string[] = [];
    countAnomalies(
      [
        attempt("old.1", [write("b")], { writeSet: ["b"], commitOrder: "1" }),
        attempt("q.1", [write("a"), write("b")], { commitOrder: "2" }),
        attempt("t.1", [read("a", "q.1"), read("b", "old.1")], { writeSet: [] }),
      ],
      undefined,
      (id) => seen.push(id),
    );
    expect(seen).toEqual(["q.1"]);
  });

  it("bounds what it did not see", () => {
    const { requests, torn } = countEffects([attempt("r.1", [])]);
    expect(requests).toBe(1);
    expect(torn.upperBoundPer10k).toBeGreaterThan(9_000);
  });
});
