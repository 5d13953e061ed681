/** Goal  Open transactions are in the order in which they began, whichever end, and the ended lead nowhere. */
import { expect, it } from "vitest";
import fc from "fast-check";
import { OpenTransactions } from "./open-transactions.ts";
import { Transaction } from "./transaction.ts";

it("does what a Map in order of insertion does", () => {
  const steps = fc.array(fc.record({ ends: fc.boolean(), which: fc.nat() }), { maxLength: 100 });
  fc.assert(
    fc.property(steps, (taken) => {
      const open = new OpenTransactions();
      const oracle = new Map<string, Transaction>();
      for (const [sequence, { ends, which }] of taken.entries()) {
        const uuid = `t${sequence}`;
        const ended = [...oracle.values()][which % Math.max(1, oracle.size)];
        if (ends && ended !== undefined) {
          open.remove(ended);
          open.remove(ended);
          oracle.delete(ended.uuid);
          expect([ended.before, ended.after]).toEqual([undefined, undefined]);
          expect(open.has(ended.uuid)).toBe(false);
        } else {
          const options = { requestId: "r", beginSequence: sequence, beganAtUs: 0 };
          const begun = new Transaction({ uuid, ...options });
          open.add(begun);
          oracle.set(uuid, begun);
        }
        expect(open.size).toBe(oracle.size);
        expect([...open.inOrder()]).toEqual([...oracle.values()]);
        expect(open.oldestBegin).toBe([...oracle.values()][0]?.beginSequence ?? Infinity);
      }
    }),
    { numRuns: 100 },
  );
});

it("hands out all of them, although each is removed in turn", () => {
  const open = new OpenTransactions();
  for (let sequence = 0; sequence < 5; sequence += 1)
    open.add(
      new Transaction({
        uuid: `t${sequence}`,
        requestId: "r",
        beginSequence: sequence,
        beganAtUs: 0,
      }),
    );
  let count = 0;
  for (const transaction of open.inOrder()) {
    open.remove(transaction);
    count += 1;
  }
  expect([count, open.size, open.oldestBegin]).toEqual([5, 0, Infinity]);
});
