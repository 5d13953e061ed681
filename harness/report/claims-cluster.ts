/**
 * @module The paper's claims about many replicas, collection and faults, as predicates.
 */
import type { ClaimVerdict, RunSummary, SuiteResult } from "#harness/record/run.ts";
import { scalingRows } from "./figures/scaling.ts";
import { storeName } from "./format.ts";
import { coreUse } from "./saturation.ts";

type Suite = Pick<SuiteResult, "runs" | "comparisons" | "machine">;

export const clusterClaims: readonly ((suite: Suite) => ClaimVerdict)[] = [
  linearTo({ id: "fig7-dynamodb-linear", store: "dynamodb", clients: 40 }),
  linearTo({ id: "fig7-redis-linear", store: "elasticache", clients: 45 }),
  nearIdeal({ id: "fig8-dynamodb-ideal", store: "dynamodb" }),
  nearIdeal({ id: "fig8-redis-ideal", store: "elasticache" }),
  collectionIsFree,
  detectedInTime,
  backAtPeak,
  nothingLost,
];

function of(suite: Suite, experiment: string): readonly RunSummary[] {
  return suite.runs.filter((run) => run.experiment === experiment);
}

/** Linear: at so many clients nine tenths of what the smallest count promises. */
function linearTo(options: {
  readonly id: string;
  readonly store: string;
  readonly clients: number;
}): (suite: Suite) => ClaimVerdict {
  const { id, store, clients } = options;
  return (suite) => {
    const runs = of(suite, "scaling-clients")
      .filter(({ cell }) => storeName(cell) === store && cell.clients <= clients)
      .toSorted((a, b) => a.cell.clients - b.cell.clients);
    const [first, last] = [runs[0], runs.at(-1)];
    const reaches = first !== undefined && last !== undefined && last.cell.clients >= 40;
    const ours = reaches ? round(perClient(last) / perClient(first)) : null;
    const full = last === undefined ? undefined : coreUse(last, suite.machine.cores).saturated;
    return {
      id,
      text: `over ${store} (emulated) one replica's throughput grows linearly to ${clients} clients (>= 0.9 of proportional${full === undefined ? "" : `; here ${full}`})`,
      source: "Figure 7",
      paper: 1,
      ours,
      verdict:
        ours === null
          ? "not-testable"
          : ours >= 0.9
            ? "reproduced"
            : full === undefined
              ? "not-reproduced"
              : "not-testable",
    };
  };
}

function perClient({ throughputPerSecond, cell }: RunSummary): number {
  return throughputPerSecond / cell.clients;
}

/** Where the machine's cores are used up nothing can be said about the system. */
function nearIdeal(options: {
  readonly id: string;
  readonly store: string;
}): (suite: Suite) => ClaimVerdict {
  const { id, store } = options;
  return (suite) => {
    const rows = scalingRows(suite).filter(({ service }) => service === store);
    const judged = rows.filter(({ saturated, replicas }) => saturated === "" && replicas > 1);
    const worst = Math.min(...judged.map(({ ofIdeal }) => ofIdeal));
    const most = Math.max(...judged.map(({ replicas }) => replicas));
    const full = rows.find(({ saturated }) => saturated !== "");
    const where =
      full === undefined ? "" : `; cores used up at ${full.replicas}: ${full.saturated}`;
    return {
      id,
      text: `over ${store} (emulated) N replicas reach 90 % of N times one until the cores are used up${where}`,
      source: "Figure 8",
      paper: "90 %",
      ours:
        rows.length === 0
          ? null
          : judged.length === 0
            ? "no count with cores to spare"
            : `${worst} % or more, up to ${most} replicas`,
      verdict: judged.length === 0 ? "not-testable" : worst >= 90 ? "reproduced" : "not-reproduced",
    };
  };
}

function collectionIsFree({ comparisons }: Suite): ClaimVerdict {
  const found = comparisons.find(
    ({ name }) => name.startsWith("aft/aft-no-gc throughput") && name.includes("emulated dynamodb"),
  );
  const ours = found === undefined ? null : found.ratio.median;
  return {
    id: "fig9-no-cost",
    text: "over dynamodb (emulated) throughput with collection is at least 0.97 of that without",
    source: "Figure 9",
    paper: 1,
    ours,
    verdict: ours === null ? "not-testable" : ours >= 0.97 ? "reproduced" : "not-reproduced",
  };
}

/** The worst of all stores. */
function worstFault(
  suite: Suite,
  pick: (fault: NonNullable<NonNullable<RunSummary["timeline"]>["fault"]>) => number | null,
  worse: (values: readonly number[]) => number,
): number | null {
  const runs = of(suite, "fault-timeline");
  const values = runs.map(({ timeline }) => (timeline?.fault ? pick(timeline.fault) : null));
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  // What never happened in one of them is worse than any number.
  return known.length < values.length ? null : worse(known);
}

function detectedInTime(suite: Suite): ClaimVerdict {
  const ours = worstFault(
    suite,
    ({ detectionSeconds }) => detectionSeconds,
    (values) => Math.max(...values),
  );
  return {
    id: "fig10-detection",
    text: "a dead replica is known to the fault manager within 5 s",
    source: "Figure 10",
    paper: 5,
    ours,
    verdict: ours === null ? "not-testable" : ours <= 5 ? "reproduced" : "not-reproduced",
  };
}

function backAtPeak(suite: Suite): ClaimVerdict {
  const ours = worstFault(
    suite,
    ({ ratioAfterToBefore }) => ratioAfterToBefore,
    (values) => Math.min(...values),
  );
  return {
    id: "fig10-back",
    text: "after the replacement serves, goodput is back at 95 % of before or more",
    source: "Figure 10",
    paper: 0.94,
    ours,
    verdict: ours === null ? "not-testable" : ours >= 0.95 ? "reproduced" : "not-reproduced",
  };
}

function nothingLost(suite: Suite): ClaimVerdict {
  const checks = of(suite, "fault-timeline").flatMap(({ durability }) => durability ?? []);
  const lost = checks.reduce((sum, check) => sum + check.lost, 0);
  const acknowledged = checks.reduce((sum, check) => sum + check.acknowledged, 0);
  return {
    id: "fig10-nothing-lost",
    text: "no acknowledged commit is lost when a replica is killed",
    source: "§4.2",
    paper: 0,
    ours: acknowledged === 0 ? null : `${lost} of ${acknowledged}`,
    verdict: acknowledged === 0 ? "not-testable" : lost === 0 ? "reproduced" : "not-reproduced",
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
