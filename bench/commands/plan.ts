/** @module What to run: resolves names, profile and selection into cells, before anything starts. */
import { ConfigError } from "#kit/errors.ts";
import {
  profileNames,
  type CellPlan,
  type ExperimentDefinition,
  type ProfileName,
} from "#harness/experiment/define.ts";
import { parseSelection, selectCells } from "#harness/experiment/select.ts";
import { summarizeLoad } from "#harness/loadgen/load.ts";
import type { LambdaFlags } from "./lambda-flags.ts";
import { withPlatform } from "./lambda-target.ts";
import { type LoadFlags, withLoad } from "./load-flags.ts";
import {
  checkUsed,
  nothingFromOutside,
  type Outside,
  withModulePaths,
  withOutside,
  withOutsideLevels,
} from "./outside.ts";
import { experiments, suites } from "#bench/experiments/registry.ts";
import { formatColumns, formatSeconds } from "#bench/text.ts";

export interface PlanRequest {
  /** Experiments and at most one suite. */
  readonly names: readonly string[];
  readonly profile?: string;
  readonly only: readonly string[];
  /** Another load than the experiments' own. */
  readonly load?: LoadFlags;
  /** Another platform than the experiments' own. */
  readonly lambda?: LambdaFlags;
  /** What `--use` named. */
  readonly outside?: Outside;
}

export interface ResolvedPlan {
  readonly suite: string;
  readonly profile: ProfileName;
  readonly parts: readonly {
    readonly definition: ExperimentDefinition;
    readonly cells: readonly CellPlan[];
  }[];
  /** Paths of state system modules from outside, by name. */
  readonly externalSystems: ReadonlyMap<string, string>;
}

/** @throws ConfigError listing everything that is wrong with the request. */
export function resolvePlan(request: PlanRequest): ResolvedPlan {
  const { load = {}, lambda = {}, outside = nothingFromOutside } = request;
  const { definitions, suite, defaultProfile } = resolveNames(request.names, outside);
  const profile = resolveProfile(request.profile, defaultProfile);
  const selection = withOutsideLevels(parseSelection(request.only), outside);
  const platforms = [...outside.platforms.keys()];
  const parts = definitions.map((definition) => {
    const all = withPlatform(withOutside(definition.cells(profile), outside), lambda, platforms);
    const loaded = withLoad(selectCells(all, selection), load);
    const cells = withModulePaths(withPlatform(loaded, lambda, platforms), outside);
    return { definition, cells };
  });
  checkUsed(
    parts.flatMap(({ cells }) => cells),
    outside,
  );
  const systems = [...outside.systems].map(([name, { modulePath }]) => [name, modulePath] as const);
  return { suite, profile, parts, externalSystems: new Map(systems) };
}

export function planSeconds(plan: ResolvedPlan): number {
  return plan.parts
    .flatMap(({ cells }) => cells)
    .reduce((sum, { estimateSeconds }) => sum + estimateSeconds, 0);
}

export function formatPlan(plan: ResolvedPlan): string {
  const rows = plan.parts.flatMap(({ definition, cells }) =>
    cells.map(({ cell, load, estimateSeconds }) => [
      `  ${definition.id}`,
      `${cell.system} over ${cell.storage}`,
      cell.emulation === "none" ? "" : `emulated ${cell.emulation}`,
      cell.platform,
      `zipf ${cell.zipfTheta}`,
      cell.faults === "none" ? "" : cell.faults,
      summarizeLoad(load),
      `~${formatSeconds(estimateSeconds)}`,
    ]),
  );
  const total = formatSeconds(planSeconds(plan));
  return `${plan.suite}, profile ${plan.profile}: ${rows.length} cells, about ${total}\n${formatColumns(rows)}`;
}

function resolveNames(
  names: readonly string[],
  outside: Outside,
): {
  definitions: ExperimentDefinition[];
  suite: string;
  defaultProfile: ProfileName;
} {
  const problems = [];
  const all = [...experiments, ...outside.experiments.values()];
  const definitions: ExperimentDefinition[] = [];
  let defaultProfile: ProfileName = "standard";
  for (const name of names) {
    const suite = suites.find(({ id }) => id === name);
    const experiment = all.find(({ id }) => id === name);
    if (suite !== undefined) {
      definitions.push(...suite.experiments);
      defaultProfile = suite.profile;
    } else if (experiment !== undefined) {
      definitions.push(experiment);
    } else {
      const known = [...suites, ...all].map(({ id }) => id).join(", ");
      problems.push({
        where: "run",
        what: `no experiment or suite is called "${name}"`,
        hint: `known: ${known}`,
      });
    }
  }
  const repeated = definitions.find((one, index) => definitions.indexOf(one) !== index);
  if (repeated !== undefined)
    problems.push({ where: "run", what: `"${repeated.id}" is named more than once` });
  if (problems.length > 0) throw new ConfigError(problems);
  return { definitions, suite: names.join("+"), defaultProfile };
}

function resolveProfile(text: string | undefined, fallback: ProfileName): ProfileName {
  if (text === undefined) return fallback;
  const profile = profileNames.find((name) => name === text);
  if (profile !== undefined) return profile;
  throw new ConfigError([
    {
      where: "--profile",
      what: `unknown profile "${text}"`,
      hint: `known: ${profileNames.join(", ")}`,
    },
  ]);
}
