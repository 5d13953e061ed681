/** @module The paper's claims about collection and the death of a node (Fig. 9, Fig. 10), as predicates. */
import type { RunTimeline } from "#harness/record/run.ts";
import { coresFact } from "./claims-facts.ts";
import {
  type ClaimRun,
  type ClaimSuite,
  type Judgement,
  type Predicate,
  round,
  runsOf,
} from "./claims-judge.ts";
import { storeName } from "./format.ts";

export const clusterClaims: readonly Predicate[] = [
  { id: "fig9-no-cost", judge: collectionIsFree },
  { id: "fig9-deletions-follow", judge: deletionsFollow },
  { id: "fig9-cores", judge: oneCoreForFour },
  { id: "fig10-loss", judge: loss },
  { id: "fig10-detection", judge: detection },
  { id: "fig10-replacement", judge: replacement },
  { id: "fig10-back", judge: backAtPeak },
  { id: "no-commit-lost", judge: nothingLost },
];

function collecting(suite: ClaimSuite): ClaimRun[] {
  return runsOf(suite, { experiment: "gc-overhead", store: "dynamodb", system: "aft" });
}

function collectionIsFree(suite: ClaimSuite): Judgement {
  const found = suite.comparisons.find(
    ({ name }) =>
      name.startsWith("aft/aft-no-gc throughput: gc-overhead") &&
      name.includes("emulated dynamodb"),
  );
  const runs = runsOf(suite, { experiment: "gc-overhead", store: "dynamodb" });
  const { ratio, blocks } = found ?? {};
  return {
    rule: "throughput with collection over that without, in alternating blocks, at least 0.97 (emulated)",
    paper: 1,
    ours:
      ratio === undefined
        ? null
        : `${ratio.median} [${ratio.low}, ${ratio.high}] over ${blocks ?? 0} blocks`,
    holds: ratio === undefined ? null : ratio.median >= 0.97,
    runs,
    facts: runs.flatMap((run) => coresFact(run, suite.machine)),
  };
}

/** Most seconds' worth of commits that may wait, the retention of outcomes included. */
const mostLagSeconds = 6;

function deletionsFollow(suite: ClaimSuite): Judgement {
  const runs = collecting(suite);
  const [run] = runs;
  const samples = run?.timeline?.collection ?? [];
  const [first, last] = [samples[0], samples.at(-1)];
  const deleted =
    first !== undefined && last !== undefined ? last.collectedTotal - first.collectedTotal : 0;
  const lag =
    run === undefined || last === undefined || run.throughputPerSecond === 0
      ? null
      : round(last.waiting / run.throughputPerSecond, 1);
  const drained = run?.drain?.seconds;
  return {
    rule: `what waits for deletion at the end are at most ${mostLagSeconds} s of commits, and everything superseded is deleted after the load (emulated)`,
    paper: "a small lag",
    ours:
      run === undefined || lag === null
        ? null
        : `${lag} s of commits wait, ${deleted} deleted beside ${run.transactions.committed} commits, ` +
          (drained === null || drained === undefined
            ? "not drained in time"
            : `drained ${drained} s after the load`),
    holds:
      lag === null || deleted === 0 ? null : lag <= mostLagSeconds && typeof drained === "number",
    ...(lag !== null &&
      deleted === 0 && {
        reason: `no deletion fell into the ${run?.measuredSeconds ?? 0} s that were measured: outcomes are kept for some seconds`,
      }),
    runs,
    facts: runs.flatMap((one) => [
      ...coresFact(one, suite.machine),
      `at the end ${last?.waiting ?? 0} superseded transactions waited and ${last?.knownTransactions ?? 0} were known`,
    ]),
  };
}

function oneCoreForFour(suite: ClaimSuite): Judgement {
  const runs = collecting(suite);
  const cores = (run: ClaimRun, prefix: string): number =>
    Object.entries(run.cpuCores).reduce(
      (sum, [name, used]) => (name.startsWith(prefix) ? sum + used : sum),
      0,
    );
  const shares = runs.flatMap((run) => {
    const replicas = cores(run, "replica");
    return replicas === 0 ? [] : [cores(run, "manager") / replicas];
  });
  const ours = shares.length === 0 ? null : round(Math.max(...shares), 3);
  return {
    rule: "CPU of the fault manager, which deletes, over CPU of the replica, at most 0.25 (emulated)",
    paper: 0.25,
    ours,
    holds: ours === null ? null : ours <= 0.25,
    runs,
    facts: runs.map(
      (run) =>
        `manager ${round(cores(run, "manager"), 3)} and replica ${round(cores(run, "replica"), 3)} cores at ${run.throughputPerSecond} transactions/s`,
    ),
  };
}

type Fault = NonNullable<RunTimeline["fault"]>;

function faultRuns(suite: ClaimSuite): { readonly run: ClaimRun; readonly fault: Fault }[] {
  return suite.runs
    .filter(({ experiment }) => experiment === "fault-timeline")
    .flatMap((run) => {
      const { fault } = run.timeline ?? {};
      return fault === undefined || fault === null ? [] : [{ run, fault }];
    });
}

