/**
 * Goal    Mishaps are drawn by seed, each kind at its rate and at a place where it means something.
 * Method  Many requests of the standard shape; counts against rates, places against the operations.
 */
import { describe, expect, it } from "vitest";
import type { PlannedOperation } from "../port.ts";
import { drawMishaps, mishapKinds, type MishapRates } from "./mishaps.ts";

const read: PlannedOperation = { kind: "read", key: "k" };
const write: PlannedOperation = { kind: "write", key: "k" };
const functions = [
  [read, read, write],
  [read, read, write],
];
const requests = Array.from({ length: 4_000 }, (_unused, index) => ({
  requestId: `c${index % 10}-${index}`,
  functions,
}));

function rates(some: Partial<MishapRates>): MishapRates {
  return Object.fromEntries(mishapKinds.map((kind) => [kind, some[kind] ?? 0])) as MishapRates;
}
const all = (rate: number): MishapRates =>
  rates(Object.fromEntries(mishapKinds.map((kind) => [kind, rate])));

const draw = (some: MishapRates, seed = 7) =>
  requests.map((request) => drawMishaps(some, seed, request));

describe("drawMishaps", () => {
  it("gives the same mishaps for the same seed, and others for another", () => {
    expect(draw(all(0.05))).toEqual(draw(all(0.05)));
    expect(draw(all(0.05), 8)).not.toEqual(draw(all(0.05)));
  });

  it("hits as many requests as the rate says, and none at zero", () => {
    const isHit = ({ functions: hit, duplicate }: ReturnType<typeof drawMishaps>): boolean =>
      duplicate !== undefined || hit.some((one) => one !== undefined);
    expect(draw(all(0)).filter(isHit)).toEqual([]);
    for (const kind of mishapKinds) {
      const hit = draw(rates({ [kind]: 0.1 })).filter(isHit).length;
      expect({ kind, isNear: Math.abs(hit - 400) < 80, hit }).toMatchObject({ isNear: true });
    }
  });

  it("does not move the places of one kind when the rate of another changes", () => {
    const slow = draw(rates({ slow: 0.1 })).map(({ functions: [first] }) => first?.pause);
    const both = draw(all(0.1)).map(({ functions: [first] }) => first?.pause);
    expect(both).toEqual(slow);
  });

  it("lets an instance die only where a write was done and one was not", () => {
    const places = draw(rates({ "die-between-writes": 1 })).map((one) => one.functions);
    expect(places).toEqual(requests.map(() => [undefined, { dieBeforeWrite: 0 }]));
    const inOne = drawMishaps(rates({ "die-between-writes": 1 }), 1, {
      requestId: "r",
      functions: [[write, read, write]],
    });
    expect(inOne.functions).toEqual([{ dieBeforeWrite: 1 }]);
    const single = drawMishaps(rates({ "die-between-writes": 1 }), 1, {
      requestId: "r",
      functions: [[read, write]],
    });
    expect(single.functions).toEqual([undefined]);
  });

  it("pauses the first function between two operations, and times writes and commits out", () => {
    for (const { functions: hit } of draw(rates({ slow: 1 }))) {
      expect(hit[1]).toBeUndefined();
      expect([1, 2]).toContain(hit[0]?.pause?.beforeOperation);
      expect(hit[0]?.pause?.us).toBeGreaterThanOrEqual(50_000);
    }
    const timedOut = new Set(
      draw(rates({ "storage-timeout": 1 })).map((one) => JSON.stringify(one.functions)),
    );
    expect(timedOut).toEqual(
      new Set([
        '[{"timeOut":{"write":0}},null]',
        '[null,{"timeOut":{"write":0}}]',
        '[null,{"timeOut":"commit"}]',
      ]),
    );
  });
});
