/**
 * Goal    Histories of list appends get the verdicts their lists imply.
 * Method  1. Hand cases, one per rule of `list-append.ts`, at every level.
 *         2. A property: with lists that a serial execution returned, every level passes; and the
 *            helpers force nothing that registers alone would not allow to be explained.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { check } from "../check.ts";
import { type Level, levels } from "../witness.ts";
import { FormatError } from "./format.ts";
import { parse } from "./testing.ts";

type Step = readonly ["append", string, number] | readonly ["r", string, readonly number[] | null];

/** A process and its steps per line. */
function verdicts(
  ...transactions: readonly (readonly [process: number, steps: readonly Step[], type?: string])[]
): Partial<Record<Level, string>> {
  const lines = transactions.map(([process, value, type = "ok"]) =>
    JSON.stringify({ type, process, value }),
  );
  const found = check(parse("elle-json", lines.join("\n")).history, { levels });
  return Object.fromEntries(Object.entries(found).map(([level, { kind }]) => [level, kind]));
}

const allPass = Object.fromEntries(levels.map((level) => [level, "pass"]));
const allFail = Object.fromEntries(levels.map((level) => [level, "violation"]));

describe("lists", () => {
  it("pass when they grow in one order", () => {
    expect(
      verdicts(
        [
          0,
          [
            ["append", "x", 1],
            ["append", "x", 2],
          ],
        ],
        [
          1,
          [
            ["r", "x", [1, 2]],
            ["append", "x", 3],
          ],
        ],
        [
          2,
          [
            ["r", "x", null],
            ["append", "y", 1],
          ],
        ],
        [
          3,
          [
            ["r", "x", [1, 2, 3]],
            ["r", "y", [1]],
          ],
        ],
      ),
    ).toEqual(allPass);
  });

  it("order their writers: 1 before 2 here, 2 before 1 by what was read", () => {
    // Registers alone (last elements) would pass: nobody reads both versions.
    expect(
      verdicts(
        [
          0,
          [
            ["append", "x", 1],
            ["r", "y", [7]],
          ],
        ],
        [
          1,
          [
            ["append", "x", 2],
            ["append", "y", 7],
          ],
        ],
        [2, [["r", "x", [1, 2]]]],
      ),
    ).toEqual(allFail);
  });

  it("order an element nobody saw after those that were seen", () => {
    expect(
      verdicts(
        [
          0,
          [
            ["append", "x", 1],
            ["r", "y", [7]],
          ],
        ],
        [
          1,
          [
            ["append", "x", 2],
            ["append", "y", 7],
          ],
        ],
        [2, [["r", "x", [1]]]],
      ),
    ).toEqual(allFail);
  });

  it("must be prefixes of each other", () => {
    const writes = [
      [0, [["append", "x", 1]]],
      [1, [["append", "x", 2]]],
    ] as const;
    expect(verdicts(...writes, [2, [["r", "x", [1, 2]]]], [3, [["r", "x", [2, 1]]]])).toEqual(
      allFail,
    );
    expect(verdicts(...writes, [2, [["r", "x", [1, 2]]]], [3, [["r", "x", [2]]]])).toEqual(allFail);
    expect(verdicts(...writes, [2, [["r", "x", [1, 1]]]])).toEqual(allFail);
  });

  it("must not hold an aborted element, nor one nobody appended, wherever it stands", () => {
    expect(
      verdicts(
        [0, [["append", "x", 1]], "fail"],
        [1, [["append", "x", 2]]],
        [2, [["r", "x", [1, 2]]]],
      ),
    ).toEqual(allFail);
    expect(verdicts([1, [["append", "x", 2]]], [2, [["r", "x", [9, 2]]]])).toEqual(allFail);
    expect(verdicts([1, [["append", "x", 2]]], [2, [["r", "x", [2, 9]]]])).toEqual(allFail);
  });

  it("may hold an element of unknown outcome, and may lack it", () => {
    const unknown = [0, [["append", "x", 1]], "info"] as const;
    expect(verdicts(unknown, [1, [["append", "x", 2]]], [2, [["r", "x", [1, 2]]]])).toEqual(
      allPass,
    );
    expect(verdicts(unknown, [1, [["append", "x", 2]]], [2, [["r", "x", [2]]]])).toEqual(allPass);
  });

  it("show an intermediate read: the list of a writer half done", () => {
    expect(
      verdicts(
        [
          0,
          [
            ["append", "x", 1],
            ["append", "x", 2],
          ],
        ],
        [1, [["r", "x", [1]]]],
      ),
    ).toEqual(allFail);
  });

  it("are refused beside registers", () => {
    const text = '{"type":"ok","process":0,"value":[["append","x",1],["w","y",1]]}';
    expect(() => parse("elle-json", text)).toThrow(FormatError);
  });
});

it("passes whatever a serial execution returns, at RC, RA and CC", () => {
  const step = fc.record({ append: fc.boolean(), key: fc.constantFrom("x", "y", "z") });
  const transaction = fc.record({
    process: fc.nat({ max: 3 }),
    steps: fc.array(step, { minLength: 1, maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.array(transaction, { minLength: 1, maxLength: 12 }), (transactions) => {
      const lists = new Map<string, number[]>();
      let next = 0;
      const serial = transactions.map(({ process, steps }): [number, Step[]] => [
        process,
        steps.map(({ append, key }): Step => {
          const list = lists.get(key) ?? [];
          lists.set(key, list);
          if (!append) return ["r", key, [...list]];
          next += 1;
          list.push(next);
          return ["append", key, next];
        }),
      ]);
      expect(Object.values(verdicts(...serial))).not.toContain("violation");
    }),
    { numRuns: 200 },
  );
});
