/**
 * @module The paper's claims as predicates over shapes and ratios, never over absolute times.
 */
import type { ClaimVerdict, RunSummary, SuiteResult } from "#harness/record/run.ts";
import { clusterClaims } from "./claims-cluster.ts";
import { levelClaims } from "./claims-levels.ts";
import { isEmulated, storeName } from "./format.ts";

type Suite = Pick<SuiteResult, "runs" | "comparisons" | "machine">;
type Claim = (suite: Suite) => ClaimVerdict;

const claims: readonly Claim[] = [
  noAnomalies,
  ratioClaim({ id: "fig3-redis-median", store: "elasticache", quantile: "p50", paper: 1.18 }),
  ratioClaim({ id: "fig3-redis-p99", store: "elasticache", quantile: "p99", paper: 1.21 }),
  ratioClaim({ id: "fig3-dynamodb-median", store: "dynamodb", quantile: "p50", paper: 1 }),
  ratioClaim({ id: "fig3-s3-median", store: "s3", quantile: "p50", paper: 1.23 }),
  ratioClaim({ id: "fig3-s3-p99", store: "s3", quantile: "p99", paper: 1.14 }),
  batchGap,
  ...levelClaims,
  ...clusterClaims,
];

/** Every claim about what the suite ran; those about other experiments are left out. */
export function evaluateClaims(suite: Suite): ClaimVerdict[] {
  return claims
    .map((claim) => claim(suite))
    .filter(({ verdict, ours }) => verdict !== "not-testable" || ours !== null);
}

function noAnomalies({ runs }: Pick<SuiteResult, "runs">): ClaimVerdict {
  const ours = runs.filter(
    ({ experiment, cell }) => experiment === "anomalies" && cell.system === "aft",
  );
  const found = ours.reduce((sum, { anomalies }) => sum + anomalies.anomalous.transactions, 0);
  const judged = ours.reduce((sum, { anomalies }) => sum + anomalies.judged, 0);
  return {
    id: "table2-aft-none",
    text: "AFT shows no read-your-writes and no fractured-read anomalies",
    source: "Table 2",
    paper: 0,
    ours: judged === 0 ? null : `${found} of ${judged}`,
    verdict: judged === 0 ? "not-testable" : found === 0 ? "reproduced" : "not-reproduced",
  };
}

/**
 * AFT costs about as much more as in the figure. Less is reproduced too, in the sense that the cost is
 * at most what the paper says; the value stands beside it.
 */
function ratioClaim(options: {
  readonly id: string;
  readonly store: string;
  readonly quantile: "p50" | "p99";
  readonly paper: number;
}): Claim {
  const { id, store, quantile, paper } = options;
  /** Room for the noise of a run. */
  const tolerance = 0.1;
  return ({ runs }) => {
    const of = (system: string): number | undefined => {
      const run = runs.find(
        ({ experiment, cell }) =>
          experiment === "overhead" &&
          isEmulated(cell) &&
          storeName(cell) === store &&
          cell.system === system,
      );
      return run === undefined ? undefined : percentileOf(run, quantile);
    };
    const [direct, aft] = [of("direct"), of("aft")];
    const ours = direct === undefined || aft === undefined ? null : round(aft / direct);
    return {
      id,
      text: `over ${store} (emulated), AFT's ${quantile} is at most ${paper}x plain storage's (±${tolerance})`,
      source: "Figure 3",
      paper,
      ours,
      verdict:
        ours === null
          ? "not-testable"
          : ours <= paper + tolerance
            ? "reproduced"
            : "not-reproduced",
    };
  };
}

/** Fig. 2: the gap between the two batch bars does not grow with the number of writes. */
function batchGap({ runs }: Pick<SuiteResult, "runs">): ClaimVerdict {
  const at = (system: string, writes: number): number | undefined => {
    const run = runs.find(
      ({ experiment, cell }) =>
        experiment === "write-latency" &&
        isEmulated(cell) &&
        storeName(cell) === "dynamodb" &&
        cell.system === system &&
        cell["writes"] === writes &&
        cell["batch"] === "batch",
    );
    return run === undefined ? undefined : percentileOf(run, "p50");
  };
  const values = [at("aft", 1), at("direct", 1), at("aft", 10), at("direct", 10)];
  const [aft1, direct1, aft10, direct10] = values;
  const known =
    aft1 !== undefined && direct1 !== undefined && aft10 !== undefined && direct10 !== undefined;
  const ours = known ? round((aft10 - direct10) / (aft1 - direct1)) : null;
  return {
    id: "fig2-fixed-gap",
    text: "AFT's batch costs a fixed amount more than DynamoDB's: the gap at 10 writes is 0.5 to 1.5 times that at 1",
    source: "Figure 2",
    paper: 0.8,
    ours,
    verdict:
      ours === null ? "not-testable" : ours >= 0.5 && ours <= 1.5 ? "reproduced" : "not-reproduced",
  };
}

function percentileOf(run: RunSummary, quantile: "p50" | "p99"): number | undefined {
  const value = run.responseTimeUs[quantile];
  return typeof value === "number" ? value : undefined;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
