/** @module `aft-bench compare A B`: two run directories, or two suites cell by cell. A function of what they hold. */
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";
import { createPrng } from "#kit/prng.ts";
import {
  cellKey,
  compareRuns,
  type RecordedRun,
  type RunComparison,
  whyNotComparable,
} from "#harness/gate/compare.ts";
import { formatRatio } from "#harness/gate/time.ts";
import { blockFiguresOf } from "#harness/record/blocks.ts";
import { readRun, restoreSummary } from "#harness/record/run-directory.ts";
import type { AnomalyCount } from "#harness/record/run.ts";
import { parseSuite } from "#harness/record/schema.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { formatColumns } from "#bench/text.ts";

/**
 * Prints B as ratios to A. Rejects with `ConfigError`, listing every reason, when the runs are of
 * different kinds; then nothing is printed.
 */
export async function compare(options: {
  readonly a: string;
  readonly b: string;
  readonly json: boolean;
}): Promise<number> {
  const [left, right] = [await readAll(options.a), await readAll(options.b)];
  const pairs = pairUp(left, right);
  const problems: ConfigProblem[] = pairs.flatMap(([a, b]) =>
    whyNotComparable(a, b).map((what) => ({
      where: `${a.manifest.runId} and ${b.manifest.runId}`,
      what,
    })),
  );
  if (pairs.length === 0)
    problems.push({
      where: "compare",
      what: "no cell is in both",
      hint: "run the same plan twice",
    });
  if (problems.length > 0) throw new ConfigError(problems);
  const comparisons = pairs.map(([a, b]) => compareRuns(a, b, createPrng(1)));
  console.log(
    options.json ? JSON.stringify({ comparisons }, undefined, 2) : formatComparisons(comparisons),
  );
  return exitCodes.ok;
}

/** Single runs are a pair whatever their systems; suites are paired cell by cell. */
function pairUp(
  left: readonly RecordedRun[],
  right: readonly RecordedRun[],
): [RecordedRun, RecordedRun][] {
  const [a, b] = [left[0], right[0]];
  if (left.length === 1 && right.length === 1 && a !== undefined && b !== undefined)
    return [[a, b]];
  const byCell = new Map(right.map((run) => [cellKey(run.manifest), run]));
  return left.flatMap((run): [RecordedRun, RecordedRun][] => {
    const other = byCell.get(cellKey(run.manifest));
    return other === undefined ? [] : [[run, other]];
  });
}

async function readAll(given: string): Promise<RecordedRun[]> {
  const path = resolve(given);
  const directories = await runDirectories(path, given);
  return Promise.all(
    directories.map(async (directory) => {
      const { manifest, attempts, measurements } = await readRun(directory);
      const summary = await restoreSummary(directory);
      return { manifest, summary, blocks: blockFiguresOf(attempts, measurements) };
    }),
  );
}

/** A run directory; a suite.json or its directory; or a folder of run directories. */
async function runDirectories(path: string, given: string): Promise<string[]> {
  if (existsSync(join(path, "manifest.json"))) return [path];
  const isDirectory = existsSync(path) && (await stat(path)).isDirectory();
  const suite = isDirectory ? join(path, "suite.json") : path;
  if (existsSync(suite)) {
    const { runs } = parseSuite(JSON.parse(await readFile(suite, "utf8")));
    // Written by another machine or moved: the runs then lie beside the figures.
    const out = dirname(dirname(dirname(suite)));
    return runs.map(({ directory, experiment, runId }) =>
      existsSync(directory) ? directory : join(out, "runs", experiment, runId),
    );
  }
  const names = isDirectory ? (await readdir(path)).toSorted() : [];
  const found = names
    .map((name) => join(path, name))
    .filter((child) => existsSync(join(child, "manifest.json")));
  if (found.length > 0) return found;
  const hint = "results/runs/<experiment>/<run> or results/figures/<suite>";
  throw new ConfigError([{ where: "compare", what: `no run in ${given}`, hint }]);
}

function formatComparisons(comparisons: readonly RunComparison[]): string {
  const parts = comparisons.map(({ name, a, b, ratios, anomalies }) => {
    const ratioRows = ratios.map(({ figure, ratio, p }) => [
      `  ${figure}`,
      `B/A ${formatRatio(ratio)}`,
      `${Math.round(ratio.confidence * 100)} % interval, ${ratio.blocks} blocks`,
      `Mann-Whitney p ${p.toPrecision(2)}`,
    ]);
    const anomalyRows = anomalies.map((row) => [
      `  ${row.kind}`,
      `A ${formatCount(row.a)}`,
      `B ${formatCount(row.b)}`,
    ]);
    return [name, `  A ${a}`, `  B ${b}`, formatColumns(ratioRows), formatColumns(anomalyRows)];
  });
  const warning =
    "Measured one after the other: intervals do not cover what the machine did in between (ab does).";
  return `${parts.map((lines) => lines.join("\n")).join("\n\n")}\n\n${warning}`;
}

function formatCount({ transactions, upperBoundPer10k }: AnomalyCount): string {
  return `${transactions} (< ${upperBoundPer10k}/10k)`;
}
