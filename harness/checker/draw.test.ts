/**
 * Goal    The picture of a witness is readable and well-formed, whatever the names in it.
 * Method  1. Layout over random sizes and arrows: no box overlaps another, no label a box.
 *         2. Witnesses of every shape: every transaction, operation and rule is in the text of the
 *            picture, and a renderer accepts it.
 */
import { Resvg } from "@resvg/resvg-js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { check } from "./check.ts";
import { drawWitness } from "./draw.ts";
import { overlap, placeArrows, placeBoxes } from "./draw-layout.ts";
import { parse } from "./formats/testing.ts";
import type { Witness } from "./witness.ts";

function witnessOf(plume: string): Witness {
  const { cc } = check(parse("plume", plume).history, { levels: ["cc"] });
  if (cc?.kind !== "violation") throw new Error(`no violation: ${cc?.kind}`);
  return cc.witness;
}

describe("layout", () => {
  const arbBoxes = fc
    .array(
      fc.record({
        width: fc.integer({ min: 60, max: 300 }),
        height: fc.integer({ min: 50, max: 160 }),
      }),
      { minLength: 1, maxLength: 8 },
    )
    .map(placeBoxes);

  it("lets no two boxes overlap", () => {
    fc.assert(
      fc.property(arbBoxes, (boxes) => {
        for (const [index, box] of boxes.entries())
          for (const other of boxes.slice(index + 1)) expect(overlap(box, other)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it("puts no label on a box or on another label, for circles of up to six with two chords", () => {
    const size = { width: 130, height: 90 };
    for (let count = 2; count <= 6; count += 1) {
      const boxes = placeBoxes(Array.from({ length: count }, () => size));
      const label = { width: 150, height: 40 };
      const ring = boxes.map((_, from) => ({ from, to: (from + 1) % count, label }));
      const chords =
        count < 4
          ? []
          : [
              { from: 0, to: 2, label },
              { from: 3, to: 1, label },
            ];
      const arrows = placeArrows(boxes, [...ring, ...chords]);
      for (const [index, arrow] of arrows.entries()) {
        for (const box of boxes) expect(overlap(arrow.label, box)).toBe(false);
        for (const other of arrows.slice(index + 1))
          expect(overlap(arrow.label, other.label)).toBe(false);
      }
    }
  });
});

describe("drawWitness", () => {
  it.each([
    [
      "a fractured read",
      "w(1,1,1,1)\nr(1,1,2,2)\nw(1,3,2,2)\nw(2,4,2,2)\nr(1,1,3,3)\nr(2,4,3,3)\n",
    ],
    [
      "a causality violation",
      "w(1,1,1,1)\nw(1,2,2,2)\nr(1,1,3,3)\nr(1,2,3,4)\nr(1,2,4,5)\nr(1,1,4,6)\n",
    ],
    ["a stale initial read", "w(1,1,1,1)\nw(2,2,1,1)\nr(1,1,2,2)\nr(2,0,2,2)\n"],
    ["an aborted read", "w(1,1,1,-1)\nr(1,1,2,2)\n"],
    ["a value from nowhere", "r(1,7,2,2)\n"],
  ])("shows transactions, operations and rules of %s", (_name, plume) => {
    const witness = witnessOf(plume);
    const svg = drawWitness(witness);
    expect(svg).toContain(witness.title);
    for (const { id, name, operations } of witness.transactions) {
      if (id !== 0) expect(svg).toContain(`>transaction ${name}<`);
      for (const { kind, key, value } of operations)
        expect(svg).toContain(`>${kind[0]} ${key} = ${value}<`);
    }
    for (const { rule } of [...witness.cycle, ...witness.support])
      expect(svg).toContain(`>${rule}: `);
    const image = new Resvg(svg, { font: { loadSystemFonts: false } }).render();
    expect(image.width).toBeGreaterThan(100);
    expect(drawWitness(witness)).toBe(svg);
  });

  it("escapes names, whatever they are, and shortens long ones", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 80 }), (name) => {
        const witness = witnessOf("w(1,1,1,-1)\nr(1,1,2,2)\n");
        const hostile = {
          ...witness,
          title: `${name}<script>&`,
          transactions: witness.transactions.map((one) => ({ ...one, name, session: name })),
        };
        const svg = drawWitness(hostile);
        expect(svg).not.toContain("<script>");
        expect(() => new Resvg(svg, { font: { loadSystemFonts: false } }).render()).not.toThrow();
      }),
      { numRuns: 100 },
    );
  });
});
