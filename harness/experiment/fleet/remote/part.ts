/**
 * @module One part's record in the objects: `parts/<n>/<attempt>/` with what a generator writes itself
 * (record/generator-record.ts) and, last, `part.json`, which vouches for the rest by its hashes.
 *
 *   1. Without its `part.json` there is no part: a process that dies while it uploads leaves nothing.
 *   2. The same attempt may be put twice if it is the same; nothing is ever replaced by something else.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { OpenCounts } from "../../generators.ts";
import type { FitnessWatch, GeneratorWatch } from "#harness/record/measurements.ts";
import type { MachineDescription, RunManifest } from "#harness/record/run.ts";
import { stableJson } from "#harness/record/stable-json.ts";
import type { OffsetBounds } from "./clock-offset.ts";
import { DamagedPartError, DuplicatePartError, partName } from "./errors.ts";
import type { ObjectStore } from "./objects.ts";

/** What `writeGeneratorRecord` writes. */
export const recordFiles = [
  "requests.ndjson.gz",
  "transactions.ndjson.gz",
  "latency.hlog",
] as const;
export type RecordFile = (typeof recordFiles)[number];

export interface PartRecord {
  readonly schemaVersion: 1;
  readonly planHash: string;
  readonly runId: string;
  readonly index: number;
  readonly of: number;
  /** Tells two processes that made the same part apart. */
  readonly attempt: string;
  readonly files: Readonly<Record<RecordFile, { readonly sha256: string; readonly bytes: number }>>;
  readonly clock: PartClock;
  /** How long after the agreed start it began, by its own clock. */
  readonly latenessMs: number;
  /** On its own monotonic clock, as all instants of its record. */
  readonly block: { readonly startUs: number; readonly endUs: number };
  readonly watch: GeneratorWatch;
  /** An interval log with one histogram: how late requests were dispatched. */
  readonly dispatchLateness: string;
  readonly cores: number;
  readonly open?: OpenCounts;
  readonly platform: { readonly coldStarts: number; readonly invocations: number };
  readonly fitness: FitnessWatch & { readonly foreignCoresBefore: number | null };
  readonly machine: MachineDescription;
  readonly git: RunManifest["git"];
  readonly versions: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

export interface PartClock {
  /** Of the running kernel: processes with the same one share a monotonic clock. Null: not told. */
  readonly bootId: string | null;
  /** The agreed start by the wall clock, and where it lies on the monotonic one. */
  readonly agreedAtMs: number;
  readonly originUs: number;
  /** Of the objects' clock; null: nobody told. */
  readonly offset: OffsetBounds | null;
}

const file = z.strictObject({ sha256: z.string(), bytes: z.number().int() });
const bounds = z.strictObject({ lowMs: z.number(), highMs: z.number() });
const partRecord = z.looseObject({
  schemaVersion: z.literal(1),
  planHash: z.string(),
  runId: z.string(),
  index: z.number().int().min(0),
  of: z.number().int().min(1),
  attempt: z.string(),
  files: z.strictObject({
    "requests.ndjson.gz": file,
    "transactions.ndjson.gz": file,
    "latency.hlog": file,
  }),
  clock: z.strictObject({
    bootId: z.string().nullable(),
    agreedAtMs: z.number(),
    originUs: z.number().int(),
    offset: bounds.nullable(),
  }),
  latenessMs: z.number().min(0),
  block: z.strictObject({ startUs: z.number().int(), endUs: z.number().int() }),
  watch: z.looseObject({
    longestStallMs: z.number(),
    stalledMs: z.number(),
    utilization: z.number(),
  }),
  dispatchLateness: z.string(),
  cores: z.number(),
  open: z.looseObject({ offered: z.number().int(), sent: z.number().int() }).exactOptional(),
  platform: z.strictObject({ coldStarts: z.number().int(), invocations: z.number().int() }),
  fitness: z.looseObject({ minFreeMemoryMiB: z.number() }),
  machine: z.looseObject({ cpuModel: z.string(), cores: z.number().int() }),
  git: z.strictObject({ commit: z.string(), dirty: z.boolean() }),
  versions: z.record(z.string(), z.string()),
  notes: z.array(z.string()),
});

/** Attempts are part of names. */
export const attemptPattern = /^[A-Za-z0-9-]{1,64}$/;

/** Below the prefix; parts are counted from 1, as in run directories. */
export function partFolder(index: number, attempt: string): string {
  return `parts/${index + 1}/${attempt}`;
}

/** `undefined`: not the name of a part's file. */
export function readPartName(
  name: string,
): { readonly index: number; readonly attempt: string; readonly file: string } | undefined {
  const found = /^parts\/([1-9]\d*)\/([A-Za-z0-9-]{1,64})\/([^/]+)$/.exec(name);
  if (found === null) return undefined;
  const [, number = "", attempt = "", of = ""] = found;
  return { index: Number(number) - 1, attempt, file: of };
}

export const partFile = "part.json";

/** @throws DamagedPartError */
export function parsePartRecord(text: string, name: string): PartRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DamagedPartError(`${name} is no JSON`, { cause });
  }
  const parsed = partRecord.safeParse(value);
  if (parsed.success) return value as PartRecord;
  throw new DamagedPartError(`${name} is no part's record: ${z.prettifyError(parsed.error)}`);
}

export function sha256Of(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Whether two records vouch for the same bytes. */
export function isSameContent(a: PartRecord, b: PartRecord): boolean {
  return (
    a.planHash === b.planHash &&
    recordFiles.every((name) => a.files[name].sha256 === b.files[name].sha256)
  );
}

/**
 * Puts a part there, its files first. The same part again is no change.
 *
 * @param options.directory Holds `recordFiles`.
 * @returns What stands there now. Rejects with `DuplicatePartError` if that attempt is there with other
 *          content, and leaves it as it is.
 */
export async function uploadPart(options: {
  readonly objects: ObjectStore;
  readonly directory: string;
  readonly record: Omit<PartRecord, "files">;
}): Promise<PartRecord> {
  const { objects, directory, record } = options;
  const { index, of, attempt } = record;
  const contents = await Promise.all(
    recordFiles.map(async (name) => [name, await readFile(join(directory, name))] as const),
  );
  const files = Object.fromEntries(
    contents.map(([name, content]) => [name, { sha256: sha256Of(content), bytes: content.length }]),
  ) as unknown as PartRecord["files"];
  const whole: PartRecord = { ...record, files };
  const folder = partFolder(index, attempt);
  const there = await objects.get(`${folder}/${partFile}`);
  if (there !== undefined) {
    const earlier = parsePartRecord(Buffer.from(there).toString(), `${folder}/${partFile}`);
    if (isSameContent(earlier, whole)) return earlier;
    throw new DuplicatePartError(
      `${partName(index, of)}, attempt ${attempt}, is in ${objects.place} with other content ` +
        `(requests ${shortHash(earlier)} there, ${shortHash(whole)} here); it stays as it is`,
    );
  }
  for (const [name, content] of contents) await objects.put(`${folder}/${name}`, content);
  await objects.put(`${folder}/${partFile}`, stableJson(whole));
  return whole;
}

export function shortHash({ files }: PartRecord): string {
  return files["requests.ndjson.gz"].sha256.slice(0, 12);
}
