/** @module `aft-bench check --generate`: a history by seed and size, valid or with one anomaly in it. */
import { once } from "node:events";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";
import { maxOperations } from "#harness/checker/errors.ts";
import type { OutputFile } from "#harness/checker/formats/format.ts";
import { formatNames, formatOf } from "#harness/checker/formats/registry.ts";
import { generate, type GenerateOptions } from "#harness/checker/generate.ts";
import { HistoryBuilder } from "#harness/checker/history.ts";
import { type Plant, plantable } from "#harness/checker/plant.ts";
import { exitCodes } from "#bench/exit-codes.ts";

export interface GenerateRequest extends Omit<GenerateOptions, "plant"> {
  /** An anomaly, or `stale-read:LEVEL`. */
  readonly plant?: string;
  readonly format: string;
  /** A file, or a directory for a format of several files; standard output if absent. */
  readonly out?: string;
}

const staleLevels = ["rc", "ra", "cc", "none"] as const;

/** The history on stdout, or files and what was planted as JSON. Rejects with `ConfigError`. */
export async function generateHistory(request: GenerateRequest): Promise<number> {
  const problems = problemsOf(request);
  if (problems.length > 0) throw new ConfigError(problems);
  const { plant: plantName, format: formatName, out, ...sizes } = request;
  const format = formatOf(formatName);
  const plant = parsePlant(plantName);
  const builder = new HistoryBuilder();
  const planted = generate({ ...sizes, ...(plant !== undefined && { plant }) }, builder) ?? null;
  if (plant !== undefined && planted === null) {
    const what = `there is no place for ${plantName} in this history`;
    throw new ConfigError([
      { where: "--plant", what, hint: "another --seed, or a larger history" },
    ]);
  }
  const files = format?.write(builder.build()) ?? [];
  if (out === undefined) {
    for (const { chunks } of files) await print(chunks);
    return exitCodes.ok;
  }
  const written = await writeFiles(files, { out, manyFiles: format?.manyFiles === true });
  console.log(
    JSON.stringify({ files: written, format: formatName, ...sizes, planted }, undefined, 2),
  );
  return exitCodes.ok;
}

function problemsOf(request: GenerateRequest): ConfigProblem[] {
  const { sessions, transactionsPerSession, operations, keys, plant, store, format, out } = request;
  const problems: ConfigProblem[] = [];
  const sizes = { "--sessions": sessions, "--transactions": transactionsPerSession };
  for (const [where, size] of Object.entries({
    ...sizes,
    "--operations": operations,
    "--keys": keys,
  }))
    if (size < 1) problems.push({ where, what: "must be at least 1" });
  if (sessions * transactionsPerSession * operations > maxOperations)
    problems.push({ where: "--generate", what: `more than ${maxOperations} operations` });
  if (formatOf(format) === undefined) {
    const hint = `known: ${formatNames.join(", ")}`;
    problems.push({ where: "--format", what: `unknown format "${format}"`, hint });
  } else if (formatOf(format)?.manyFiles === true && out === undefined)
    problems.push({
      where: "--format",
      what: `${format} needs --out DIRECTORY: one file a session`,
    });
  if (plant !== undefined && parsePlant(plant) === undefined) {
    const hint = `known: ${[...plantable, ...staleLevels.map((one) => `stale-read:${one}`)].join(", ")}`;
    problems.push({ where: "--plant", what: `unknown anomaly "${plant}"`, hint });
  }
  if (plant !== undefined && store !== undefined && store !== "serializable")
    problems.push({
      where: "--plant",
      what: "needs --store serializable: one anomaly, and no other",
    });
  return problems;
}

function parsePlant(name: string | undefined): Plant | undefined {
  const kind = plantable.find((one) => one === name);
  if (kind !== undefined) return { kind };
  const level = staleLevels.find((one) => name === `stale-read:${one}`);
  return level === undefined ? undefined : { kind: "stale-read", level };
}

async function print(chunks: OutputFile["chunks"]): Promise<void> {
  let closed = false;
  // Whoever reads may have had enough (`| head`): no failure of ours.
  process.stdout.on("error", () => {
    closed = true;
  });
  for (const chunk of chunks) {
    if (closed) return;
    if (!process.stdout.write(chunk))
      await Promise.race([once(process.stdout, "drain"), once(process.stdout, "close")]).catch(
        () => {
          closed = true;
        },
      );
  }
}

async function writeFiles(
  files: Iterable<OutputFile>,
  { out, manyFiles }: { readonly out: string; readonly manyFiles: boolean },
): Promise<string[]> {
  const written: string[] = [];
  try {
    if (manyFiles) await mkdir(out, { recursive: true });
    for (const { suffix, chunks } of files) {
      const path = manyFiles ? join(out, suffix) : out;
      await using file = await open(path, "w");
      for (const chunk of chunks) await file.appendFile(chunk);
      written.push(path);
    }
  } catch (cause) {
    throw new ConfigError([{ where: "--out", what: `cannot write ${out}` }], { cause });
  }
  return written;
}
