/**
 * @module Where figures changed over a history of runs: E-divisive change points per series and figure. Pure.
 *
 * A change point is reported if it is unlikely by chance (permutation test) and larger than what is
 * called noise: a change must beat both. Series of different machines are never joined.
 */
import type { Prng } from "#kit/prng.ts";
import { type ChangePoint, changePoints, maxHistory } from "#harness/stats/change-point.ts";
import type { HistoryLine } from "#harness/record/trend-history.ts";

/** Figures of which more is better; of all others less is. */
const moreIsBetter = new Set(["throughputPerSecond"]);
/** Fewer runs than two segments cannot show a change, and are said to be too few. */
export const leastRuns = 6;

export interface TrendPoint {
  readonly atMs: number;
  readonly commit: string;
  readonly runId: string;
  readonly value: number;
}

export interface TrendChange extends ChangePoint {
  /** The first run of the new regime, and the last of the old one. */
  readonly at: TrendPoint;
  readonly last: TrendPoint;
  readonly direction: "better" | "worse";
  /** (after - before) / before; infinite from zero. */
  readonly relative: number;
}

export interface Trend {
  readonly series: string;
  readonly figure: string;
  readonly points: readonly TrendPoint[];
  readonly changes: readonly TrendChange[];
}

export interface TrendReport {
  /** Ordered by series, then figure. */
  readonly trends: readonly Trend[];
  /** Series with too few runs, with their number. */
  readonly tooShort: readonly { readonly series: string; readonly runs: number }[];
}

/**
 * @param options.threshold  A relative change up to this is noise.
 * Seeded: equal arguments give equal reports.
 */
export function findTrends(
  lines: readonly HistoryLine[],
  options: {
    readonly significance: number;
    readonly threshold: number;
    readonly prng: Prng;
    /** Only figures whose name contains this. */
    readonly figure?: string;
  },
): TrendReport {
  const trends: Trend[] = [];
  const tooShort: { series: string; runs: number }[] = [];
  for (const [series, members] of seriesOf(lines)) {
    if (members.length < leastRuns) tooShort.push({ series, runs: members.length });
    const names = new Set(members.flatMap(({ figures }) => Object.keys(figures)));
    for (const figure of [...names].toSorted()) {
      if (options.figure !== undefined && !figure.includes(options.figure)) continue;
      const points = members.flatMap((line): TrendPoint[] => {
        const value = line.figures[figure];
        const { atMs, commit, runId } = line;
        return value === undefined ? [] : [{ atMs, commit, runId, value }];
      });
      if (points.length < leastRuns) continue;
      const kept = points.slice(-maxHistory);
      trends.push({
        series,
        figure,
        points: kept,
        changes: changesOf(kept, figure, series, options),
      });
    }
  }
  return { trends, tooShort };
}

/** Whether a figure's newest regime, begun at or after `sinceMs`, is worse than the one before. */
export function hasWorsened({ changes }: Trend, sinceMs: number): boolean {
  const newest = changes.at(-1);
  return newest !== undefined && newest.direction === "worse" && newest.at.atMs >= sinceMs;
}

function changesOf(
  points: readonly TrendPoint[],
  figure: string,
  series: string,
  options: { readonly significance: number; readonly threshold: number; readonly prng: Prng },
): TrendChange[] {
  const { significance, threshold, prng } = options;
  const found = changePoints(
    points.map(({ value }) => value),
    { prng: prng.fork(`${series} ${figure}`), significance },
  );
  return found.flatMap((change): TrendChange[] => {
    const [at, last] = [points[change.index], points[change.index - 1]];
    if (at === undefined || last === undefined) return [];
    const { before, after } = change;
    const relative = before === 0 ? (after === 0 ? 0 : Infinity) : (after - before) / before;
    if (Math.abs(relative) <= threshold) return [];
    const better = moreIsBetter.has(figure) ? relative > 0 : relative < 0;
    return [{ ...change, at, last, relative, direction: better ? "better" : "worse" }];
  });
}

/** By experiment, profile, cell and machine; each in order of time. */
function seriesOf(lines: readonly HistoryLine[]): Map<string, HistoryLine[]> {
  const found = new Map<string, HistoryLine[]>();
  for (const line of lines) {
    const name = nameOf(line);
    found.set(name, [...(found.get(name) ?? []), line]);
  }
  return new Map(
    [...found]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, members]) => [name, members.toSorted((a, b) => a.atMs - b.atMs)]),
  );
}

function nameOf({ series, machine }: HistoryLine): string {
  const { experiment, profile, cell } = series;
  const factors = Object.entries(cell)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([factor, level]) => `${factor}:${String(level)}`);
  const { cpuModel, cores, node } = machine;
  return [experiment, profile, ...factors, `${cpuModel} x${cores}`, `Node ${node}`].join(" ");
}
