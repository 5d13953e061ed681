/**
 * @module `--use ./file.ts`: what comes from outside this repository, as rows beside the built-in ones.
 *
 *   stateSystem    beside every cell of `direct`
 *   storageEngine  once for every cell of `direct`, `aft` or what was brought that differs in more than its store
 *   workload       once for every cell that differs in more than its workload; what the experiment sets of
 *                  the parameters it has is set for it too
 *   platform       once for every cell that differs in more than its platform; not over `memory`, which
 *                  lives in one process
 *   experiment     run when it is named
 */
import { resolve } from "node:path";
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";
import { importOutside, outsideExport } from "#kit/node/outside.ts";
import type { CellPlan, ExperimentDefinition } from "#harness/experiment/define.ts";
import type { Selection } from "#harness/experiment/select.ts";
import { loadPlatform, platformNames } from "#harness/faas/registry.ts";
import { storageServiceNames } from "#harness/services/registry.ts";
import { loadStateSystem, stateSystemNames } from "#shim/state/registry.ts";
import { loadStorageEngine } from "#shim/storage/outside.ts";
import { loadWorkload, workloadNames } from "#workloads/registry.ts";
import { bothSystems } from "#bench/experiments/axes.ts";
import { experiments, suites } from "#bench/experiments/registry.ts";

interface Brought {
  readonly modulePath: string;
}

/** By the names of their levels. */
export interface Outside {
  readonly systems: ReadonlyMap<string, Brought>;
  readonly engines: ReadonlyMap<string, Brought & { readonly shared: boolean }>;
  readonly workloads: ReadonlyMap<
    string,
    Brought & { readonly parameters: CellPlan["workload"]["parameters"] }
  >;
  readonly platforms: ReadonlyMap<string, Brought>;
  readonly experiments: ReadonlyMap<string, ExperimentDefinition>;
}

export const nothingFromOutside: Outside = {
  systems: new Map(),
  engines: new Map(),
  workloads: new Map(),
  platforms: new Map(),
  experiments: new Map(),
};

/** Rejects with `ConfigError` for a module that cannot be used, or a name that is taken. */
export async function loadOutside(paths: readonly string[]): Promise<Outside> {
  const systems = levels<Brought>("state system", stateSystemNames);
  const engines = levels<Brought & { shared: boolean }>("store", storageServiceNames);
  const workloads = levels<Brought & { parameters: CellPlan["workload"]["parameters"] }>(
    "workload",
    workloadNames,
  );
  const platforms = levels<Brought>("platform", platformNames);
  const named = [...experiments, ...suites].map(({ id }) => id);
  const own = levels<ExperimentDefinition>("experiment or suite", named);
  for (const path of paths) {
    const modulePath = resolve(path);
    const exported = await importOutside(modulePath);
    if (exported.stateSystem !== undefined) {
      const { name } = await loadStateSystem({ system: path, modulePath });
      systems.add(path, name, { modulePath });
    }
    if (exported.storageEngine !== undefined) {
      const { name, shared } = await loadStorageEngine(modulePath);
      engines.add(path, name, { modulePath, shared });
    }
    if (exported.workload !== undefined) {
      const { name, parameters } = await loadWorkload(modulePath);
      workloads.add(path, name, { modulePath, parameters });
    }
    if (exported.platform !== undefined) {
      const { name } = await loadPlatform(modulePath);
      platforms.add(path, name, { modulePath });
    }
    if (exported.experiment !== undefined) {
      const experiment = await loadExperiment(modulePath);
      own.add(path, experiment.id, experiment);
    }
  }
  return {
    systems: systems.all,
    engines: engines.all,
    workloads: workloads.all,
    platforms: platforms.all,
    experiments: own.all,
  };
}

export function loadExperiment(modulePath: string): Promise<ExperimentDefinition> {
  return outsideExport(modulePath, "experiment", { id: "id", methods: ["cells"] });
}

/** Levels that there are, by factor. */
export function knownLevels(
  outside: Outside,
): Record<"system" | "storage" | "platform" | "workload", ReadonlySet<string>> {
  return {
    system: new Set([...stateSystemNames, ...outside.systems.keys()]),
    storage: new Set([...storageServiceNames, ...outside.engines.keys()]),
    platform: new Set([...platformNames, ...outside.platforms.keys()]),
    workload: new Set([...workloadNames, ...outside.workloads.keys()]),
  };
}

/** Names are levels of factors, so that each may stand for one thing only. */
function levels<Level>(kind: string, taken: readonly string[]) {
  const all = new Map<string, Level>();
  return {
    all,
    add: (where: string, name: string, level: Level): void => {
      if (taken.includes(name) || all.has(name)) {
        const what = `there is a ${kind} called "${name}" already`;
        throw new ConfigError([{ where, what, hint: "give it another name" }]);
      }
      all.set(name, level);
    },
  };
}

