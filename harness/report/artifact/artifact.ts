/**
 * @module What an artifact for evaluation consists of, and its texts from the record. Pure: the same record
 * gives the same texts.
 *
 *   A1  Every observed value, verdict and time follows from runs that are in the folder.
 *   A2  A box is ticked only for what the record or the repository shows; what is the authors' to do, or
 *       the reviewers' to judge, stays open and says so.
 */
import type { RunManifest, SuiteResult } from "#harness/record/run.ts";

export interface ArtifactInput {
  /** Its claims judged again by this version. */
  readonly suite: SuiteResult;
  /** Of every run, by id. */
  readonly manifests: ReadonlyMap<string, RunManifest>;
  readonly repository: RepositoryFacts;
  /** Records of single requests are in the folder too. */
  readonly raw: boolean;
}

/** What is true of the checkout that makes the artifact. */
export interface RepositoryFacts {
  readonly version: string;
  /** SPDX name of LICENSE; absent without one. */
  readonly licence?: string;
  readonly lockfileSha256: string;
  readonly commit: string;
  readonly dirty: boolean;
}

/** One claim with the way to it. */
export interface ClaimRow {
  readonly id: string;
  readonly text: string;
  readonly source: string;
  readonly command: string;
  readonly expected: string;
  readonly observed: string;
  readonly verdict: string;
  /** The verdict, and what explains it. */
  readonly why: string;
  readonly runIds: readonly string[];
  /** Measured; null where nothing ran. */
  readonly seconds: number | null;
}

/** Seconds during which at least one of the runs was under way: cells of one block overlap. */
export function secondsOf(manifests: readonly RunManifest[]): number {
  const spans = manifests
    .map(({ startedAtMs, durationMs = 0 }) => ({ from: startedAtMs, to: startedAtMs + durationMs }))
    .toSorted((a, b) => a.from - b.from);
  let covered = 0;
  let until = Number.NEGATIVE_INFINITY;
  for (const { from, to } of spans) {
    covered += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return Math.round(covered / 100) / 10;
}

/** The command as it was given, without where its results went. */
export function commandOf({ command }: Pick<RunManifest, "command">): string {
  const words: string[] = [];
  for (let at = 0; at < command.length; at += 1) {
    const word = command[at] ?? "";
    if (word === "--out") at += 1;
    else if (!word.startsWith("--out=")) words.push(quoted(word));
  }
  return `npm run bench -- ${words.join(" ")}`;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

export function formatDuration(seconds: number): string {
  if (seconds < 90) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Text for a cell of a Markdown table: a record cannot add cells, lines or HTML. */
export function cellText(text: string): string {
  return text
    .replaceAll("\\", "\\\\")
    .replaceAll("|", "\\|")
    .replaceAll("<", "&lt;")
    .replaceAll("`", "\\`")
    .replaceAll(/\s+/g, " ");
}

export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
