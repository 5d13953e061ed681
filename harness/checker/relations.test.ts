/**
 * Goal    RC, RA and CC are right also where sessions have many writers of a key, and clocks and cursors
 *         move far, back and forth, which histories of six transactions never do.
 * Method  150 to 200 transactions over few keys, on three stores, one read changed to another version;
 *         against the definitions over matrices (`testing/relations.ts`).
 */
import { expect, it } from "vitest";
import { createPrng } from "#kit/prng.ts";
import { check } from "./check.ts";
import { generate } from "./generate.ts";
import type { StoreKind } from "./stores.ts";
import type { PlainHistory, PlainOperation } from "./testing/axioms.ts";
import { buildPlain } from "./testing/plain.ts";
import { satisfiesByRelations } from "./testing/relations.ts";

const asked = ["rc", "ra", "cc"] as const;

/** One read, not after an own write of the key, gets another final version of it. */
function changeRead(history: PlainHistory, seed: number): PlainHistory {
  const prng = createPrng(seed);
  const id = prng.nextInt(history.length);
  const operations = history[id]?.operations ?? [];
  const at = prng.nextInt(operations.length);
  const read = operations[at];
  const isOwn = operations
    .slice(0, at)
    .some(({ kind, key }) => kind === "write" && key === read?.key);
  if (read?.kind !== "read" || isOwn) return history;
  const versions = history.flatMap((other, writer) => {
    const last = other.operations.findLast(({ kind, key }) => kind === "write" && key === read.key);
    return last === undefined || writer === id ? [] : [last.value];
  });
  const value = [0, ...versions][prng.nextInt(versions.length + 1)] ?? 0;
  const changed = operations.map((one, index) => (index === at ? { ...one, value } : one));
  return history.map((one, index) => (index === id ? { ...one, operations: changed } : one));
}

it.each(["serializable", "causal", "read-atomic"] as const)("on a %s store", (store: StoreKind) => {
  const seen = { pass: 0, violation: 0, undecided: 0 };
  for (let seed = 0; seed < 60; seed += 1) {
    const written: { session: number; status: "committed"; operations: PlainOperation[] }[] = [];
    const sessions = 2 + (seed % 4);
    generate(
      {
        seed,
        sessions,
        transactionsPerSession: Math.floor(180 / sessions),
        operations: 1 + (seed % 3),
        keys: 2 + (seed % 5),
        theta: 0,
        store,
      },
      {
        transaction: (session) =>
          written.push({ session, status: "committed", operations: [] }) - 1,
        read: (handle, key, value) =>
          written[handle]?.operations.push({ kind: "read", key, value: value ?? 0 }),
        write: (handle, key, value) =>
          written[handle]?.operations.push({ kind: "write", key, value }),
      },
    );
    const history = changeRead(written, seed);
    const verdicts = check(buildPlain(history), { levels: asked });
    for (const level of asked) {
      const expected = satisfiesByRelations(history, level) ? "pass" : "violation";
      expect(verdicts[level]?.kind, `${level}, ${store}, seed ${seed}`).toBe(expected);
      seen[expected] += 1;
    }
  }
  expect(Math.min(seen.pass, seen.violation)).toBeGreaterThan(10);
});
