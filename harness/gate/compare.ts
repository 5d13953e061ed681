/**
 * @module Two recorded runs as ratios, or all reasons why they must not be compared. Pure.
 *
 * The runs did not share a machine's minutes (`ab` does that), so the interval covers the spread of
 * blocks within each run and not what changed in between; every table says so.
 */
import type { Prng } from "#kit/prng.ts";
import type { AnomalyCount, RunManifest, RunSummary } from "#harness/record/run.ts";
import type { RatioEstimate } from "#harness/stats/bootstrap.ts";
import { ratioOfMedians } from "#harness/stats/bootstrap.ts";
import { mannWhitney } from "#harness/stats/mann-whitney.ts";

/** One figure per block of a run. */
export interface BlockFigures {
  readonly medianUs: readonly number[];
  readonly throughputPerSecond: readonly number[];
}

export interface RecordedRun {
  readonly manifest: RunManifest;
  readonly summary: RunSummary;
  readonly blocks: BlockFigures;
}

export interface RunComparison {
  readonly name: string;
  readonly a: string;
  readonly b: string;
  /** B to A. */
  readonly ratios: readonly {
    readonly figure: string;
    readonly ratio: RatioEstimate;
    readonly p: number;
  }[];
  readonly anomalies: readonly {
    readonly kind: string;
    readonly a: AnomalyCount;
    readonly b: AnomalyCount;
  }[];
}

/** Anything that makes the two numbers mean different things; empty when they may be compared. */
export function whyNotComparable(a: RecordedRun, b: RecordedRun): string[] {
  const reasons: string[] = [];
  const differ = (what: string, left: unknown, right: unknown): void => {
    const [x, y] = [JSON.stringify(left), JSON.stringify(right)];
    if (x !== y) reasons.push(`${what}: ${x ?? "none"} and ${y ?? "none"}`);
  };
  const [left, right] = [a.manifest, b.manifest];
  differ("schemaVersion", left.schemaVersion, right.schemaVersion);
  differ("experiment", left.experiment, right.experiment);
  differ("profile", left.profile, right.profile);
  differ("mode", left.mode, right.mode);
  differ("kind", left.labels.toSorted(), right.labels.toSorted());
  for (const factor of Object.keys({ ...left.cell, ...right.cell }).toSorted())
    if (factor !== "system") differ(`cell ${factor}`, left.cell[factor], right.cell[factor]);
  for (const part of ["workload", "platform", "storage", "load", "faults"] as const) {
    const [x, y] = [flat(left.resolved[part]), flat(right.resolved[part])];
    for (const name of Object.keys({ ...x, ...y }).toSorted())
      if (!isPlace(name)) differ(`${part} ${name}`, x[name], y[name]);
  }
  differ("emulation", left.emulation, right.emulation);
  for (const name of ["cpuModel", "cores", "node"] as const)
    differ(`machine ${name}`, left.machine[name], right.machine[name]);
  for (const [name, { summary }] of [
    ["A", a],
    ["B", b],
  ] as const) {
    if (!summary.valid) reasons.push(`${name} is invalid: ${summary.invalidReasons.join("; ")}`);
    if (summary.violated.length > 0)
      reasons.push(`${name} broke ${summary.violated.join(", ")}: it has no performance figures`);
  }
  return reasons;
}

/** Ratios of B to A, with anomalies beside them. The runs must be comparable. */
export function compareRuns(a: RecordedRun, b: RecordedRun, prng: Prng): RunComparison {
  const ratio = (figure: string, key: keyof BlockFigures): RunComparison["ratios"][number] => ({
    figure,
    ratio: ratioOfMedians(b.blocks[key], a.blocks[key], prng.fork(figure)),
    p: mannWhitney(b.blocks[key], a.blocks[key]).p,
  });
  const kinds = ["readYourWrites", "fractured", "nonRepeatable", "dirtyReads"] as const;
  return {
    name: describeCellOf(b.manifest),
    a: `${a.manifest.cell.system} ${a.manifest.runId}`,
    b: `${b.manifest.cell.system} ${b.manifest.runId}`,
    ratios: [ratio("p50", "medianUs"), ratio("throughput", "throughputPerSecond")],
    anomalies: kinds.map((kind) => ({
      kind,
      a: a.summary.anomalies[kind],
      b: b.summary.anomalies[kind],
    })),
  };
}

/** Which runs of two suites belong together: all factors equal, the system included. */
export function cellKey({ experiment, cell }: Pick<RunManifest, "experiment" | "cell">): string {
  const factors = Object.entries(cell).toSorted(([x], [y]) => (x < y ? -1 : 1));
  return JSON.stringify([experiment, factors]);
}

function describeCellOf({ experiment, cell }: RunManifest): string {
  const { workload, storage, emulation, clients, zipfTheta } = cell;
  const store = emulation === "none" ? storage : `emulated ${emulation}`;
  return `${experiment}: ${workload} over ${store}, ${clients} clients, zipf ${zipfTheta}`;
}

/** Where a server happened to listen is no property of it. */
function isPlace(name: string): boolean {
  return /(^|\.)(port|ports|path|paths|url|urls|socket|directory|endpoint|pid|pids)(\.|$)/.test(
    name,
  );
}

function flat(value: Readonly<Record<string, unknown>>, prefix = ""): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]): [string, unknown][] =>
      typeof member === "object" && member !== null
        ? Object.entries(flat(member as Record<string, unknown>, `${prefix}${name}.`))
        : [[prefix + name, member]],
    ),
  );
}
