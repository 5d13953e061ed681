/**
 * Goal    Lost updates and stale reads are counted where the record proves them, and only there.
 * Method  Hand records with write intervals, and with a commit order; one changed instant at a time.
 */
import { describe, expect, it } from "vitest";
import type { RecordedOperation, RecordedTransaction } from "#harness/record/history.ts";
import { countAnomalies } from "./counts.ts";
import { countStaleness } from "./staleness.ts";

interface Step {
  readonly read?: string | null;
  readonly write?: true;
  readonly at: readonly [number, number];
}

/** Operations on x; sessions are numbered by transaction unless given. */
function transaction(
  id: string,
  steps: readonly Step[],
  more: Partial<RecordedTransaction> = {},
): RecordedTransaction {
  const operations = steps.map(({ read, at: [startUs, endUs] }, index): RecordedOperation => {
    const base = { key: "x", startUs, endUs };
    if (read === undefined) return { ...base, kind: "write", sequence: index };
    return { ...base, kind: "read", from: read, fromSequence: read === null ? -1 : 0 };
  });
  return {
    requestId: id,
    attempt: 0,
    transactionId: id,
    session: id.codePointAt(0) ?? 0,
    outcome: "committed",
    writeSet: ["x"],
    operations,
    ...more,
  };
}

const write = (start: number, end: number): Step => ({ write: true, at: [start, end] });
const read = (from: string | null, start: number): Step => ({ read: from, at: [start, start + 1] });

describe("versions ordered by write intervals", () => {
  it("counts versions acknowledged before the read began as its depth", () => {
    const writers = [0, 10, 20].map((at, index) => transaction(`w${index}`, [write(at, at + 5)]));
    const history = [...writers, transaction("r", [read("w0", 30)])];
    const { staleReads, depthMax, staleReaders, reads } = countStaleness(history);
    expect({ staleReads, depthMax, staleReaders, reads }).toEqual({
      staleReads: 1,
      depthMax: 2,
      staleReaders: 1,
      reads: 1,
    });
  });

  it("counts what is shown when its function ends from then on, and orders it by its lock", () => {
    const shownLate = (visibleUs: number) => {
      const { operations, ...rest } = transaction("b", [write(10, 12)]);
      return {
        ...rest,
        operations: operations.map((one) => (one.kind === "write" ? { ...one, visibleUs } : one)),
      };
    };
    const first = transaction("a", [write(0, 5)]);
    const reader = transaction("r", [read("a", 30)]);
    expect(countStaleness([first, shownLate(31), reader]).staleReads).toBe(0);
    expect(countStaleness([first, shownLate(29), reader]).staleReads).toBe(1);
    const overwriter = transaction("o", [read("a", 8), write(20, 25)]);
    expect(countStaleness([first, shownLate(31), overwriter]).lostUpdates).toBe(1);
  });

  it("does not count what was not acknowledged yet, or overlaps the version that was read", () => {
    const first = transaction("a", [write(0, 5)]);
    const late = transaction("b", [write(10, 31)]);
    const overlapping = transaction("c", [write(4, 8)]);
    const reader = transaction("r", [read("a", 30)]);
    expect(countStaleness([first, late, overlapping, reader]).staleReads).toBe(0);
  });

  it("takes no value for older than any", () => {
    const history = [transaction("a", [write(0, 5)]), transaction("r", [read(null, 9)])];
    expect(countStaleness(history).depthMax).toBe(1);
  });

  it("counts an update that was overwritten unseen", () => {
    const [a, b] = [transaction("a", [write(0, 5)]), transaction("b", [write(10, 15)])];
    const lost = transaction("t", [read("a", 7), write(20, 25)]);
    expect(countStaleness([a, b, lost])).toMatchObject({ lostUpdates: 1, staleReads: 0 });
    const seen = transaction("t", [read("b", 17), write(20, 25)]);
    expect(countStaleness([a, b, seen]).lostUpdates).toBe(0);
    const unproven = transaction("t", [read("a", 7), write(14, 25)]);
    expect(countStaleness([a, b, unproven]).lostUpdates).toBe(0);
    const blind = transaction("t", [write(20, 25)]);
    expect(countStaleness([a, b, blind]).lostUpdates).toBe(0);
  });

  it("leaves out transactions that did not surely commit", () => {
    const a = transaction("a", [write(0, 5)]);
    const b = transaction("b", [write(10, 15)], { outcome: "unknown" });
    expect(countStaleness([a, b, transaction("r", [read("a", 30)])]).staleReads).toBe(0);
  });
});

describe("versions ordered by commits", () => {
  const a = transaction("a", [write(0, 1)], { commitOrder: "1" });
  const b = transaction("b", [write(2, 3)], { commitOrder: "2" });

  it("takes a version for there once its session went on", () => {
    const reader = transaction("r", [read("a", 30)], { commitOrder: "3" });
    // The write was acknowledged long ago, but it was buffered.
    expect(countStaleness([a, b, reader]).staleReads).toBe(0);
    const next = transaction("bb", [read("b", 20)], { commitOrder: "4" });
    expect(countStaleness([a, b, next, reader]).staleReads).toBe(1);
  });

  it("counts a version between the one read and the own one as a lost update", () => {
    const lost = transaction("t", [read("a", 1), write(2, 3)], { commitOrder: "3" });
    expect(countStaleness([a, b, lost]).lostUpdates).toBe(1);
    const before = transaction("t", [read("a", 1), write(2, 3)], { commitOrder: "15" });
    expect(countStaleness([a, b, before]).lostUpdates).toBe(0);
  });
});

it("is reported beside the anomalies, not among them", () => {
  const history = [
    transaction("a", [write(0, 5)]),
    transaction("b", [write(10, 15)]),
    transaction("t", [read("a", 17), write(20, 25)]),
  ];
  const report = countAnomalies(history);
  expect(report.anomalous.transactions).toBe(0);
  expect(report.lostUpdates?.transactions).toBe(1);
  expect(report.staleReads).toMatchObject({ transactions: 1, reads: 1, stale: 1, depthMax: 1 });
  expect(report.witnesses.map(({ kind }) => kind).toSorted()).toEqual(["lostUpdate", "staleRead"]);
});