/** The cells, and behind them those with what was brought. */
export function withOutside(cells: readonly CellPlan[], outside: Outside): CellPlan[] {
  let rows = cells.flatMap((plan) => [
    plan,
    ...(plan.system === "direct"
      ? [...outside.systems.keys()].map((system) => withFactors(plan, { system }, { system }))
      : []),
  ]);
  // Other systems are made for one service.
  const overAnyStore = rows.filter(
    ({ system, cluster }) =>
      cluster !== undefined || bothSystems.includes(system) || outside.systems.has(system),
  );
  for (const [name, { shared }] of outside.engines)
    rows = [...rows, ...overStore(overAnyStore, name, shared)];
  for (const [name, { parameters }] of outside.workloads)
    rows = [...rows, ...underLoad(rows, name, parameters)];
  for (const name of outside.platforms.keys()) rows = [...rows, ...onPlatform(rows, name)];
  return distinctBy(rows, ({ cell }) => JSON.stringify(cell));
}

/** Tells cells that name something from outside where its module is. */
export function withModulePaths(cells: readonly CellPlan[], outside: Outside): CellPlan[] {
  return cells.map((plan) => ({
    ...plan,
    storage: { ...plan.storage, ...pathOf(outside.engines.get(plan.storage.service)) },
    workload: { ...plan.workload, ...pathOf(outside.workloads.get(plan.workload.name)) },
    platform: { ...plan.platform, ...pathOf(outside.platforms.get(plan.platform.name)) },
  }));
}

/** What was brought is wanted: a selection that names none of it in a factor means it too. */
export function withOutsideLevels(selection: Selection, outside: Outside): Selection {
  const brought: Readonly<Record<string, readonly string[]>> = {
    system: [...outside.systems.keys()],
    storage: [...outside.engines.keys()],
    workload: [...outside.workloads.keys()],
    platform: [...outside.platforms.keys()],
  };
  return new Map(
    [...selection].map(([factor, chosen]) => {
      const names = brought[factor] ?? [];
      const isNamed = names.some((name) => chosen.has(name));
      return [factor, isNamed ? chosen : new Set([...chosen, ...names])];
    }),
  );
}

/** @throws ConfigError when something was brought that nothing uses */
export function checkUsed(cells: readonly CellPlan[], outside: Outside): void {
  const used = new Set(
    cells.flatMap(({ system, storage, workload, platform }) => [
      `stateSystem ${system}`,
      `storageEngine ${storage.service}`,
      `workload ${workload.name}`,
      `platform ${platform.name}`,
    ]),
  );
  const { systems, engines, workloads, platforms } = outside;
  const brought = Object.entries({
    stateSystem: systems,
    storageEngine: engines,
    workload: workloads,
    platform: platforms,
  }).flatMap(([kind, level]) => [...level.keys()].map((name) => `${kind} ${name}`));
  const problems: ConfigProblem[] = brought
    .filter((name) => !used.has(name))
    .map((name) => ({
      where: "--use",
      what: `no cell that was selected has ${name}`,
      hint: "select more of the experiment, or name another one",
    }));
  if (problems.length > 0) throw new ConfigError(problems);
}

/** The real stores first: what an experiment plans over them fits any store best. */
function overStore(cells: readonly CellPlan[], service: string, shared: boolean): CellPlan[] {
  const rank = ({ storage }: CellPlan): number =>
    storage.emulation === "none" ? Number(storage.service === "memory") : 2;
  const built = cells.toSorted((a, b) => rank(a) - rank(b));
  const kinds = distinctBy(built, ({ cell }) =>
    JSON.stringify({ ...cell, storage: "", emulation: "", platform: "" }),
  );
  return kinds.map((plan) => {
    const isolated = rank(plan) === 0 ? plan.platform.name : "local";
    const platform = { name: shared ? isolated : "inline", invocation: "none" } as const;
    const storage = { service, emulation: "none" } as const;
    const factors = { storage: service, emulation: "none", platform: platform.name };
    return withFactors(plan, { storage, platform }, factors);
  });
}

function underLoad(
  cells: readonly CellPlan[],
  name: string,
  own: CellPlan["workload"]["parameters"],
): CellPlan[] {
  const rows = cells.map((plan) => {
    const set = Object.entries(plan.workload.parameters).filter(([key]) => key in own);
    const parameters = { ...own, ...Object.fromEntries(set) };
    const zipfTheta = "zipfTheta" in own ? plan.cell.zipfTheta : 0;
    return withFactors(plan, { workload: { name, parameters } }, { workload: name, zipfTheta });
  });
  return distinctBy(rows, ({ cell }) => JSON.stringify(cell));
}

function onPlatform(cells: readonly CellPlan[], name: string): CellPlan[] {
  const rows = cells
    .filter(({ storage }) => storage.service !== "memory")
    .map((plan) =>
      withFactors(plan, { platform: { name, invocation: "none" } }, { platform: name }),
    );
  return distinctBy(rows, ({ cell }) => JSON.stringify(cell));
}

function withFactors(
  plan: CellPlan,
  changes: Partial<CellPlan>,
  factors: Readonly<Record<string, string | number>>,
): CellPlan {
  return { ...plan, ...changes, cell: { ...plan.cell, ...factors } };
}

function pathOf(brought: Brought | undefined): Partial<Brought> {
  return brought === undefined ? {} : { modulePath: brought.modulePath };
}

function distinctBy<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const key = keyOf(item);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