/** One predicate over every store's run; what never happened in one of them fails it. */
function overFaults(
  suite: ClaimSuite,
  options: {
    readonly rule: string;
    readonly paper: number | string;
    readonly valueOf: (fault: Fault) => number | null;
    readonly unit: string;
    readonly holds: (value: number) => boolean;
    readonly facts?: (run: ClaimRun, fault: Fault) => string[];
  },
): Judgement {
  const { rule, paper, valueOf, unit, holds, facts } = options;
  const found = faultRuns(suite);
  const values = found.map(({ run, fault }) => ({ run, value: valueOf(fault) }));
  const text = ({ run, value }: (typeof values)[number]): string =>
    `${value === null ? "not seen" : `${value}${unit}`} over ${storeName(run.cell)}`;
  const complete = values.some(({ value }) => value !== null);
  return {
    rule,
    paper,
    ours: complete ? values.map(text).join(", ") : null,
    holds: complete ? values.every(({ value }) => value !== null && holds(value)) : null,
    ...(!complete &&
      values.length > 0 && { reason: "the load ended before there was enough to compare" }),
    runs: found.map(({ run }) => run),
    facts: found.flatMap(({ run, fault }) => facts?.(run, fault) ?? []),
  };
}

function loss(suite: ClaimSuite): Judgement {
  return overFaults(suite, {
    rule: "goodput from the kill until the replacement serves over that before, 0.76 to 0.92",
    paper: 0.84,
    valueOf: ({ throughputDuring, throughputBefore }) =>
      throughputDuring === null || throughputBefore === null || throughputBefore === 0
        ? null
        : round(throughputDuring / throughputBefore),
    unit: "",
    holds: (value) => value >= 0.76 && value <= 0.92,
    facts: (run, { throughputBefore, throughputDuring }) => [
      `over ${storeName(run.cell)}: ${throughputBefore ?? "n/a"}/s before and ${throughputDuring ?? "n/a"}/s during the fault`,
      ...coresFact(run, suite.machine),
      `over ${storeName(run.cell)} ${retriesOf(run)} attempts were tried again`,
    ],
  });
}

function retriesOf({ retries }: ClaimRun): number {
  return Object.values(retries).reduce((sum, count) => sum + count, 0);
}

function detection(suite: ClaimSuite): Judgement {
  return overFaults(suite, {
    rule: "from the kill until the fault manager declares it dead, at most 5 s",
    paper: "5 s",
    valueOf: ({ detectionSeconds }) => detectionSeconds,
    unit: " s",
    holds: (value) => value <= 5,
  });
}

/** No image is pulled here, so the paper's 45 s have no counterpart; what has one is shown. */
function replacement(suite: ClaimSuite): Judgement {
  const found = faultRuns(suite);
  const texts = found.flatMap(({ run, fault }) => {
    const { detectionSeconds, replacementSeconds } = fault;
    if (detectionSeconds === null || replacementSeconds === null) return [];
    const after = round(replacementSeconds - detectionSeconds);
    return [`${after} s over ${storeName(run.cell)} with ${String(run.cell["records"])} records`];
  });
  return {
    rule: "from the detection until a transaction commits through the replacement",
    paper: "45 s",
    ours: texts.length === 0 ? null : texts.join(", "),
    holds: null,
    ...(found.length > 0 && {
      reason:
        "no container image is downloaded: a replacement is a process of this machine; it does read every commit record",
    }),
    runs: found.map(({ run }) => run),
    facts: [],
  };
}

function backAtPeak(suite: ClaimSuite): Judgement {
  return overFaults(suite, {
    rule: "goodput from a second after the replacement serves over that before, at least 0.95",
    paper: 0.94,
    valueOf: ({ ratioAfterToBefore }) => ratioAfterToBefore,
    unit: "",
    holds: (value) => value >= 0.95,
    facts: (run, { throughputBefore, throughputAfter }) => [
      `over ${storeName(run.cell)}: ${throughputBefore ?? "n/a"}/s before and ${throughputAfter ?? "n/a"}/s after`,
      ...coresFact(run, suite.machine),
    ],
  });
}

function nothingLost(suite: ClaimSuite): Judgement {
  const runs = suite.runs.filter(
    ({ experiment, durability }) => experiment === "fault-timeline" && durability !== undefined,
  );
  const checks = runs.flatMap(({ durability }) => durability ?? []);
  const lost = checks.reduce((sum, check) => sum + check.lost, 0);
  const acknowledged = checks.reduce((sum, check) => sum + check.acknowledged, 0);
  return {
    rule: "after the load every acknowledged commit, or a newer one of its key, is at every replica",
    paper: 0,
    ours: acknowledged === 0 ? null : `${lost} lost of ${acknowledged}`,
    holds: acknowledged === 0 ? null : lost === 0,
    runs,
    facts: checks.flatMap(({ examples }) => examples),
  };
}
