/**
 * Goal    A run is made of each part exactly once, of one plan; everything else is refused, by its own class.
 * Method  Hand cases, one a way to be wrong.
 */
import { describe, expect, it } from "vitest";
import { chooseParts } from "./choose-parts.ts";
import {
  DamagedPartError,
  DuplicatePartError,
  ForeignPartError,
  MissingPartError,
} from "./errors.ts";
import { parsePartRecord, type PartRecord } from "./part.ts";
import { hashOfPlan } from "./plan.ts";
import { fleetPlan, nameOf, partOf } from "./testing.ts";

const plan = fleetPlan();
const whole = [0, 1, 2].map((index) => partOf(plan, index));

function choose(records: readonly PartRecord[], more: { allowMissing?: boolean } = {}) {
  const found = records.map((record) => ({ name: nameOf(record), record }));
  const names = ["parts/2/half/requests.ndjson.gz", ...found.map(({ name }) => name)];
  return chooseParts({ planHash: hashOfPlan(plan), parts: 3, names, found, ...more });
}

describe("the parts of a run", () => {
  it("are each there once, in the order of their indices", () => {
    const { parts, missing } = choose([...whole].toReversed());
    expect(parts.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(missing).toEqual([]);
  });

  it("miss none: a missing one is named, and what it had begun", () => {
    const without = whole.filter(({ index }) => index !== 1);
    expect(() => choose(without)).toThrow(MissingPartError);
    expect(() => choose(without)).toThrow(/part 2 of 3 is missing \(attempt half ended while/);
    expect(() => choose([])).toThrow(/part 1 of 3 .* part 2 of 3 .* part 3 of 3/);
  });

  it("may miss some where that is asked for, but not all", () => {
    expect(choose(whole.slice(0, 1), { allowMissing: true }).missing).toEqual([1, 2]);
    expect(() => choose([], { allowMissing: true })).toThrow(MissingPartError);
  });

  it("are not there twice with different content: both are named", () => {
    const again = partOf(plan, 1, { attempt: "again", content: "other records" });
    expect(() => choose([...whole, again])).toThrow(DuplicatePartError);
    expect(() => choose([...whole, again])).toThrow(/parts\/2\/a1 .* and parts\/2\/again /);
  });

  it("may be there twice with the same content", () => {
    const again = partOf(plan, 1, { attempt: "again" });
    expect(choose([...whole, again]).parts).toHaveLength(3);
  });

  it("are of this plan, of this many, and where their names say", () => {
    const other = partOf(plan, 1, { planHash: "0123456789abcdef" });
    expect(() => choose([...whole, other])).toThrow(ForeignPartError);
    expect(() => choose([...whole, other])).toThrow(
      /parts\/2\/a1\/part.json is of plan 0123456789ab/,
    );
    expect(() => choose([...whole, partOf(plan, 3)])).toThrow(/part 4 of 3; the plan has 3/);
    expect(() => choose([partOf(plan, 0, { of: 4 })])).toThrow(ForeignPartError);
    const found = whole.map((record) => ({ name: "parts/3/a9/part.json", record }));
    expect(() => chooseParts({ planHash: hashOfPlan(plan), parts: 3, names: [], found })).toThrow(
      /says that it is part 1 of 3/,
    );
  });

  it("have a record that can be read", () => {
    const text = JSON.stringify(whole[0]);
    expect(parsePartRecord(text, "part.json")).toEqual(whole[0]);
    for (const bad of [
      text.slice(0, -20),
      "{}",
      text.replace('"latenessMs":0.2', '"latenessMs":-1'),
    ])
      expect(() => parsePartRecord(bad, "part.json")).toThrow(DamagedPartError);
  });
});
