/**
 * @module The workloads there are: one line each. One from outside this repository is named by its
 * module's path instead (`--use ./my-workload.ts`).
 */
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";
import { outsideExport } from "#kit/node/outside.ts";
import { createPaperWorkload, type PaperParameters } from "./mixes/paper.ts";
import { createWriteOnlyWorkload } from "./mixes/write-only.ts";
import type { Workload } from "./port.ts";

type Parameters = Readonly<Record<string, string | number>>;
type Create = (parameters: Parameters, seed: number) => Workload;

const workloads: Readonly<Record<string, Create>> = {
  paper: (parameters, seed) => createPaperWorkload(paperParameters(parameters), seed),
  "read-modify-write": (parameters, seed) =>
    createPaperWorkload(paperParameters(parameters), seed, "read"),
  "write-only": (parameters, seed) =>
    createWriteOnlyWorkload(
      {
        ...wholeNumbers(parameters, ["writes", "keyCount", "valueBytes"]),
        batch: parameters["batch"] === "batch" ? "batch" : "sequential",
      },
      seed,
    ),
};

/** What a module from outside exports as `workload`. */
export interface WorkloadModule {
  /** The level of the factor `workload`. */
  readonly name: string;
  /** Given to `create` unless an experiment has others; all stand in the record. */
  readonly parameters: Parameters;
  /** Pure: the same arguments give the same requests. */
  create(parameters: Parameters, seed: number): Workload;
}

export const workloadNames: readonly string[] = Object.keys(workloads);

interface WorkloadOptions {
  readonly name: string;
  readonly parameters: Parameters;
  readonly seed: number;
}

/** @throws ConfigError for an unknown name or parameters that are not whole numbers. */
export function createWorkload(options: WorkloadOptions): Workload {
  const create = workloads[options.name];
  if (create !== undefined) return create(options.parameters, options.seed);
  const hint = `known: ${workloadNames.join(", ")}`;
  throw new ConfigError([{ where: "workload", what: `unknown "${options.name}"`, hint }]);
}

function paperParameters(parameters: Parameters): PaperParameters {
  return {
    ...wholeNumbers(parameters, [
      "functions",
      "readsPerFunction",
      "writesPerFunction",
      "keyCount",
      "valueBytes",
    ]),
    zipfTheta: Number(parameters["zipfTheta"] ?? 0),
  };
}

/** Rejects with `ConfigError` for a module without a usable `workload`. */
export function loadWorkload(modulePath: string): Promise<WorkloadModule> {
  return outsideExport(modulePath, "workload", { id: "name", methods: ["create"] });
}

/** Like `createWorkload`, also from outside. Rejects with `ConfigError`. */
export async function openWorkload(
  options: WorkloadOptions & { readonly modulePath?: string },
): Promise<Workload> {
  if (options.modulePath === undefined) return createWorkload(options);
  const module = await loadWorkload(options.modulePath);
  return module.create({ ...module.parameters, ...options.parameters }, options.seed);
}

function wholeNumbers<K extends string>(
  parameters: Parameters,
  names: readonly K[],
): Record<K, number> {
  const problems: ConfigProblem[] = [];
  const numbers: Partial<Record<K, number>> = {};
  for (const name of names) {
    const value = Number(parameters[name]);
    if (Number.isSafeInteger(value) && value >= 0) numbers[name] = value;
    else problems.push({ where: name, what: `"${parameters[name]}" is not a whole number` });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return numbers as Record<K, number>;
}
