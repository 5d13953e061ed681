/** @module `aft-bench trend`: where figures changed over the history of accepted runs. */
import { join, resolve } from "node:path";
import { createPrng } from "#kit/prng.ts";
import {
  findTrends,
  hasWorsened,
  leastRuns,
  type Trend,
  type TrendReport,
} from "#harness/gate/trend.ts";
import { historyPath, readHistory } from "#harness/record/trend-history.ts";
import { formatRelative, trendSpec } from "#harness/report/figures/trend.ts";
import { writePicture } from "#harness/report/write.ts";
import { exitCodes } from "#bench/exit-codes.ts";

export interface TrendOptions {
  /** `history.jsonl`; absent: the one in `outDirectory`. */
  readonly history?: string;
  readonly outDirectory: string;
  readonly figure?: string;
  readonly significance: number;
  readonly threshold: number;
  /** Only changes from here on decide the exit code. */
  readonly sinceMs: number;
  readonly json: boolean;
}

/** The exit code: 0 nothing got worse, 99 something did, 4 too few runs to tell. */
export async function trend(options: TrendOptions): Promise<number> {
  const { outDirectory, figure, significance, threshold, sinceMs } = options;
  const path = options.history ?? historyPath(resolve(outDirectory));
  const report = findTrends(await readHistory(path), {
    significance,
    threshold,
    // A fixed seed: the same history must get the same answer.
    prng: createPrng(1),
    ...(figure !== undefined && { figure }),
  });
  const { trends, tooShort } = report;
  const worse = trends.filter((one) => hasWorsened(one, sinceMs));
  const picture = trends.length === 0 ? undefined : await draw(trends, resolve(outDirectory));
  const outcome = worse.length > 0 ? "worse" : trends.length === 0 ? "too-few-runs" : "steady";
  console.log(
    options.json
      ? JSON.stringify({ outcome, history: path, trends, tooShort, picture }, undefined, 2)
      : format(report, sinceMs, picture),
  );
  if (outcome === "worse") return exitCodes.thresholdMissed;
  return outcome === "steady" ? exitCodes.ok : exitCodes.inconclusive;
}

function draw(trends: readonly Trend[], outDirectory: string): Promise<string> {
  const rows = trends.flatMap(({ series, figure, points }) =>
    points.map((point) => ({ series, figure, ...point })),
  );
  const directory = join(outDirectory, "figures", "trend");
  return writePicture({ directory, id: "trend", spec: trendSpec(trends), rows });
}

function format({ trends, tooShort }: TrendReport, sinceMs: number, picture?: string): string {
  const lines: string[] = [];
  for (const one of trends) {
    for (const { at, last, before, after, relative, direction, p } of one.changes) {
      const old = at.atMs < sinceMs ? ", before --since" : "";
      lines.push(
        `${direction === "worse" ? "WORSE" : "better"}  ${one.figure} ${formatRelative(relative)} (${short(before)} to ${short(after)}, p ${p})${old}`,
        `  at ${at.commit.slice(0, 12)}, ${new Date(at.atMs).toISOString()}; last before: ${last.commit.slice(0, 12)}`,
        `  ${one.series}`,
      );
    }
  }
  const changed = trends.filter(({ changes }) => changes.length > 0).length;
  lines.push(`${trends.length} series of figures, ${changed} with changes`);
  if (tooShort.length > 0)
    lines.push(
      `${tooShort.length} cells have fewer than ${leastRuns} runs; nothing is said of them`,
    );
  if (picture !== undefined) lines.push(picture);
  return lines.join("\n");
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
