/**
 * Goal    Verdicts depend on nothing but the history: not on names, interleaving or repeated reads.
 * Method  Random histories, each changed in ways that must not matter.
 */
import { describe, expect, it } from "vitest";
import { createPrng, type Prng } from "#kit/prng.ts";
import { check } from "./check.ts";
import { HistoryBuilder } from "./history.ts";
import type { PlainHistory } from "./testing/axioms.ts";
import { buildPlain, drawHistory, showPlain } from "./testing/plain.ts";
import { type Level, levels } from "./witness.ts";

const count = 1_500;

function kinds(history: PlainHistory): string[] {
  const verdicts = check(buildPlain(history), { levels });
  return levels.map((level) => `${level} ${verdicts[level]?.kind}`);
}

function forEachHistory(label: string, body: (history: PlainHistory, prng: Prng) => void): void {
  for (let index = 0; index < count; index += 1) {
    const prng = createPrng(index).fork(label);
    body(drawHistory(prng), prng);
  }
}

describe("verdicts", () => {
  it("of a weaker level imply those of all stronger ones", () => {
    forEachHistory("implication", (history) => {
      const failed = kinds(history).map((kind) => kind.endsWith("violation"));
      const first = failed.indexOf(true);
      const implied = failed.map((_one, index) => first >= 0 && index >= first);
      expect(failed, showPlain(history)).toEqual(implied);
    });
  });

  it("do not change when keys, values, sessions and transactions get other names", () => {
    forEachHistory("names", (history, prng) => {
      const builder = new HistoryBuilder();
      const salt = prng.nextInt(1_000);
      for (const { session, status, operations } of history) {
        const handle = builder.transaction(`session ${-session * salt}`, -1, status);
        for (const { kind, key, value } of operations) {
          if (kind === "write") builder.write(handle, 2 ** 40 - key, `${value} of ${salt}`);
          else builder.read(handle, 2 ** 40 - key, value === 0 ? null : `${value} of ${salt}`);
        }
      }
      const verdicts = check(builder.build(), { levels });
      const renamed = levels.map((level) => `${level} ${verdicts[level]?.kind}`);
      expect(renamed, showPlain(history)).toEqual(kinds(history));
    });
  });

  it("do not change when sessions are interleaved in another way", () => {
    forEachHistory("interleaving", (history, prng) => {
      const queues = new Map<number, PlainHistory[number][]>();
      for (const transaction of history)
        queues.set(transaction.session, [...(queues.get(transaction.session) ?? []), transaction]);
      const other: PlainHistory[number][] = [];
      while (other.length < history.length) {
        const queue = [...queues.values()][prng.nextInt(queues.size)];
        const next = queue?.shift();
        if (next !== undefined) other.push(next);
      }
      expect(kinds(other), showPlain(history)).toEqual(kinds(history));
    });
  });

  it("do not change when a read is repeated at once", () => {
    forEachHistory("repeat", (history, prng) => {
      const repeated = history.map((transaction) => ({
        ...transaction,
        operations: transaction.operations.flatMap((operation) =>
          operation.kind === "read" && prng.nextInt(2) === 0 ? [operation, operation] : [operation],
        ),
      }));
      expect(kinds(repeated), showPlain(history)).toEqual(kinds(history));
    });
  });

  it("do not change from RA on when a read is repeated later, before any own write of the key", () => {
    let repeats = 0;
    forEachHistory("repeat later", (history, prng) => {
      const repeated = history.map((transaction) => {
        const operations = [...transaction.operations];
        const at = prng.nextInt(operations.length);
        const read = operations[at];
        const ownWrite = operations.findIndex(
          ({ kind, key }, index) => index > at && kind === "write" && key === read?.key,
        );
        if (read?.kind !== "read") return transaction;
        const end = ownWrite < 0 ? operations.length : ownWrite;
        operations.splice(at + 1 + prng.nextInt(end - at), 0, read);
        repeats += 1;
        return { ...transaction, operations };
      });
      expect(kinds(repeated).slice(1), showPlain(history)).toEqual(kinds(history).slice(1));
    });
    expect(repeats).toBeGreaterThan(count);
  });

  it("do not depend on which other levels are asked for", () => {
    forEachHistory("alone", (history) => {
      const built = buildPlain(history);
      const together = check(built, { levels });
      for (const level of levels) {
        const alone = check(built, { levels: [level] });
        expect(Object.keys(alone)).toEqual([level] satisfies Level[]);
        expect(alone[level]?.kind, showPlain(history)).toBe(together[level]?.kind);
      }
    });
  });
});
