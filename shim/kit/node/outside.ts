/**
 * @module Modules from outside this repository (`--use ./file.ts`): what they may export, and why one
 * cannot be used. Its absolute path travels in specs, so that every process can load it itself.
 */
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { ConfigError, type ConfigProblem, describeError } from "../errors.ts";

/** A module exports one or several of these. */
export const outsideExports = [
  "stateSystem",
  "storageEngine",
  "workload",
  "platform",
  "experiment",
] as const;

export type OutsideExport = (typeof outsideExports)[number];

export type OutsideModule = Readonly<Partial<Record<OutsideExport, unknown>>>;

/** Rejects with `ConfigError`: it is not there, cannot be loaded, or exports nothing of use. */
export async function importOutside(modulePath: string): Promise<OutsideModule> {
  const refuse = (what: string, cause?: unknown): ConfigError =>
    new ConfigError([{ where: modulePath, what, hint: "see `Bring your own` in README.md" }], {
      cause,
    });
  if (!existsSync(modulePath)) throw refuse("there is no such file");
  let loaded: OutsideModule;
  try {
    loaded = (await import(pathToFileURL(modulePath).href)) as OutsideModule;
  } catch (cause) {
    throw refuse(`cannot be loaded: ${describeError(cause)}`, cause);
  }
  if (outsideExports.some((name) => loaded[name] !== undefined)) return loaded;
  throw refuse(`exports none of ${outsideExports.join(", ")}`);
}

/**
 * One export of such a module, when it has a usable name and the methods that are called.
 *
 * Rejects with `ConfigError` naming everything it lacks.
 */
export async function outsideExport<Exported>(
  modulePath: string,
  name: OutsideExport,
  needs: { readonly id: string; readonly methods: readonly string[] },
): Promise<Exported> {
  const exported = (await importOutside(modulePath))[name];
  const where = `${modulePath}: ${name}`;
  if (typeof exported !== "object" || exported === null)
    throw new ConfigError([
      { where, what: exported === undefined ? "is not exported" : "is not an object" },
    ]);
  const fields = exported as Readonly<Record<string, unknown>>;
  const problems: ConfigProblem[] = needs.methods
    .filter((method) => typeof fields[method] !== "function")
    .map((method) => ({ where, what: `has no method \`${method}\`` }));
  const id = fields[needs.id];
  if (typeof id !== "string" || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id)) {
    const what = `its \`${needs.id}\` must be lower-case words joined by dashes`;
    problems.push({ where, what, hint: `it is ${JSON.stringify(id)}` });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return exported as Exported;
}
