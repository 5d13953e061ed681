/**
 * Goal    The merged run is the union of its parts on one time axis, and says what makes it invalid.
 * Method  Records made by hand; each rule alone, with the part in its place.
 */
import { describe, expect, it } from "vitest";
import type { RecordedTransaction } from "#harness/record/history.ts";
import { histogramsOf, summarize } from "#harness/record/summarize.ts";
import { axisOf, moveTransaction } from "./axis.ts";
import { mergeParts } from "./merge.ts";
import type { PartRecord } from "./part.ts";
import type { FleetPlan } from "./plan.ts";
import { fleetPlan, partOf, recordedPart } from "./testing.ts";

/** The third is due just when the second slice begins. */
const due = [0, 400_000, 1_000_000, 1_900_000];

function merge(
  more: readonly Partial<PartRecord>[] = [],
  plan: FleetPlan = fleetPlan(),
  missing: readonly number[] = [],
) {
  const indices = [0, 1, 2].filter((index) => !missing.includes(index));
  const recorded = indices.map((index) =>
    recordedPart(
      partOf(plan, index, more[index]),
      due.map((dueUs) => ({ dueUs: dueUs + index, responseUs: 1_000 * (index + 1) })),
    ),
  );
  const run = mergeParts({ plan, recorded, missing, promises: ["read-atomic"], command: ["x"] });
  return { run, recorded, summary: summarize(run).summary };
}

/** Of all parts the same machine. */
const oneMachine = [0, 1, 2].map((index) => ({
  clock: { bootId: "one", agreedAtMs: 5_000_000, originUs: 9_000_000 + index, offset: null },
}));

describe("a merged run", () => {
  it("holds every request of every part once, and its histogram is the sum of theirs", () => {
    const { run, recorded, summary } = merge();
    expect(run.attempts).toHaveLength(12);
    expect(new Set(run.attempts.map(({ client }) => client)).size).toBe(12);
    const [first, ...others] = recorded.map(
      ({ record }) => histogramsOf(record.attempts).responseTime,
    );
    for (const other of others) first?.merge(other);
    expect(summary.responseTimeUs).toEqual(first?.summary());
    expect(summary.valid).toBe(true);
  });

  it("has one time axis, on which all parts begin at the agreed start", () => {
    const { run } = merge();
    const [block] = run.measurements.blocks;
    expect(block?.startUs).toBe(100_000_000);
    const firsts = run.attempts.filter(({ client }) => client < 3).map(({ dueUs }) => dueUs);
    expect(firsts).toEqual([100_000_000, 100_000_001, 100_000_002]);
  });

  it("is cut into slices by due times; the last one ends with the last answer", () => {
    const { run } = merge();
    const { blocks } = run.measurements;
    expect(blocks.map(({ startUs, endUs }) => [startUs, endUs])).toEqual([
      [100_000_000, 101_000_000],
      [101_000_000, 102_000_000],
    ]);
    const counts = [0, 1].map((one) => run.attempts.filter(({ block }) => block === one).length);
    expect(counts).toEqual([6, 6]);
  });

  it("says how many machines made it, how late the last one was and how clocks compare", () => {
    const { summary, run } = merge([{}, { latenessMs: 12.3 }]);
    expect(summary.notes?.[0]).toBe(
      "fleet: load from 3 of 3 parts on 3 machines, the last 12.3 ms after the agreed start; clocks compared by measured offsets",
    );
    expect(run.manifest.resolved.load["fleet"]).toMatchObject({ parts: 3, machines: 3 });
    expect(run.manifest.labels).toEqual(["measured", "open-loop"]);
    expect(merge(oneMachine).summary.notes?.[0]).toContain("on 1 machine, ");
  });

  it("adds up what was offered, and keeps each generator by itself", () => {
    const { measurements } = merge().run;
    expect(measurements.load).toMatchObject({ offered: 30, maxInFlight: 3 });
    expect(measurements.load?.dispatchLatenessUs).toMatchObject({ count: 3, min: 10, max: 30 });
    expect(measurements.generators?.map(({ load }) => load?.offered)).toEqual([10, 10, 10]);
    expect(measurements.platform).toEqual({ coldStarts: 3, invocations: 60 });
  });

  it("on an emulator of a service is no measurement of it", () => {
    const storage = { engine: "s3", endpoint: "http://elsewhere" };
    expect(merge([], fleetPlan({ storage })).run.manifest.labels[0]).toBe("emulator");
  });
});

