/** @module Checks the rules of `import-rules.ts` against source texts; pure. */
import { posix } from "node:path";
import {
  adapterFiles,
  bannedEverywhere,
  bannedFolderNames,
  bannedInPortedLayers,
  bannedInPureLayers,
  bannedInSimulatedLayers,
  maxFileLines,
  mayImport,
  portedLayers,
  pureLayers,
  simulatedLayers,
} from "./import-rules.ts";

export interface SourceFile {
  /** Relative to the repository, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** `#alias/` at the start of an import, and the folder it stands for. */
const aliases: Readonly<Record<string, string>> = {
  "#kit/": "shim/kit/",
  "#shim/": "shim/",
  "#workloads/": "workloads/",
  "#harness/": "harness/",
  "#bench/": "bench/",
  "#results/": "results/paper/",
};

const importPattern = /(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)["']([^"']+)["']/gm;

/** Every broken rule as one sentence with file and, where it has one, line; empty when tidy. */
export function findUntidiness(
  files: readonly SourceFile[],
  dependencies: ReadonlySet<string>,
): string[] {
  return files.flatMap((file) => [
    ...shapeProblems(file),
    ...importProblems(file, dependencies),
    ...bannedProblems(file),
  ]);
}

/** The left side of `mayImport` that decides about a path: the longest that contains it. */
export function layerOf(path: string): string | undefined {
  return Object.keys(mayImport)
    .filter((layer) => isInside(path, layer))
    .toSorted((a, b) => b.length - a.length)[0];
}

/** Whether a file is a test or stands only beside tests. */
export function isTest(path: string): boolean {
  return /\.(test|e2e|sim|bench|contract|harness)\.ts$|\/testing(\/|\.ts$)/.test(path);
}

function shapeProblems({ path, text }: SourceFile): string[] {
  const problems: string[] = [];
  const lineCount = text.split("\n").length;
  if (lineCount > maxFileLines)
    problems.push(`${path}: ${lineCount} lines, more than ${maxFileLines}`);
  const folder = path.split("/").find((part) => bannedFolderNames.includes(part));
  if (folder !== undefined) problems.push(`${path}: a folder named "${folder}" says nothing`);
  if (!/^[a-z0-9]+([.-][a-z0-9]+)*$/.test(posix.basename(path)))
    problems.push(`${path}: file names are kebab-case`);
  if (posix.basename(path) === "index.ts") problems.push(`${path}: no barrel files`);
  return problems;
}

function importProblems({ path, text }: SourceFile, dependencies: ReadonlySet<string>): string[] {
  const layer = layerOf(path);
  if (layer === undefined) return [];
  const problems: string[] = [];
  const code = text.replaceAll(/^\s*(\*|\/\/|\/\*).*$/gm, "");
  for (const [, specifier = ""] of code.matchAll(importPattern)) {
    const target = resolveImport(path, specifier);
    if (target === undefined) {
      if (!isKnownPackage(specifier, dependencies))
        problems.push(`${path}: imports "${specifier}", which package.json does not list`);
      continue;
    }
    if (isTest(path)) {
      if (isInside(target, "bench") && !isInside(path, "bench"))
        problems.push(`${path}: nobody imports bench`);
    } else if (!isAllowed(layer, target)) {
      problems.push(`${path}: ${layer} may not import ${target}`);
    }
  }
  return problems;
}

function isAllowed(layer: string, target: string): boolean {
  const allowed = [...(mayImport[layer] ?? []), layer, "shim/kit"];
  return allowed.some((folder) => isInside(target, folder));
}

function resolveImport(path: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(path), specifier);
  for (const [alias, folder] of Object.entries(aliases)) {
    if (specifier.startsWith(alias)) return folder + specifier.slice(alias.length);
  }
  return undefined;
}

function isKnownPackage(specifier: string, dependencies: ReadonlySet<string>): boolean {
  if (specifier.startsWith("node:")) return true;
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  return dependencies.has(name);
}

function bannedProblems({ path, text }: SourceFile): string[] {
  if (isTest(path) || isInside(path, "bench/tidy")) return [];
  const rules = [
    ...bannedEverywhere,
    ...(pureLayers.some((layer) => isInside(path, layer)) ? bannedInPureLayers : []),
    ...(portedLayers.some((layer) => isInside(path, layer)) ? bannedInPortedLayers : []),
    ...(isSimulated(path) ? bannedInSimulatedLayers : []),
  ];
  const problems: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\s*(\*|\/\/|\/\*)/.test(line)) continue;
    for (const [pattern, instead] of rules) {
      if (pattern.test(line)) problems.push(`${path}:${index + 1}: use ${instead}`);
    }
  }
  return problems;
}

function isSimulated(path: string): boolean {
  return !adapterFiles.includes(path) && simulatedLayers.some((layer) => isInside(path, layer));
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
