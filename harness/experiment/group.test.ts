/**
 * Goal    Cells that can share servers and functions do, over experiments; systems alternate in groups.
 * Method  Hand cases.
 */
import { describe, expect, it } from "vitest";
import { closedLoad } from "#harness/loadgen/load.ts";
import type { CellPlan } from "./define.ts";
import { groupCells, shareEnvironments } from "./group.ts";

function plan(service: "memory" | "lmdb", system: string, zipfTheta = 1): CellPlan {
  return {
    cell: {
      workload: "paper",
      platform: "inline",
      system,
      storage: service,
      emulation: "none",
      faults: "none",
      zipfTheta,
      clients: 1,
    },
    storage: { service, emulation: "none" },
    system,
    platform: { name: "inline", invocation: "none" },
    workload: { name: "paper", parameters: {} },
    load: closedLoad({ clients: 1, requestsPerClient: 1, warmUpRequestsPerClient: 0, blocks: 1 }),
    faults: { kind: "none" },
    estimateSeconds: 1,
  };
}

describe("groupCells", () => {
  it("puts cells that differ only in their system into one group", () => {
    const cells = [plan("lmdb", "direct"), plan("lmdb", "aft"), plan("lmdb", "aft", 1.5)];
    const [only, ...more] = groupCells(cells);
    expect(more).toEqual([]);
    expect(only?.groups.map(({ plans }) => plans.map(({ system }) => system))).toEqual([
      ["direct", "aft"],
      ["aft"],
    ]);
  });
});

describe("shareEnvironments", () => {
  it("brings an environment up once for all experiments, and keeps each cell with its own", () => {
    const parts = [
      { definition: "overhead", cells: [plan("memory", "aft"), plan("lmdb", "aft")] },
      { definition: "anomalies", cells: [plan("lmdb", "direct"), plan("memory", "direct")] },
    ];
    const shared = shareEnvironments(parts).map((users) =>
      users.map(({ definition, groups }) => [
        definition,
        groups.flatMap(({ plans }) => plans.map(({ storage }) => storage.service)),
      ]),
    );
    expect(shared).toEqual([
      [
        ["overhead", ["memory"]],
        ["anomalies", ["memory"]],
      ],
      [
        ["overhead", ["lmdb"]],
        ["anomalies", ["lmdb"]],
      ],
    ]);
  });
});
