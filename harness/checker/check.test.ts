/**
 * Goal    Each clause of the definitions and each known trap of published checkers, by name.
 * Method  Histories by hand in the notation of `testing/plain.ts`: `session: wx1 rx1`, value 0 is initial,
 *         `!` aborted, `?` unknown. Every case is also put to the axioms, so the expectation is theirs.
 */
import { describe, expect, it } from "vitest";
import { check } from "./check.ts";
import { satisfies } from "./testing/axioms.ts";
import { buildPlain, plain } from "./testing/plain.ts";
import { type Anomaly, type Level, levels, type Witness } from "./witness.ts";

/** The levels that a history violates. */
function violated(text: string): Level[] {
  const history = plain(text);
  const verdicts = check(buildPlain(history), { levels });
  const found = levels.filter((level) => verdicts[level]?.kind === "violation");
  expect(
    levels.filter((level) => !satisfies(history, level)),
    "the axioms",
  ).toEqual(found);
  return found;
}

function witnessOf(text: string, level: Level): Witness {
  const verdict = check(buildPlain(plain(text)), { levels: [level] })[level];
  if (verdict?.kind !== "violation") throw new Error(`${level}: ${verdict?.kind}`);
  return verdict.witness;
}

function anomalyOf(text: string, level: Level): Anomaly {
  return witnessOf(text, level).anomaly;
}

const all = [...levels];
const [fromRa, fromCc, fromPc] = [all.slice(1), all.slice(2), all.slice(3)];

describe("read consistency (all levels)", () => {
  const cases: [Anomaly, string][] = [
    ["thin-air-read", "0: rx7"],
    ["aborted-read", "0!: wx1\n1: rx1"],
    ["intermediate-read", "0: wx1 wx2\n1: rx1"],
    ["future-read", "0: rx1 wx1"],
    ["not-own-write", "0: wx1 rx0"],
    ["not-own-write", "0: wx1 wx2 rx1"],
    ["not-own-write", "0: wx1\n1: wx2 rx1"],
  ];
  it.each(cases)("%s: %j", (anomaly, text) => {
    expect(violated(text)).toEqual(all);
    for (const level of levels) expect(anomalyOf(text, level)).toBe(anomaly);
  });

  it("accepts reads of the latest own write", () => {
    expect(violated("0: wx1 rx1 wx2 rx2")).toEqual([]);
  });

  it("prefers the fault that takes the fewest transactions", () => {
    expect(witnessOf("0!: wx1\n1: rx1\n2: ry2 wy2", "rc").transactions).toHaveLength(1);
  });
});

describe("transactions with unknown outcome", () => {
  it("are left out when nobody read from them, whatever they did", () => {
    expect(violated("0?: wx1 rx0\n1: rx0")).toEqual([]);
  });

  it("count as committed once somebody read from them", () => {
    expect(violated("0?: wx1 wy2\n1: ry0 rx1")).toEqual(fromRa);
    expect(violated("0?: rx0 wx1\n1: rx1")).toEqual([]);
  });

  it("count when they are read from through another one that counts", () => {
    expect(violated("0?: wx1 rx0\n1?: rx1 wy2\n2: ry2")).toEqual(all);
    expect(violated("0?: wx1 rx0\n1?: rx1 wy2\n2: ry0")).toEqual([]);
  });
});

describe("traps that published checkers fell into", () => {
  it("a read repeated at once changes nothing: no false pass at RC", () => {
    expect(violated("0: wx1 wy2\n1: wx3\n1: ry2 rx3 rx3\n2: rx3 rx1")).toEqual(
      violated("0: wx1 wy2\n1: wx3\n1: ry2 rx3\n2: rx3 rx1"),
    );
    // With x read from a, b, b: the earliest two *distinct* sources are a and b.
    const once = "0: wx1 wz1\n0: wx2\n1: rx2 rx1";
    expect(violated(once)).toEqual(all);
    expect(violated("0: wx1 wz1\n0: wx2\n1: rx2 rx1 rx1")).toEqual(all);
    expect(violated("0: wx1 wz1\n0: wx2\n1: rx2 rx2 rx1")).toEqual(all);
  });

  it("a read repeated changes nothing: no false rejection at RA", () => {
    expect(violated("0: wx1 wy1\n1: rx1 ry1 rx1 ry1")).toEqual([]);
    expect(violated("0: wx1\n1: rx1 rx1 wx2")).toEqual([]);
  });

  it("RC links reads of different keys", () => {
    // After y of the second transaction, x of the first one, which it overwrote.
    expect(violated("0: wx1\n0: wx2 wy3\n1: ry3 rx1")).toEqual(all);
    expect(violated("0: wx1\n0: wx2 wy3\n1: rx1 ry3")).toEqual(fromRa);
  });

  it("RA looks at every earlier transaction of the session that wrote the key", () => {
    // Not the predecessor but the one before it wrote x.
    expect(violated("0: wx1\n0: wy2\n0: rx0")).toEqual(fromRa);
    expect(violated("1: wx9\n0: rx9 wx1\n0: wy2\n0: wz3\n0: rx9")).toEqual(fromRa);
  });

  it("RA sees one step, not the causal past", () => {
    // x is known only through y's writer.
    expect(violated("0: wx1\n1: rx1 wy2\n2: ry2 rx0")).toEqual(fromCc);
  });

  it("RA lets a session read newer, then older, in two transactions", () => {
    expect(violated("0: wx1\n0: wx2\n1: rx2\n1: rx1")).toEqual(fromCc);
  });

  it("stale reads of the initial value count", () => {
    expect(violated("0: wx1\n0: rx0")).toEqual(fromRa);
    expect(violated("0: wx1 wy1\n1: ry0 rx1")).toEqual(fromRa);
    expect(violated("0: wx1 wy1\n1: rx1 ry0")).toEqual(all);
  });

  it("RC is stronger than PL-2: it forbids non-monotonic reads", () => {
    expect(anomalyOf("0: wx1\n0: wx2\n1: rx2 rx1", "rc")).toBe("non-monotonic-read");
  });

  it("an aborted transaction between two of a session does not cut it", () => {
    expect(violated("0: wx1\n0!: wy2\n0: rx0")).toEqual(fromRa);
  });

  it("accepts what only an unlikely version order explains (existential, not recorded order)", () => {
    expect(violated("0: wx1\n1: wx2 wy2\n2: rx1 ry2")).toEqual([]);
  });
});

