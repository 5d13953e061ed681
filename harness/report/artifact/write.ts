/**
 * @module Writes an artifact's folder: beside its place first, then moved there in one step, so that it is
 * whole or not there at all.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { ConfigError, ProjectError } from "#kit/errors.ts";
import { stableJson } from "#harness/record/stable-json.ts";
import { writeReport } from "../write.ts";
import type { ArtifactInput } from "./artifact.ts";
import { badgesOf, badgesText } from "./badges.ts";
import { claimRows, claimsText } from "./claims.ts";
import { environmentOf, environmentText, readmeText } from "./texts.ts";

/** The folder cannot be written. */
export class ArtifactWriteError extends ProjectError {
  readonly code = "artifact_write";
  readonly disposition = "abort";

  constructor(directory: string, options: { cause: unknown }) {
    super(`cannot write ${directory}; is there space, and may it be written?`, options);
  }
}

/** Of a run directory, what a reader needs to see the numbers and how they were made. */
const summaryFiles = [
  "manifest.json",
  "summary.json",
  "checks.json",
  "measurements.json",
  "latency.hlog",
];
const rawFiles = [
  "requests.ndjson.gz",
  "transactions.ndjson.gz",
  "history.txt",
  "history-ids.json",
];

/** A folder that holds something is never written into. @throws ConfigError */
export async function refuseUsedFolder(directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  const names = await readdir(directory).catch(() => ["a file, not a folder"]);
  if (names.length === 0) return;
  const what = `${directory} is not empty (${names[0]})`;
  throw new ConfigError([{ where: "--out", what, hint: "name a folder that is not there yet" }]);
}

/**
 * Writes README.md, CLAIMS.md, BADGES.md, ENVIRONMENT.md, their JSON, `reference/` and SHA256SUMS. Rejects
 * with `ConfigError` for a used folder, `ArtifactWriteError` otherwise; then nothing is left behind.
 */
export async function writeArtifact(
  input: ArtifactInput,
  options: { readonly outDirectory: string; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const { signal } = options;
  const directory = resolve(options.outDirectory);
  await refuseUsedFolder(directory);
  const building = `${directory}.partial-${process.pid}`;
  try {
    await mkdir(join(building, "reference"), { recursive: true });
    await writeReference(input, building, signal);
    for (const [name, text] of textsOf(input)) await writeFile(join(building, name), text);
    const files = await writeChecksums(building);
    signal.throwIfAborted();
    if (existsSync(directory)) await rmdir(directory);
    await mkdir(dirname(directory), { recursive: true });
    await rename(building, directory);
    return files;
  } catch (cause) {
    if (cause instanceof ProjectError || signal.aborted) throw cause;
    throw new ArtifactWriteError(directory, { cause });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

function textsOf(input: ArtifactInput): readonly (readonly [string, string])[] {
  return [
    ["README.md", readmeText(input)],
    ["CLAIMS.md", claimsText(input)],
    ["claims.json", stableJson(claimRows(input))],
    ["BADGES.md", badgesText(input)],
    ["badges.json", stableJson(badgesOf(input))],
    ["ENVIRONMENT.md", environmentText(input)],
    ["environment.json", stableJson(environmentOf(input))],
  ];
}

/** Runs, then the report of exactly these copies. */
async function writeReference(
  { suite, raw }: ArtifactInput,
  building: string,
  signal: AbortSignal,
): Promise<void> {
  const reference = join(building, "reference");
  const runs = [];
  for (const run of suite.runs) {
    signal.throwIfAborted();
    const directory = join(reference, "runs", folderName(run.experiment), folderName(run.runId));
    await mkdir(directory, { recursive: true });
    for (const name of [...summaryFiles, ...(raw ? rawFiles : [])]) {
      const from = join(run.directory, name);
      // Older records have fewer files; what is needed was verified.
      if (existsSync(from)) await cp(from, join(directory, name));
    }
    runs.push({ ...run, directory });
  }
  await writeReport({ suite: { ...suite, runs }, outDirectory: reference, isRelative: true });
}

/** Names in records become folders only as what they are: one name. */
function folderName(name: string): string {
  if (/^[\w.@+=,-]+$/.test(name) && !/^\.+$/.test(name)) return name;
  const what = `${JSON.stringify(name)} cannot be the name of a folder`;
  throw new ConfigError([{ where: "suite.json", what, hint: "letters, digits and . @ + = , - _" }]);
}

/** In the form of `sha256sum`; the sums' own file apart. */
async function writeChecksums(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .toSorted();
  const lines: string[] = [];
  for (const path of paths) {
    const content = await readFile(join(directory, path));
    lines.push(`${createHash("sha256").update(content).digest("hex")}  ${path}\n`);
  }
  await writeFile(join(directory, "SHA256SUMS"), lines.join(""));
  return [...paths, "SHA256SUMS"];
}
