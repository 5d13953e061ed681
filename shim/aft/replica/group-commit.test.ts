/**
 * Goal    Transactions share storage requests, and each gets its own outcome.
 * Method  An engine that answers when it is told to.
 */
import { expect, it } from "vitest";
import { createManualClock } from "#kit/testing/manual-clock.ts";
import { createMemoryEngine } from "#shim/storage/memory/engine.ts";
import { type SealedWrite, type SealOutcome, storageKey } from "#shim/storage/port.ts";
import { GroupCommit } from "./group-commit.ts";

function open(maxGroupCommit = 64) {
  const clock = createManualClock();
  const memory = createMemoryEngine();
  const requests: { groups: readonly SealedWrite[]; answer: (outcomes: SealOutcome[]) => void }[] =
    [];
  const engine = {
    ...memory,
    capabilities: { ...memory.capabilities, orderedPipeline: true },
    putSealed: (groups: readonly SealedWrite[]) =>
      new Promise<SealOutcome[]>((answer) => {
        requests.push({ groups, answer });
      }),
  };
  const settings = { maxGroupCommit, maxGroupsInFlight: 1 };
  const groups = new GroupCommit({ engine, clock, settings });
  const outcomes = new Map<string, SealOutcome["kind"]>();
  const seal = (name: string): void => {
    groups.seal(
      { entries: [], seal: { key: storageKey(name), value: Buffer.alloc(0) } },
      ({ kind }) => outcomes.set(name, kind),
    );
  };
  return { clock, requests, outcomes, seal };
}

const namesOf = ({ groups }: { groups: readonly SealedWrite[] }): string[] =>
  groups.map(({ seal }) => seal.key);

it("sends the first at once, lets the others share the next request, and gives each its outcome", async () => {
  const { clock, requests, outcomes, seal } = open();
  for (const name of ["a", "b", "c"]) seal(name);
  expect(requests.map(namesOf)).toEqual([["a"]]);
  requests[0]?.answer([{ kind: "sealed" }]);
  await clock.settle();
  expect(requests.map(namesOf)).toEqual([["a"], ["b", "c"]]);
  requests[1]?.answer([{ kind: "alreadySealed" }, { kind: "sealed" }]);
  await clock.settle();
  expect([...outcomes]).toEqual([
    ["a", "sealed"],
    ["b", "alreadySealed"],
    ["c", "sealed"],
  ]);
});

it("keeps a group to its size", async () => {
  const { clock, requests, seal } = open(2);
  for (const name of ["a", "b", "c", "d"]) seal(name);
  requests[0]?.answer([{ kind: "sealed" }]);
  await clock.settle();
  expect(requests.map(namesOf)).toEqual([["a"], ["b", "c"]]);
});
