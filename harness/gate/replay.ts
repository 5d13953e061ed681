/**
 * @module Whether a replayed run is the recorded one again. Pure.
 *
 * What the seeds decide (which requests, when they were due, which operations on which keys) must be
 * equal. What the machine decides (times) is compared by an equivalence test: the interval of the
 * ratio must lie within the margin; outside it as a whole is a mismatch, and anything else cannot tell.
 */
import type { Prng } from "#kit/prng.ts";
import { blockFiguresOf } from "#harness/record/blocks.ts";
import type { RecordedTransaction } from "#harness/record/history.ts";
import type { RawRun } from "#harness/record/summarize.ts";
import { ratioOfMedians } from "#harness/stats/bootstrap.ts";
import type { GateCheck } from "./outcome.ts";
import { formatRatio, leastBlocks } from "./time.ts";

/** `fail` is a mismatch. */
export type ReplayCheck = GateCheck;

/** @param margin  Times within a factor of 1 + margin count as equal. */
export function judgeReplay(options: {
  readonly recorded: RawRun;
  readonly replayed: RawRun;
  readonly margin: number;
  readonly prng: Prng;
}): ReplayCheck[] {
  const { recorded, replayed, margin, prng } = options;
  const checks = [
    equal("requests", requestsOf(recorded), requestsOf(replayed)),
    equal("operations and keys", operationsOf(recorded), operationsOf(replayed)),
  ];
  if (recorded.manifest.labels.includes("open-loop"))
    checks.push(equal("due times", dueTimesOf(recorded), dueTimesOf(replayed)));
  const [a, b] = [recorded, replayed].map((run) => blockFiguresOf(run.attempts, run.measurements));
  for (const [name, figure] of [
    ["p50", "medianUs"],
    ["throughput", "throughputPerSecond"],
  ] as const) {
    const ratio = ratioOfMedians(b?.[figure] ?? [], a?.[figure] ?? [], prng.fork(name));
    const figures = `replayed/recorded ${formatRatio(ratio)}, margin ${margin}`;
    const within = ratio.low >= 1 / (1 + margin) && ratio.high <= 1 + margin;
    const beyond = ratio.high < 1 / (1 + margin) || ratio.low > 1 + margin;
    const outcome =
      ratio.blocks < leastBlocks
        ? "inconclusive"
        : within
          ? "pass"
          : beyond
            ? "fail"
            : "inconclusive";
    const why = ratio.blocks < leastBlocks ? `: fewer than ${leastBlocks} blocks` : "";
    checks.push({ name, outcome, explanation: figures + why });
  }
  return checks;
}

type Facts = ReadonlyMap<string, string>;

/** Only requests both runs have are compared in detail; `requests` says whether those are all. */
function equal(name: string, recorded: Facts, replayed: Facts): ReplayCheck {
  const shared = [...recorded.keys()].filter((key) => replayed.has(key));
  const other = shared.find((key) => recorded.get(key) !== replayed.get(key));
  const countsDiffer =
    name === "requests" && (recorded.size !== replayed.size || shared.length !== recorded.size);
  if (other === undefined && !countsDiffer && shared.length > 0)
    return { name, outcome: "pass", explanation: `${shared.length} equal` };
  const explanation =
    other === undefined
      ? `${recorded.size} recorded, ${replayed.size} replayed, ${shared.length} in both`
      : `${other}: recorded ${recorded.get(other)}, replayed ${replayed.get(other)}`;
  return { name, outcome: "fail", explanation };
}

function requestsOf({ attempts }: RawRun): Facts {
  return new Map(attempts.map(({ requestId, block }) => [requestId, `block ${block}`]));
}

/** Of attempts that went all the way; one that was cut off has done fewer. */
function operationsOf({ transactions }: RawRun): Facts {
  const isMeasured = ({ session, outcome }: RecordedTransaction): boolean =>
    session >= 0 && outcome === "committed";
  return new Map(
    transactions
      .filter(isMeasured)
      .map(({ requestId, operations }) => [
        requestId,
        operations.map(({ kind, key }) => `${kind} ${key}`).join(", "),
      ]),
  );
}

/** From the block's first due time, in whole microseconds. */
function dueTimesOf({ attempts }: RawRun): Facts {
  const firstDue = new Map<number, number>();
  for (const { block, dueUs } of attempts)
    firstDue.set(block, Math.min(dueUs, firstDue.get(block) ?? Infinity));
  return new Map(
    attempts.map(({ requestId, block, dueUs }) => [
      requestId,
      `${Math.round(dueUs - (firstDue.get(block) ?? 0))} us`,
    ]),
  );
}
