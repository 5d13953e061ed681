/** @module The workloads there are: one line each. */
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";
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

export const workloadNames: readonly string[] = Object.keys(workloads);

/** @throws ConfigError for an unknown name or parameters that are not whole numbers. */
export function createWorkload(options: {
  readonly name: string;
  readonly parameters: Parameters;
  readonly seed: number;
}): Workload {
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
