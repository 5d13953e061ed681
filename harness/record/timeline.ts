/**
 * @module A run over time: what requests, anomalies, members and collection did, in slices. Pure.
 *
 * The axis is measured time: blocks follow one another without what lies between them.
 *
 *   fault window       from the first kill or pause until the replacement serves, or what was paused goes on
 *   detection          from that kill until a fault manager declared the process dead
 *   replacement        from that kill until a transaction committed through a process started after it
 *   before, after      goodput from the first slice to the fault, and from a second behind the window
 */
import { quantile } from "#harness/stats/quantile.ts";
import type { AttemptRecord } from "./attempts.ts";
import type { RecordedTransaction } from "./history.ts";
import type { Measurements, SystemEvent } from "./measurements.ts";
import type { RunTimeline, TimelineSlice } from "./run.ts";

const sliceUs = 500_000;
/** Fewer, and a quantile would be the maximum under another name (MEASURING rule 4). */
const fewestForMedian = 10;
const fewestForP95 = 90;
/** After the replacement serves: clients have found it by then. */
const settleUs = 1_000_000;

export function timelineOf(options: {
  readonly attempts: readonly AttemptRecord[];
  readonly anomalous: readonly RecordedTransaction[];
  readonly measurements: Measurements;
}): RunTimeline | undefined {
  const { attempts, anomalous, measurements } = options;
  const { events, collection = [], blocks } = measurements;
  if (events === undefined || blocks.length === 0) return undefined;
  const axis = axisOf(blocks);
  const slices = new Slices(axis.lengthUs);
  for (const { final, outcome, endUs, dueUs } of attempts) {
    const at = axis.place(endUs);
    if (!final || at === undefined) continue;
    slices.at(at)?.times.push(endUs - dueUs);
    if (outcome === "committed") slices.count(at, "committed");
  }
  for (const transaction of anomalous) {
    const at = axis.place(transaction.operations.at(-1)?.startUs ?? -1);
    if (at !== undefined) slices.count(at, "anomalous");
  }
  const placed = events.flatMap(({ atUs, kind, who }) => {
    const at = axis.place(atUs);
    return at === undefined ? [] : [{ atSeconds: seconds(at), kind, who }];
  });
  return {
    sliceSeconds: sliceUs / 1_000_000,
    slices: slices.done(),
    events: placed,
    collection: collection.flatMap(({ atUs, ...sample }) => {
      const at = axis.place(atUs);
      return at === undefined ? [] : [{ atSeconds: seconds(at), ...sample }];
    }),
    fault: faultOf(events, attempts, measurements),
  };
}

/** Numbers about the first fault; null where there was none. */
function faultOf(
  events: readonly SystemEvent[],
  attempts: readonly AttemptRecord[],
  { blocks }: Measurements,
): RunTimeline["fault"] {
  const hit = events.find(({ kind }) => kind === "kill" || kind === "pause");
  const block = blocks.find(({ startUs, endUs }) =>
    hit === undefined ? false : startUs <= hit.atUs && hit.atUs <= endUs,
  );
  if (hit === undefined || block === undefined) return null;
  const after = (kind: string): SystemEvent | undefined =>
    events.find((event) => event.kind === kind && event.atUs >= hit.atUs);
  const dead = events.find(
    ({ kind, who, atUs }) => kind === "dead" && who === hit.who && atUs >= hit.atUs,
  );
  const serving = after("serving");
  const end = serving ?? after("resume");
  const since = (event: SystemEvent | undefined): number | null =>
    event === undefined ? null : seconds(event.atUs - hit.atUs);
  const goodput = (fromUs: number, toUs: number): number | null => {
    if (toUs - fromUs < settleUs) return null;
    const done = attempts.filter(
      ({ outcome, endUs }) => outcome === "committed" && endUs >= fromUs && endUs < toUs,
    );
    return round((done.length * 1_000_000) / (toUs - fromUs), 1);
  };
  const before = goodput(block.startUs, hit.atUs);
  const recovered = end === undefined ? null : goodput(end.atUs + settleUs, block.endUs);
  const during = end === undefined ? null : goodput(hit.atUs, Math.min(end.atUs, block.endUs));
  return {
    fromSeconds: seconds(hit.atUs - block.startUs),
    toSeconds: end === undefined ? null : seconds(end.atUs - block.startUs),
    detectionSeconds: since(dead),
    replacementSeconds: since(serving),
    throughputBefore: before,
    throughputDuring: during,
    throughputAfter: recovered,
    ratioAfterToBefore: before === null || recovered === null ? null : round(recovered / before, 3),
  };
}

interface Axis {
  readonly lengthUs: number;
  /** `undefined`: not while something was measured. */
  place(us: number): number | undefined;
}

function axisOf(blocks: Measurements["blocks"]): Axis {
  const parts = blocks.toSorted((a, b) => a.startUs - b.startUs);
  const lengthUs = parts.reduce((sum, { startUs, endUs }) => sum + endUs - startUs, 0);
  return {
    lengthUs,
    place: (us) => {
      let passed = 0;
      for (const { startUs, endUs } of parts) {
        if (us >= startUs && us <= endUs) return passed + us - startUs;
        passed += endUs - startUs;
      }
      return undefined;
    },
  };
}

interface Slice {
  readonly times: number[];
  committed: number;
  anomalous: number;
}

class Slices {
  readonly #slices: Slice[];

  /** The last one, which is not whole, is left out. */
  constructor(lengthUs: number) {
    const count = Math.floor(lengthUs / sliceUs);
    this.#slices = Array.from({ length: count }, () => ({
      times: [],
      committed: 0,
      anomalous: 0,
    }));
  }

  at(us: number): Slice | undefined {
    return this.#slices[Math.floor(us / sliceUs)];
  }

  count(us: number, what: "committed" | "anomalous"): void {
    const slice = this.at(us);
    if (slice !== undefined) slice[what] += 1;
  }

  done(): TimelineSlice[] {
    return this.#slices.map(({ times, committed, anomalous }, index) => ({
      atSeconds: seconds(index * sliceUs),
      throughputPerSecond: round((committed * 1_000_000) / sliceUs, 1),
      p50Ms: times.length < fewestForMedian ? null : milliseconds(quantile(times, 0.5)),
      p95Ms: times.length < fewestForP95 ? null : milliseconds(quantile(times, 0.95)),
      anomalous,
    }));
  }
}

function seconds(us: number): number {
  return round(us / 1_000_000, 3);
}

function milliseconds(us: number): number {
  return round(us / 1_000, 2);
}

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