describe("what makes a merged run invalid", () => {
  const cases: readonly (readonly [string, Partial<PartRecord>, RegExp])[] = [
    ["a part that began late", { latenessMs: 251 }, /^part-late: part 2 of 3 began 251 ms /],
    [
      "a clock that is surely off",
      { clock: { ...partOf(fleetPlan(), 1).clock, offset: { lowMs: 260, highMs: 300 } } },
      /^clocks-apart: the clock of part 2 of 3 is 280 ms off/,
    ],
    [
      "another agreed start",
      { clock: { ...partOf(fleetPlan(), 1).clock, agreedAtMs: 5_000_001 } },
      /^starts-differ/,
    ],
    ["other code", { git: { commit: "decaf", dirty: false } }, /^code-differs: .*c0ffee, decaf/],
    [
      "a generator that stood still",
      { watch: { longestStallMs: 401, stalledMs: 401, utilization: 1 } },
      /^generator-stalled: .* \(part 2 of 3\)/,
    ],
  ];
  it.each(cases)("%s, and it is named", (_what, more, reason) => {
    const { summary } = merge([{}, more]);
    expect(summary.valid).toBe(false);
    expect(summary.invalidReasons).toHaveLength(1);
    expect(summary.invalidReasons[0]).toMatch(reason);
  });

  it("a part without a record, where that was allowed: the rest is there, and partial", () => {
    const { summary, run } = merge([], fleetPlan(), [1]);
    expect(run.attempts).toHaveLength(8);
    expect(run.manifest.state).toBe("partial");
    expect(summary.invalidReasons[0]).toMatch(/^part-missing: part 2 of 3/);
  });

  it("not a clock that may be right, nor a little lateness", () => {
    const clock = { ...partOf(fleetPlan(), 1).clock, offset: { lowMs: -400, highMs: 400 } };
    expect(merge([{}, { clock, latenessMs: 249 }]).summary.valid).toBe(true);
  });
});

describe("operations of several machines", () => {
  const operation = { kind: "read", key: "k", from: null, fromSequence: -1 } as const;
  const transaction: RecordedTransaction = {
    requestId: "r",
    attempt: 0,
    transactionId: "t",
    session: 1,
    outcome: "committed",
    writeSet: [],
    operations: [
      { ...operation, startUs: 14_000_100, endUs: 14_000_300 },
      { kind: "write", key: "k", sequence: 0, startUs: 14_000_400, endUs: null },
    ],
  };
  const spanOf = (plan: FleetPlan, more: Partial<PartRecord>[] = []) => {
    const parts = [0, 1, 2].map((index) => partOf(plan, index, more[index]));
    const axis = axisOf(plan, parts);
    const own = axis.parts[1] ?? { shiftUs: 0, lowUs: 0, highUs: 0 };
    const [read, write] = moveTransaction(transaction, own).operations;
    return { by: axis.by, read, write };
  };

  it("are ordered by what the clocks prove: intervals grow by what these may be apart", () => {
    const { by, read, write } = spanOf(fleetPlan());
    expect(by).toBe("measured offsets");
    expect(read).toMatchObject({ startUs: 100_000_100 - 20_000, endUs: 100_000_300 + 30_000 });
    expect(write).toMatchObject({ startUs: 100_000_400 - 20_000, endUs: null });
  });

  it("grow by the tolerance that somebody stated", () => {
    const { by, read } = spanOf(fleetPlan({ clockToleranceMs: 2 }));
    expect(by).toBe("stated tolerance");
    expect(read).toMatchObject({ startUs: 100_000_100 - 2_000, endUs: 100_000_300 + 2_000 });
  });

  it("prove nothing to each other where nothing is known of their clocks", () => {
    const unknown = [0, 1, 2].map((index) => ({
      clock: { ...partOf(fleetPlan(), index).clock, offset: null },
    }));
    const { by, read } = spanOf(fleetPlan(), unknown);
    expect(by).toBe("nothing");
    expect(read).toMatchObject({ startUs: 100, endUs: 200_000_300 });
  });

  it("of machines whose monotonic clocks happen to agree are of several machines all the same", () => {
    const plan = fleetPlan();
    const parts = oneMachine.map(({ clock }, index) =>
      partOf(plan, index, { clock: { ...clock, bootId: index === 0 ? "another" : "one" } }),
    );
    expect(axisOf(plan, parts).by).toBe("nothing");
    const alike = oneMachine.map(({ clock }, index) =>
      partOf(plan, index, { clock: { ...clock, originUs: clock.originUs + index * 60_000 } }),
    );
    // A kernel's name alone is no proof: a copy of a virtual machine has the same.
    expect(axisOf(plan, alike).by).toBe("nothing");
  });

  it("on one machine keep their instants", () => {
    const plan = fleetPlan();
    const parts = [0, 1, 2].map((index) => partOf(plan, index, oneMachine[index]));
    const axis = axisOf(plan, parts);
    expect(axis.by).toBe("one machine's clock");
    expect(new Set(axis.parts.map(({ shiftUs }) => shiftUs))).toEqual(new Set([91_000_000]));
    expect(axis.parts.every(({ lowUs, highUs }) => lowUs === 0 && highUs === 0)).toBe(true);
  });
});
