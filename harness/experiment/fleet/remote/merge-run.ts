/**
 * @module Fetches a fleet's parts, checks them, and writes the run directory that everything else reads.
 *
 * The directory appears whole or not at all. Each part's own files stay in it below `generators/`, as those of
 * generator processes on one machine do.
 */
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "#kit/errors.ts";
import { generatorDirectory, readGeneratorRecord } from "#harness/record/generator-record.ts";
import { beginRun, finishRun, RunDirectoryError } from "#harness/record/run-directory.ts";
import type { RunManifest, RunSummary } from "#harness/record/run.ts";
import { loadStateSystem } from "#shim/state/registry.ts";
import { chooseParts, type ChosenParts, type FoundPart } from "./choose-parts.ts";
import { DamagedPartError, partName } from "./errors.ts";
import { mergeParts, type RecordedPart } from "./merge.ts";
import type { ObjectStore } from "./objects.ts";
import {
  parsePartRecord,
  partFile,
  partFolder,
  type PartRecord,
  readPartName,
  recordFiles,
  sha256Of,
} from "./part.ts";
import { type FleetPlan, hashOfPlan } from "./plan.ts";

export interface MergedRun {
  readonly directory: string;
  readonly manifest: RunManifest;
  readonly summary: RunSummary;
}

/**
 * Rejects with the class of what is wrong (errors.ts), and with `ConfigError` if the run was merged before;
 * then nothing is written.
 */
export async function mergeRun(options: {
  readonly plan: FleetPlan;
  readonly objects: ObjectStore;
  /** The run goes to `<outDirectory>/runs/<experiment>/<run-id>`. */
  readonly outDirectory: string;
  readonly allowMissing: boolean;
  readonly command: readonly string[];
}): Promise<MergedRun> {
  const { plan, objects, outDirectory, allowMissing, command } = options;
  const directory = join(outDirectory, "runs", plan.experiment, plan.runId);
  if (existsSync(directory)) {
    const what = `${directory} is there already`;
    throw new ConfigError([
      { where: "fleet merge", what, hint: "move it, or choose another --out" },
    ]);
  }
  const { parts, missing } = await findParts(objects, plan, allowMissing);
  const staged = `${directory}.tmp-${process.pid}`;
  try {
    const recorded: RecordedPart[] = [];
    for (const part of parts) recorded.push(await fetchPart(objects, part, staged));
    const module = await loadStateSystem(plan.system);
    const promises = module.promisesWith?.(plan.system.options) ?? module.promises;
    const run = mergeParts({ plan, recorded, missing, promises, command });
    await beginRun(staged, run.manifest);
    const summary = await finishRun(staged, run);
    await rename(staged, directory);
    return { directory, manifest: run.manifest, summary };
  } finally {
    // After the renaming there is none.
    await rm(staged, { recursive: true, force: true });
  }
}

async function findParts(
  objects: ObjectStore,
  plan: FleetPlan,
  allowMissing: boolean,
): Promise<ChosenParts> {
  const names = await objects.list("parts");
  const found: FoundPart[] = [];
  for (const name of names) {
    if (readPartName(name)?.file !== partFile) continue;
    const content = await objects.get(name);
    if (content === undefined) continue;
    found.push({ name, record: parsePartRecord(Buffer.from(content).toString(), name) });
  }
  const planHash = hashOfPlan(plan);
  return chooseParts({ planHash, parts: plan.parts, names, found, allowMissing });
}

/** Rejects with `DamagedPartError` unless every byte is as its record vouches for. */
async function fetchPart(
  objects: ObjectStore,
  part: PartRecord,
  staged: string,
): Promise<RecordedPart> {
  const { index, of, attempt, files } = part;
  const own = join(staged, generatorDirectory(index));
  const who = partName(index, of);
  for (const name of recordFiles) {
    const path = `${partFolder(index, attempt)}/${name}`;
    const content = await objects.get(path);
    if (content === undefined)
      throw new DamagedPartError(`${who}: ${path} is gone from ${objects.place}`);
    const { bytes, sha256 } = files[name];
    if (content.length !== bytes)
      throw new DamagedPartError(`${who}: ${path} has ${content.length} bytes of ${bytes}`);
    if (sha256Of(content) !== sha256)
      throw new DamagedPartError(`${who}: ${path} was changed after it was put there`);
    await writeStaged(own, name, content);
  }
  return { part, record: await readGeneratorRecord(own) };
}

async function writeStaged(directory: string, name: string, content: Uint8Array): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, name), content);
  } catch (cause) {
    throw new RunDirectoryError("write", join(directory, name), { cause });
  }
}
