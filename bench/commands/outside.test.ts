/**
 * Goal    What `--use` names becomes rows beside the built-in ones, and nothing else changes.
 * Method  Real experiments, with levels as a module would bring them.
 */
import { describe, expect, it } from "vitest";
import { alternativesExperiment } from "#bench/experiments/alternatives.ts";
import { anomalies } from "#bench/experiments/anomalies.ts";
import { overhead } from "#bench/experiments/overhead.ts";
import { nothingFromOutside, type Outside, withOutside } from "./outside.ts";
import { resolvePlan } from "./plan.ts";

const mine = "/elsewhere/mine.ts";
const outside = (brought: Partial<Outside>): Outside => ({ ...nothingFromOutside, ...brought });
const system = outside({ systems: new Map([["mine", { modulePath: mine }]]) });
const engine = outside({ engines: new Map([["mine", { modulePath: mine, shared: true }]]) });
const platform = outside({ platforms: new Map([["mine", { modulePath: mine }]]) });
const workload = outside({
  workloads: new Map([["mine", { modulePath: mine, parameters: { keyCount: 10, own: 1 } }]]),
});

describe("rows from outside", () => {
  const cells = overhead.cells("smoke");

  it("are none without anything", () => {
    expect(withOutside(cells, nothingFromOutside)).toEqual(cells);
  });

  it("a system stands beside every cell of plain storage", () => {
    const added = withOutside(cells, system).filter((plan) => plan.system === "mine");
    expect(added.map(({ cell }) => cell.storage)).toEqual(
      cells.filter((plan) => plan.system === "direct").map(({ cell }) => cell.storage),
    );
  });

  it("a store is run once with each system, planned as over a real one", () => {
    const added = withOutside(cells, engine).slice(cells.length);
    expect(added.map(({ cell }) => [cell.system, cell.storage, cell.emulation])).toEqual([
      ["direct", "mine", "none"],
      ["aft", "mine", "none"],
    ]);
    for (const plan of added) expect(plan.platform).toEqual({ name: "local", invocation: "none" });
  });

  it("a store is not run with systems that are made for another one", () => {
    const all = alternativesExperiment.cells("smoke");
    const added = withOutside(all, engine).slice(all.length);
    expect(new Set(added.map((plan) => plan.system))).toEqual(new Set(["direct", "aft"]));
  });

  it("a store of one process is reached from that process", () => {
    const alone = outside({ engines: new Map([["mine", { modulePath: mine, shared: false }]]) });
    for (const { platform: where } of withOutside(cells, alone).slice(cells.length))
      expect(where.name).toBe("inline");
  });

  it("a workload takes from the experiment what it knows, and keeps the rest", () => {
    const added = withOutside(cells, workload).slice(cells.length);
    expect(added).toHaveLength(cells.length);
    for (const plan of added) {
      expect(plan.workload).toEqual({ name: "mine", parameters: { keyCount: 1_000, own: 1 } });
      expect(plan.cell).toMatchObject({ workload: "mine", zipfTheta: 0 });
    }
  });

  it("a workload without skew is not repeated for every skew", () => {
    const skewed = anomalies.cells("smoke");
    const thetas = new Set(skewed.map(({ cell }) => cell.zipfTheta));
    expect(thetas.size).toBeGreaterThan(1);
    const added = withOutside(skewed, workload).slice(skewed.length);
    expect(added.length).toBeLessThan(skewed.length);
  });

  it("a platform is run over every store that its functions can reach", () => {
    const added = withOutside(cells, platform).slice(cells.length);
    const storages = new Set(added.map(({ cell }) => cell.storage));
    expect(storages).toEqual(new Set(["lmdb", "redis", "dynamodb", "s3"]));
  });
});

describe("a plan with something from outside", () => {
  const names = ["overhead"];
  const plan = (only: readonly string[], brought: Outside) =>
    resolvePlan({ names, profile: "smoke", only, outside: brought }).parts.flatMap(
      ({ cells }) => cells,
    );

  it("has its path where another process needs it", () => {
    const [row] = plan(["storage:mine"], engine);
    expect(row?.storage.modulePath).toBe(mine);
    expect(plan(["storage:mine"], engine).map(({ system: name }) => name)).toEqual([
      "direct",
      "aft",
    ]);
    expect(plan(["workload:mine"], workload)[0]?.workload.modulePath).toBe(mine);
    expect(plan(["platform:mine"], platform)[0]?.platform.modulePath).toBe(mine);
    expect(resolvePlan({ names, only: [], outside: system }).externalSystems).toEqual(
      new Map([["mine", mine]]),
    );
  });

  it("has it beside what was selected, unless the selection names it", () => {
    const storages = (only: string[]) =>
      new Set(plan(only, engine).map(({ cell }) => cell.storage));
    expect(storages(["storage:lmdb"])).toEqual(new Set(["lmdb", "mine"]));
    expect(storages(["storage:mine"])).toEqual(new Set(["mine"]));
  });

  it("moves cells to a platform of one's own", () => {
    const moved = resolvePlan({
      names,
      profile: "smoke",
      only: ["storage:lmdb"],
      lambda: { platform: "mine" },
      outside: platform,
    }).parts.flatMap(({ cells }) => cells);
    expect(moved.map(({ platform: where }) => where)).toEqual(
      moved.map(() => ({ name: "mine", invocation: "none", modulePath: mine })),
    );
  });

  it("refuses what would not be used", () => {
    expect(() => plan(["storage:memory"], platform)).toThrow(/no cell .* has platform mine/);
  });

  it("knows an experiment by its id", () => {
    const own = outside({ experiments: new Map([["mine", { ...overhead, id: "mine" }]]) });
    const { parts } = resolvePlan({ names: ["mine"], profile: "smoke", only: [], outside: own });
    expect(parts[0]?.definition.id).toBe("mine");
    expect(() => resolvePlan({ names: ["mine"], only: [] })).toThrow(/no experiment or suite/);
  });
});
