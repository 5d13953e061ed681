/**
 * Goal    Every experiment keeps the contract that one from outside is judged by, which can be broken.
 * Method  The contract over the registry; then an experiment with one mistake each.
 */
import { describe, expect, it } from "vitest";
import { checkContract } from "#kit/contract.ts";
import { describeContract } from "#kit/testing/describe-contract.ts";
import { createManualClock } from "#kit/testing/manual-clock.ts";
import type { CellPlan, ExperimentDefinition } from "#harness/experiment/define.ts";
import { experimentContract } from "#harness/experiment/experiment.contract.ts";
import { knownLevels, nothingFromOutside, withModulePaths } from "#bench/commands/outside.ts";
import { overhead } from "./overhead.ts";
import { experiments } from "./registry.ts";

const known = knownLevels(nothingFromOutside);
const subjectOf = (definition: ExperimentDefinition) => ({
  definition,
  known,
  withModulePaths: (cells: readonly CellPlan[]) => withModulePaths(cells, nothingFromOutside),
});

for (const definition of experiments)
  describeContract(`experiment contract: ${definition.id}`, experimentContract, () =>
    Promise.resolve({ subject: subjectOf(definition), cleanUp: () => Promise.resolve() }),
  );

async function broken(change: Partial<ExperimentDefinition>): Promise<string[]> {
  const results = await checkContract({
    clauses: experimentContract,
    subject: subjectOf({ ...overhead, ...change }),
    clock: createManualClock(),
  });
  return results.filter(({ outcome }) => outcome === "broken").map(({ name }) => name);
}

describe("a broken experiment", () => {
  const [cell, ...others] = overhead.cells("smoke");
  if (cell === undefined) throw new Error("overhead has cells");

  it.each<[clause: RegExp, change: Partial<ExperimentDefinition>]>([
    [/what it cannot show/, { notShown: "" }],
    [/cells at every size/, { cells: () => [] }],
    [/apart by their factors/, { cells: () => [cell, cell, ...others] }],
    [/what a cell's factors say/, { cells: () => [{ ...cell, system: "aft" }, ...others] }],
    [
      /levels that there are/,
      { cells: () => [{ ...cell, system: "x", cell: { ...cell.cell, system: "x" } }] },
    ],
    [
      /workloads that can be made/,
      { cells: () => [{ ...cell, workload: { name: "paper", parameters: {} } }] },
    ],
  ])("is told which clause it breaks: %s", async (clause, change) => {
    expect(await broken(change)).toEqual([expect.stringMatching(clause)]);
  });
});
