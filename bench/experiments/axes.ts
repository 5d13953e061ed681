/**
 * @module Levels that several experiments share: stores, emulations, and how long they take.
 */
import type { CellPlan, ProfileName } from "#harness/experiment/define.ts";
import type { StorageServiceName } from "#harness/services/registry.ts";
import type { EmulationProfileName } from "#shim/storage/emulated/profiles.ts";

/** Where a cell's bytes live: a real store on this machine, or an emulated cloud service. */
export interface StorageLevel {
  readonly service: StorageServiceName;
  readonly emulation: EmulationProfileName | "none";
  /** Rough cost of one standard transaction for one of ten clients, for plans only. */
  readonly estimatedMs: number;
}

export const realStores: readonly StorageLevel[] = [
  { service: "memory", emulation: "none", estimatedMs: 3 },
  { service: "lmdb", emulation: "none", estimatedMs: 10 },
  { service: "redis", emulation: "none", estimatedMs: 8 },
  { service: "dynamodb", emulation: "none", estimatedMs: 40 },
  { service: "s3", emulation: "none", estimatedMs: 50 },
];

/**
 * The emulated services sit on the memory engine, whose own time is next to nothing, so that what
 * is measured is the profile and the system, not another emulator's speed.
 */
export const emulatedStores: readonly StorageLevel[] = [
  { service: "memory", emulation: "elasticache", estimatedMs: 50 },
  { service: "memory", emulation: "dynamodb", estimatedMs: 75 },
  { service: "memory", emulation: "s3", estimatedMs: 230 },
];

export const bothSystems: readonly string[] = ["direct", "aft"];

/**
 * Where functions run for a store. The memory engine lives in one process, so its functions do too;
 * every other store is reached from isolated instances behind the Lambda API. Emulated stores use
 * emulated invocations, because in the paper's figures Lambda is more than half of a transaction.
 */
export function platformFor(level: StorageLevel): CellPlan["platform"] {
  if (level.emulation !== "none") return { name: "inline", invocation: "lambda" };
  return { name: level.service === "memory" ? "inline" : "local", invocation: "none" };
}

/** The paper's standard transaction: 2 functions of 2 reads and 1 write, 4 KB, 1,000 keys. */
export function standardWorkload(zipfTheta: number): CellPlan["workload"] {
  return {
    name: "paper",
    parameters: {
      functions: 2,
      readsPerFunction: 2,
      writesPerFunction: 1,
      keyCount: 1_000,
      valueBytes: 4_096,
      zipfTheta,
    },
  };
}

/** Starting the servers, the replica and the functions of one cell, and filling the store. */
const setUpSeconds = 1.5;

export function estimateSeconds(options: {
  readonly level: StorageLevel;
  readonly clients: number;
  readonly requestsPerClient: number;
}): number {
  const perClient = (options.requestsPerClient * options.level.estimatedMs) / 1_000;
  return setUpSeconds + (perClient * options.clients) / Math.min(options.clients, 10);
}

/** Looks a profile's size up; a table, so that all sizes are seen at a glance. */
export function sizeOf<T>(profile: ProfileName, sizes: Readonly<Record<ProfileName, T>>): T {
  return sizes[profile];
}
