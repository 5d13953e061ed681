/** @module What can be chosen about a deployment on Lambda. */
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";

export interface LambdaSettings {
  /** Absent: AWS in `region`. */
  readonly endpoint?: string;
  readonly region: string;
  /** Name or ARN of the role functions run as. */
  readonly role: string;
  readonly memoryMiB: number;
  readonly architecture: "arm64" | "x86_64";
  readonly runtime: string;
  /** Reserved concurrency; absent: the deployment's own limit. */
  readonly reservedConcurrency?: number;
  readonly provisionedConcurrency?: number;
  /** The run stops when it has cost as much by the price table. */
  readonly maxCostUsd: number;
  /** Instances that functions can reach from a VPC only. */
  readonly vpc?: {
    readonly subnetIds: readonly string[];
    readonly securityGroupIds: readonly string[];
  };
}

export const defaultLambdaSettings: LambdaSettings = {
  region: "us-east-1",
  role: "aft-bench-function",
  memoryMiB: 1_769,
  architecture: "arm64",
  runtime: "nodejs24.x",
  maxCostUsd: 1,
};

/** What a run was told about Lambda, and what it may do there. */
export interface LambdaTarget {
  readonly settings: LambdaSettings;
  /** Are in the environment; AWS is not asked without. */
  readonly credentials: boolean;
  /** Somebody named a sum; nothing is spent without. */
  readonly ceilingNamed: boolean;
  /** Called once, when an invocation was not sent because of the ceiling. */
  readonly onCeiling?: (spentUsd: number) => void;
  /** A line for whoever watches the run. */
  readonly say?: (line: string) => void;
}

/** As an endpoint: our own local platform, whose control plane answers the API, started for the run. */
export const ownEndpoint = "local";

/** 1,769 MiB is one processor; Lambda's limits. @throws ConfigError listing every problem */
export function checkLambdaSettings(settings: LambdaSettings): void {
  const problems: ConfigProblem[] = [];
  const { memoryMiB, maxCostUsd, endpoint } = settings;
  if (!Number.isInteger(memoryMiB) || memoryMiB < 128 || memoryMiB > 10_240)
    problems.push({
      where: "--lambda-memory",
      what: `${memoryMiB} is not a whole number from 128 to 10240 (MiB)`,
    });
  if (!(maxCostUsd > 0))
    problems.push({ where: "--max-cost-usd", what: `${maxCostUsd} is not a sum above zero` });
  if (endpoint !== undefined && endpoint !== ownEndpoint && !/^https?:/.test(endpoint))
    problems.push({
      where: "--lambda-endpoint",
      what: `"${endpoint}" is no URL`,
      hint: "http://127.0.0.1:4566, or local for our own platform behind the same API",
    });
  if (problems.length > 0) throw new ConfigError(problems);
}

/** Whether what is measured there is measured on AWS. */
export function isAws(endpoint: string | undefined): boolean {
  if (endpoint === undefined) return true;
  if (!URL.canParse(endpoint)) return false;
  return /(^|\.)amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname);
}