describe("levels, weakest first", () => {
  const cases: [string, Level[], Anomaly, string][] = [
    ["G1c", all, "circular-information-flow", "0: rx2 wy1\n1: ry1 wx2"],
    ["fractured read", fromRa, "fractured-read", "0: wx1 wy1\n1: ry0 rx1"],
    ["non-repeatable read", fromRa, "non-repeatable-read", "0: wx1\n1: rx0 rx1"],
    ["stale session read", fromRa, "stale-session-read", "0: wx1\n0: rx0"],
    ["causality violation", fromCc, "causality-violation", "0: wx1\n1: rx1\n1: rx0"],
    ["long fork", fromPc, "long-fork", "0: wx1\n1: wy2\n2: rx1 ry0\n3: rx0 ry2"],
    ["lost update", ["si", "ser"], "lost-update", "0: rx0 wx1\n1: rx0 wx2"],
    ["write skew", ["ser"], "write-skew", "0: rx0 ry0 wx1\n1: rx0 ry0 wy2"],
  ];
  it.each(cases)("%s", (_name, expected, anomaly, text) => {
    expect(violated(text)).toEqual(expected);
    for (const level of expected)
      if (!(level === "rc" && expected.length < 6)) expect(anomalyOf(text, level)).toBe(anomaly);
  });

  it("a serial history passes all", () => {
    expect(violated("0: rx0 wx1\n1: rx1 wx2 wy1\n0: rx2 ry1\n2: ry1 wy3")).toEqual([]);
  });

  it("an empty history passes all", () => {
    expect(violated("0: ")).toEqual([]);
  });
});

describe("a search that is too large", () => {
  const wide = Array.from({ length: 12 }, (_unused, session) => `${session}: rx0 wy${session + 1}`);

  it("is undecided, never a guess; weaker levels stay exact", () => {
    const history = buildPlain(plain([...wide, "12: ry1 wx99", "13: ry2 rx99 rz0"].join("\n")));
    const verdicts = check(history, { levels, limits: { frontierStates: 3 } });
    expect(verdicts.cc).toEqual({ kind: "pass" });
    expect(verdicts.ser).toEqual({
      kind: "undecided",
      reason: expect.stringContaining("too large: 3 states of 14 sessions"),
    });
  });

  it("still rejects what violates CC, without a search", () => {
    const history = buildPlain(plain([...wide, "12: rx99 wx98", "13: rx98 wx99"].join("\n")));
    const verdict = check(history, { levels: ["ser"], limits: { frontierStates: 0 } });
    expect(verdict).toEqual({ ser: expect.objectContaining({ kind: "violation" }) });
  });
});

describe("a witness", () => {
  it("has the transactions, the relevant operations, and a closed circle with its rules", () => {
    const witness = witnessOf("0: wx1 wz9\n0: wx2 wy3\n1: rz9 ry3 rx1 rz9\n2: rz9", "rc");
    expect(witness.transactions.map(({ name }) => name)).toEqual(["t0", "t1", "t2"]);
    expect(witness.transactions[2]?.operations).toEqual([
      { index: 1, kind: "read", key: "1", value: "3" },
      { index: 2, kind: "read", key: "0", value: "1" },
    ]);
    for (const [index, { to }] of witness.cycle.entries())
      expect(witness.cycle[(index + 1) % witness.cycle.length]?.from).toBe(to);
    expect(witness.cycle.map(({ rule }) => rule).toSorted()).toEqual(["forced", "so"]);
    expect(witness.support).toEqual([{ rule: "wr", from: 2, to: 3, key: "1", value: "3" }]);
    expect(witness.explanation).toMatchInlineSnapshot(`
      "non-monotonic read within a transaction (Adya G-single, PL-2L; Biswas-Enea read committed)
        t0 of session 0: writes 0 = 1
        t1 of session 0: writes 0 = 2, writes 1 = 3
        t2 of session 1: reads 1 = 3, reads 0 = 1
        t1 before t2: t2 reads 1 = 3 from t1
        t1 before t0: t2 knows of t1, which writes 0, but reads 0 = 1 from t0
        t0 before t1: same session
        so no commit order of these transactions exists"
    `);
  });

  it("names long causal paths step by step", () => {
    const text = "0: wx1\n1: rx1 wy2\n1: wz3\n2: rz3 rx0";
    const witness = witnessOf(text, "cc");
    expect(witness.support.map(({ rule }) => rule)).toEqual(["wr", "so", "wr"]);
    expect(witness.explanation).toMatchInlineSnapshot(`
      "causality violation (Adya G-single; Biswas-Enea causal consistency)
        t0 of session 0: writes 0 = 1
        t1 of session 1: reads 0 = 1
        t2 of session 1: writes 2 = 3
        t3 of session 2: reads 2 = 3, reads 0 = initial
        t0 before t1: t1 reads 0 = 1 from t0
        t1 before t2: same session
        t2 before t3: t3 reads 2 = 3 from t2
        t0 before initial: t3 knows of t0, which writes 0, but reads 0 as initial
        initial before t0: the initial transaction precedes all
        so no commit order of these transactions exists"
    `);
  });
});
