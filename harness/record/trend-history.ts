/**
 * @module `history.jsonl`: one line for each run that was accepted, so that figures can be followed over
 * commits without keeping every run directory.
 *
 * Accepted: complete, valid, nothing promised was broken, and measured (a smoke run measures nothing).
 */
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { ConfigError, type ConfigProblem, describeError } from "#kit/errors.ts";
import type { RunManifest, RunSummary } from "./run.ts";
import { RunDirectoryError } from "./run-files.ts";

export interface HistoryLine {
  readonly schemaVersion: 1;
  readonly runId: string;
  readonly atMs: number;
  readonly commit: string;
  /** There were changes that no commit holds. */
  readonly dirty: boolean;
  readonly machine: { readonly cpuModel: string; readonly cores: number; readonly node: string };
  /** What was run: lines with equal series can be compared. */
  readonly series: {
    readonly experiment: string;
    readonly profile: string;
    readonly cell: Readonly<Record<string, string | number | boolean>>;
  };
  readonly figures: Readonly<Record<string, number>>;
}

export const historyLine = z.looseObject({
  schemaVersion: z.literal(1),
  runId: z.string(),
  atMs: z.number(),
  commit: z.string(),
  dirty: z.boolean(),
  machine: z.looseObject({ cpuModel: z.string(), cores: z.number().int(), node: z.string() }),
  series: z.looseObject({
    experiment: z.string(),
    profile: z.string(),
    cell: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  }),
  figures: z.record(z.string(), z.number()),
});

/** A file may be wrong on every line; so many problems tell what is wrong with it. */
const mostProblems = 10;

export function historyPath(outDirectory: string): string {
  return join(outDirectory, "history.jsonl");
}

/** `undefined`: not accepted. */
export function historyLineOf(
  { runId, startedAtMs, git, machine, profile, experiment, cell }: RunManifest,
  summary: RunSummary,
): HistoryLine | undefined {
  if (!summary.valid || summary.violated.length > 0 || profile === "smoke") return undefined;
  const { responseTimeUs, throughputPerSecond, storage, anomalies } = summary;
  const figures: Record<string, number> = {};
  const { p50, p99 } = responseTimeUs;
  if (typeof p50 === "number") figures["responseTimeUsP50"] = p50;
  if (typeof p99 === "number") figures["responseTimeUsP99"] = p99;
  // What an open loop achieves is what it was offered.
  if (summary.load === undefined) figures["throughputPerSecond"] = throughputPerSecond;
  if (storage !== null) figures["storageCallsPerTransaction"] = storage.callsPerTransaction;
  if (anomalies.judged > 0)
    figures["anomalousRatio"] = anomalies.anomalous.transactions / anomalies.judged;
  const { cpuModel, cores, node } = machine;
  return {
    schemaVersion: 1,
    runId,
    atMs: startedAtMs,
    commit: git.commit,
    dirty: git.dirty,
    machine: { cpuModel, cores, node },
    series: { experiment, profile, cell: { ...cell } },
    figures,
  };
}

/** Appends; one write, so that two suites at once do not mix their lines. */
export async function appendHistory(path: string, lines: readonly HistoryLine[]): Promise<void> {
  if (lines.length === 0) return;
  try {
    await mkdir(dirname(path), { recursive: true });
    await appendFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  } catch (cause) {
    throw new RunDirectoryError("append to", path, { cause });
  }
}

/** Rejects with `ConfigError` that names every line that is none. */
export async function readHistory(path: string): Promise<HistoryLine[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    const hint = "runs append to history.jsonl in their --out directory; smoke runs do not";
    throw new ConfigError(
      [{ where: path, what: `cannot be read: ${describeError(cause)}`, hint }],
      {
        cause,
      },
    );
  }
  return parseHistory(path, text);
}

/** @throws ConfigError */
export function parseHistory(path: string, text: string): HistoryLine[] {
  const problems: ConfigProblem[] = [];
  const lines: HistoryLine[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      lines.push(historyLine.parse(JSON.parse(line)));
    } catch (error) {
      const what = error instanceof z.ZodError ? z.prettifyError(error) : describeError(error);
      problems.push({ where: `${path}:${index + 1}`, what });
      if (problems.length === mostProblems) break;
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return lines;
}
