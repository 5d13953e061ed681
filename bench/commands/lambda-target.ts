/** @module Cells on another platform, and what Lambda is for a run: from flags and environment. */
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";
import type { CellPlan } from "#harness/experiment/define.ts";
import type { LambdaPlace } from "#harness/experiment/lambda-place.ts";
import { estimateCostUsd } from "#harness/faas/lambda/cost.ts";
import {
  checkLambdaSettings,
  defaultLambdaSettings,
  isAws,
  type LambdaSettings,
} from "#harness/faas/lambda/settings.ts";
import { platformNames } from "#harness/faas/registry.ts";
import { requestsOf } from "#harness/loadgen/load.ts";
import { parseStorageUrl } from "#shim/storage/registry.ts";
import type { LambdaFlags } from "./lambda-flags.ts";

/** Billed time of one invocation in estimates: far above what a function of two operations takes. */
const assumedBilledMs = 100;
/** Invocations that fill the store and warm up. */
const assumedExtra = 200;

/** What was said about Lambda; undefined: nothing. @throws ConfigError listing every problem */
export function lambdaPlaceOf(
  flags: LambdaFlags,
  environment: Readonly<Record<string, string | undefined>>,
): LambdaPlace | undefined {
  const { lambdaEndpoint, lambdaRole, lambdaMemory, lambdaStore, lambdaAft, maxCostUsd } = flags;
  const subnetIds = listOf(flags.lambdaSubnets);
  const securityGroupIds = listOf(flags.lambdaSecurityGroups);
  const said = [lambdaEndpoint, lambdaRole, lambdaMemory, lambdaStore, lambdaAft, maxCostUsd];
  if (said.every((value) => value === undefined)) return undefined;
  const region = environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"];
  const settings: LambdaSettings = {
    ...defaultLambdaSettings,
    ...(region !== undefined && { region }),
    ...(lambdaEndpoint !== undefined && { endpoint: lambdaEndpoint }),
    ...(lambdaRole !== undefined && { role: lambdaRole }),
    ...(lambdaMemory !== undefined && { memoryMiB: lambdaMemory }),
    ...(maxCostUsd !== undefined && { maxCostUsd }),
    ...(subnetIds.length > 0 && { vpc: { subnetIds, securityGroupIds } }),
  };
  checkLambdaSettings(settings);
  const problems: ConfigProblem[] = [];
  if (subnetIds.length > 0 !== securityGroupIds.length > 0) {
    const what = "subnets and security groups are needed together";
    problems.push({ where: "--lambda-subnets", what });
  }
  // The command line is part of every record.
  if (lambdaStore !== undefined && /\/\/[^/]*@/.test(lambdaStore)) {
    const what = "a password would stand in every record";
    problems.push({ where: "--lambda-store", what, hint: "let the network decide who may ask it" });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    target: {
      settings,
      credentials: hasCredentials(environment),
      ceilingNamed: maxCostUsd !== undefined,
    },
    ...(lambdaStore !== undefined && { store: parseStorageUrl(lambdaStore, "--lambda-store") }),
    ...(lambdaAft !== undefined && { aftEndpoint: lambdaAft }),
  };
}

/** Whether the AWS SDK's chain would find some without asking the network. */
function hasCredentials(environment: Readonly<Record<string, string | undefined>>): boolean {
  return [
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  ].some((name) => (environment[name] ?? "") !== "");
}

function listOf(text: string | undefined): string[] {
  return (text ?? "").split(",").filter((part) => part !== "");
}

/**
 * The cells with their functions on another platform (one of ours, or from `outside`); where an experiment compares platforms, only its
 * cells on that one.
 *
 * @throws ConfigError
 */
export function withPlatform(
  cells: readonly CellPlan[],
  flags: LambdaFlags,
  outside: readonly string[] = [],
): CellPlan[] {
  const { platform: name } = flags;
  const moved = name === undefined ? [...cells] : onPlatform(cells, name, outside);
  const callOnlyHere = ["lambda", "serverless-offline", ...outside];
  const several = moved.find(
    ({ platform, load, retriedBy }) =>
      (callOnlyHere.includes(platform.name) || retriedBy === "platform") &&
      (load.generators ?? 1) > 1,
  );
  if (several !== undefined) {
    const what = `functions on ${several.platform.name} are called by one process`;
    throw new ConfigError([{ where: "--generators", what, hint: "leave it out" }]);
  }
  return moved;
}

function onPlatform(
  cells: readonly CellPlan[],
  name: string,
  outside: readonly string[],
): CellPlan[] {
  const known = [...platformNames, ...outside];
  if (!known.includes(name)) {
    const hint = `known: ${known.join(", ")}`;
    throw new ConfigError([{ where: "--platform", what: `no platform "${name}"`, hint }]);
  }
  const own = cells.filter(({ platform }) => platform.name === name);
  if (own.length > 0) return own;
  return cells.map((plan) => ({
    ...plan,
    platform: { ...plan.platform, name },
    cell: { ...plan.cell, platform: name },
  }));
}

/** Of all cells on `lambda`, by the price table; far above what is expected. */
export function estimateRunUsd(cells: readonly CellPlan[], settings: LambdaSettings): number {
  return cells
    .filter(({ platform }) => platform.name === "lambda")
    .map(({ load, workload, estimateSeconds }) => {
      const functions = Number(workload.parameters["functions"] ?? 1);
      const invocations = requestsOf(load) * functions + assumedExtra;
      const planned = { invocations, billedMs: assumedBilledMs, seconds: estimateSeconds };
      return estimateCostUsd(settings, planned);
    })
    .reduce((sum, usd) => sum + usd, 0);
}

/** Says what it will cost at most. @throws ConfigError if that is above the ceiling */
export function announceCost(
  cells: readonly CellPlan[],
  { target }: LambdaPlace,
  say: (line: string) => void,
): void {
  const { settings, ceilingNamed } = target;
  const usd = estimateRunUsd(cells, settings);
  if (usd === 0) return;
  const onAws = isAws(settings.endpoint);
  const where = onAws ? "on AWS" : "if it were AWS; nothing is charged here";
  say(`lambda: about ${usd.toFixed(4)} USD ${where}, by the price table; an estimate, no bill`);
  if (usd <= settings.maxCostUsd || !(onAws || ceilingNamed)) return;
  const what = `the run is estimated at ${usd.toFixed(4)} USD, above ${settings.maxCostUsd}`;
  const hint = "a smaller profile, fewer cells (--only), or a higher ceiling";
  throw new ConfigError([{ where: "--max-cost-usd", what, hint }]);
}
