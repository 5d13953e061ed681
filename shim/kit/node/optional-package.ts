/**
 * @module npm packages that some parts need and that are none of our dependencies: found where the user has
 * installed them, or "not run" with the command that installs them.
 *
 * Looked for in `node_modules` above this module (a clone, or a project that has aft-bench installed) and then
 * above the working directory. Such packages have no types here: who uses one declares what it uses of it.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describeError, NotAvailableError } from "../errors.ts";

export interface OptionalPackage {
  readonly name: string;
  /** That the part was tried with; another one that is installed is used as it is. */
  readonly version: string;
}

/** An optional package that is there. */
export interface FoundPackage {
  readonly name: string;
  /** Of what is installed, for descriptions. */
  readonly version: string;
  /** Its own folder, for programs that it brings. */
  readonly directory: string;
}

/** Where packages are looked for, in this order: each folder and all above it. */
export const packageRoots = (): readonly string[] => [import.meta.dirname, process.cwd()];

/** `undefined`: it is not installed. */
export function findPackage(
  { name }: Pick<OptionalPackage, "name">,
  roots: readonly string[] = packageRoots(),
): FoundPackage | undefined {
  for (const root of roots)
    for (const above of foldersAbove(root)) {
      const directory = join(above, "node_modules", name);
      const version = versionIn(directory);
      if (version !== undefined) return { name, version, directory };
    }
  return undefined;
}

/**
 * What keeps a part that needs all of `packages` from running; `undefined`: nothing does.
 *
 * `get` names all of them, not only those that are missing: npm removes what was installed by an earlier
 * `--no-save`.
 */
export function missingPackages(
  what: string,
  packages: readonly OptionalPackage[],
  roots: readonly string[] = packageRoots(),
): NotAvailableError | undefined {
  const missing = packages.filter((one) => findPackage(one, roots) === undefined);
  if (missing.length === 0) return undefined;
  const names = missing.map(({ name }) => name).join(" and ");
  const why = `the npm package${missing.length > 1 ? "s" : ""} ${names} ${missing.length > 1 ? "are" : "is"} not installed`;
  return new NotAvailableError({ what, why, get: installCommand(packages) });
}

/** Name and version of what is installed of them, for a run's description. */
export function describePackages(packages: readonly Pick<OptionalPackage, "name">[]): string[] {
  return packages.map((one) => `${one.name} ${findPackage(one)?.version ?? "not installed"}`);
}

/** As it is typed in the folder of the clone or project. */
export function installCommand(packages: readonly OptionalPackage[]): string {
  const names = packages.map(({ name, version }) => `${name}@${version}`);
  return `npm install --no-save ${[...new Set(names)].join(" ")}`;
}

/**
 * Loads a package, or with `subpath` ("/dynamodb") what it exports below its name. `Exports`: what the caller
 * uses of it.
 *
 * Rejects with `NotAvailableError` if it is not installed, or is and cannot be loaded.
 */
export async function importOptional<Exports>(
  wanted: OptionalPackage,
  options: { readonly subpath?: string; readonly roots?: readonly string[] } = {},
): Promise<Exports> {
  const { subpath = "", roots } = options;
  const found = findPackage(wanted, roots);
  const { name } = wanted;
  const missing = missingPackages(name, [wanted], roots);
  if (found === undefined || missing !== undefined)
    throw missing ?? new NotAvailableError({ what: name, get: installCommand([wanted]) });
  // From its own folder a package is resolved as by any module of the project it is installed in.
  const require = createRequire(join(found.directory, "..", "importer.js"));
  try {
    return require(name + subpath) as Exports;
  } catch (cause) {
    if (isForImportOnly(cause))
      try {
        return (await import(name + subpath)) as Exports;
      } catch {
        // What `require` said is about the folder it was found in.
      }
    const why = `${name} ${found.version} is installed and cannot be loaded: ${describeError(cause)}`;
    throw new NotAvailableError({ what: name, why, get: installCommand([wanted]), cause });
  }
}

/** It has an entry for `import` and none for `require`, or waits while it is loaded. */
function isForImportOnly(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  const codes: unknown[] = ["ERR_PACKAGE_PATH_NOT_EXPORTED", "ERR_REQUIRE_ASYNC_MODULE"];
  return codes.includes(error.code);
}

function versionIn(directory: string): string | undefined {
  const path = join(directory, "package.json");
  if (!existsSync(path)) return undefined;
  const { version } = JSON.parse(readFileSync(path, "utf8")) as { readonly version?: string };
  return version ?? "unknown";
}

function* foldersAbove(folder: string): Generator<string> {
  for (let above = folder; ; above = dirname(above)) {
    yield above;
    if (dirname(above) === above) return;
  }
}
