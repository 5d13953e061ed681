/**
 * Goal    Every format reads what it wrote, whatever the chunks, and refuses everything else with a
 *         place in the input.
 * Method  1. Properties over random histories: written and read back is the same history; so in chunks
 *            of one byte; the content alone tells the format.
 *         2. Every truncation and random damage gives a typed error or a history, never a crash.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DuplicateWriteError } from "../errors.ts";
import { FormatError } from "./format.ts";
import { detectFormat, formatNames } from "./registry.ts";
import { arbHistory, bytesOf, parse, plain, type PlainTransaction, written } from "./testing.ts";

type Kept = "aborted" | "committed-only" | "all";

/** What a format can say; see the formats' headers. */
const formats: readonly (readonly [name: string, keeps: Kept, initial: boolean])[] = [
  ["plume", "aborted", true],
  ["awdit", "committed-only", false],
  ["dbcop-hist", "aborted", true],
  ["dbcop-json", "aborted", true],
  ["dbcop-json-compact", "aborted", true],
  ["dbcop-bincode", "aborted", true],
  ["cobra", "committed-only", true],
  ["elle-edn", "all", true],
  ["elle-json", "all", true],
  ["aft-bench", "aborted", true],
];

const statusesOf = {
  aborted: ["committed", "aborted"],
  "committed-only": ["committed"],
  all: ["committed", "aborted", "unknown"],
} as const;

/** By first appearance, because some formats number sessions or values anew. */
function renumbered(transactions: readonly PlainTransaction[]): PlainTransaction[] {
  const names = new Map<string, string>();
  const nameOf = (role: string, name: string): string => {
    const id = `${role} ${name}`;
    if (!names.has(id)) names.set(id, `${role}${names.size}`);
    return names.get(id) ?? "";
  };
  return transactions.map(({ session, status, operations }) => ({
    session: nameOf("s", session),
    status,
    operations: operations.map(({ kind, key, value }) => ({
      kind,
      key: nameOf("k", key),
      value: value === "initial" ? value : nameOf(`value of ${key} `, value),
    })),
  }));
}

/** Plume does not tell the aborted transactions of a session apart; order among others is kept. */
function mergeAborted(transactions: readonly PlainTransaction[]): PlainTransaction[] {
  const merged: PlainTransaction[] = [];
  for (const one of transactions) {
    const at = merged.findIndex(
      ({ session, status }) =>
        session === one.session && status === "aborted" && one.status === "aborted",
    );
    const earlier = merged[at];
    if (earlier === undefined) merged.push(one);
    else merged[at] = { ...earlier, operations: [...earlier.operations, ...one.operations] };
  }
  return merged;
}

it("knows every registered format", () => {
  expect(formats.map(([name]) => name).toSorted()).toEqual([...formatNames].toSorted());
});

describe.each(formats)("%s", (name, keeps, initialReads) => {
  const arb = arbHistory({ statuses: statusesOf[keeps], initialReads });
  const normal = (transactions: readonly PlainTransaction[]): PlainTransaction[] =>
    renumbered(name === "plume" ? mergeAborted(transactions) : transactions);

  it("reads back what it wrote", () => {
    fc.assert(
      fc.property(arb, fc.integer({ min: 1, max: 7 }), (history, chunkBytes) => {
        const files = written(name, history);
        const expected = normal(plain(history));
        // What nobody wrote becomes a transaction of its own in our record: see recorded.ts.
        const told = (given: readonly PlainTransaction[]): PlainTransaction[] =>
          normal(given.filter(({ session }) => !session.includes("not in the record")));
        expect(told(plain(parse(name, files).history))).toEqual(expected);
        expect(told(plain(parse(name, files, chunkBytes).history))).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  it("is told from the others by its content alone", () => {
    const same = name === "dbcop-json-compact" ? "dbcop-json" : name;
    fc.assert(
      fc.property(arb, (history) => {
        for (const bytes of written(name, history).values())
          expect(detectFormat(bytes.subarray(0, 65_536))?.name).toBe(same);
      }),
      { numRuns: 100 },
    );
  });

  it("gives an error with a place, or a history, for every truncation", () => {
    let errors = 0;
    fc.assert(
      fc.property(arb, (history) => {
        for (const [file, bytes] of written(name, history)) {
          for (let length = 0; length < bytes.length; length += 1) {
            const cut = new Map([[file, bytes.slice(0, length)]]);
            errors += outcome(() => parse(name, cut, 64)) === "error" ? 1 : 0;
          }
        }
      }),
      { numRuns: 5 },
    );
    expect(errors).toBeGreaterThan(0);
  });

  it("gives an error with a place, or a history, for damaged bytes and for garbage", () => {
    const damage = fc.record({
      at: fc.nat({ max: 10_000 }),
      byte: fc.integer({ min: 0, max: 255 }),
    });
    fc.assert(
      fc.property(arb, fc.array(damage, { minLength: 1, maxLength: 4 }), (history, damages) => {
        const [bytes = new Uint8Array(1)] = [...written(name, history).values()];
        const broken = bytes.slice();
        for (const { at, byte } of damages) broken[at % broken.length] = byte;
        outcome(() => parse(name, broken, 16));
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (garbage) => {
        outcome(() => parse(name, garbage, 32));
      }),
      { numRuns: 300 },
    );
    expect(
      outcome(() =>
        parse(
          name,
          Uint8Array.from({ length: 300 }, (_, at) => 255 - (at % 7)),
        ),
      ),
    ).toBe("error");
  });

  it("refuses a line without an end in bounded memory", () => {
    const start = written(name, fc.sample(arb, { seed: 1, numRuns: 1 })[0] ?? never());
    const [head = new Uint8Array(0)] = [...start.values()];
    const opening = head.subarray(0, Math.max(1, Math.floor(head.length / 2)));
    let fed = 0;
    const endless = (): void => {
      parse(name, new Endless(bytesOf(opening), (bytes) => (fed += bytes)), 1_048_576);
    };
    expect(outcome(endless)).toBe("error");
    // It was refused long before its end.
    expect(fed).toBeLessThan(64 * 1_048_576);
  });
});

/** 2 GiB of the letter "1" after an opening, of which only what is asked for exists. */
class Endless extends Uint8Array {
  readonly #opening: Uint8Array;
  readonly #onSlice: (bytes: number) => void;

  constructor(opening: Uint8Array, onSlice: (bytes: number) => void) {
    super(0);
    this.#opening = opening;
    this.#onSlice = onSlice;
  }

  override get length(): number {
    return 2 ** 31;
  }

  override slice(from: number, to: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(to - from).fill(49);
    if (from === 0) bytes.set(this.#opening);
    this.#onSlice(bytes.length);
    return bytes;
  }
}

/** Fails the test for anything but a typed error with a place. */
function outcome(work: () => unknown): "history" | "error" {
  try {
    work();
    return "history";
  } catch (error) {
    if (error instanceof DuplicateWriteError) return "error";
    if (!(error instanceof FormatError)) throw error;
    expect(error.message).toMatch(/^[\w.]*:(\d+:\d+|byte \d+): \S/);
    return "error";
  }
}

function never(): never {
  throw new RangeError("nothing sampled");
}
