/** @module What every experiment must do. */
import assert from "node:assert/strict";
import type { ContractClause } from "#kit/contract.ts";
import { openWorkload } from "#workloads/registry.ts";
import { type CellPlan, type ExperimentDefinition, profileNames } from "./define.ts";

export interface ExperimentSubject {
  readonly definition: ExperimentDefinition;
  /** Levels that there are, by factor. */
  readonly known: Readonly<
    Record<"system" | "storage" | "platform" | "workload", ReadonlySet<string>>
  >;
  /** Where what is from outside stands in its cells. */
  readonly withModulePaths: (cells: readonly CellPlan[]) => readonly CellPlan[];
}

function allCells({ cells }: ExperimentDefinition): CellPlan[] {
  return profileNames.flatMap((profile) => cells(profile));
}

interface Rule {
  readonly name: string;
  readonly check: (subject: ExperimentSubject) => Promise<void> | void;
}

const rules: readonly Rule[] = [
  {
    name: "says what it asks and what it cannot show",
    check: ({ definition }) => {
      const { title, question, notShown, reproduces } = definition;
      for (const [name, value] of Object.entries({ title, question, notShown, ...reproduces }))
        assert.ok(typeof value !== "string" || value.trim() !== "", `${name} is empty`);
      assert.ok(Array.isArray(reproduces.deviations), "reproduces.deviations is no list");
    },
  },
  {
    name: `plans cells at every size (${profileNames.join(", ")})`,
    check: ({ definition }) => {
      for (const profile of profileNames)
        assert.ok(definition.cells(profile).length > 0, `none for ${profile}`);
    },
  },
  {
    name: "plans the same cells every time, as data",
    check: ({ definition }) => {
      const cells = allCells(definition);
      assert.deepEqual(allCells(definition), cells);
      assert.deepEqual(JSON.parse(JSON.stringify(cells)), cells);
    },
  },
  {
    name: "tells its cells apart by their factors",
    check: ({ definition }) => {
      for (const profile of profileNames) {
        const factors = definition.cells(profile).map(({ cell }) => JSON.stringify(cell));
        const twice = factors.find((one, at) => factors.indexOf(one) !== at);
        assert.equal(twice, undefined, `two cells of ${profile} have the same factors: ${twice}`);
      }
    },
  },
  {
    name: "runs what a cell's factors say",
    check: ({ definition }) => {
      for (const { cell, system, storage, platform, workload } of allCells(definition)) {
        const { service, emulation } = storage;
        const said = [cell.system, cell.storage, cell.emulation, cell.platform, cell.workload];
        assert.deepEqual(said, [system, service, emulation, platform.name, workload.name]);
      }
    },
  },
  {
    name: "names levels that there are",
    check: ({ definition, known }) => {
      for (const { cell, cluster } of allCells(definition))
        for (const factor of ["system", "storage", "platform", "workload"] as const)
          // Clusters of AFT that differ in their settings have names of their own.
          if (factor !== "system" || cluster === undefined)
            assert.ok(
              known[factor].has(cell[factor]),
              `no ${factor} "${cell[factor]}"; known: ${[...known[factor]].join(", ")}`,
            );
    },
  },
  {
    name: "has workloads that can be made",
    check: async ({ definition, withModulePaths }) => {
      const workloads = new Set(
        withModulePaths(allCells(definition)).map(({ workload }) => JSON.stringify(workload)),
      );
      for (const workload of workloads)
        await openWorkload({ ...(JSON.parse(workload) as CellPlan["workload"]), seed: 1 });
    },
  },
];

export const experimentContract = rules.map(
  ({ name, check }): ContractClause<ExperimentSubject> => ({
    name,
    check: (subject) => Promise.resolve(subject).then(check),
  }),
);
