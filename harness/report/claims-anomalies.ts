/** @module The paper's claims about anomalies (Table 2), as predicates over counts. */
import {
  type ClaimRun,
  type ClaimSuite,
  type Judgement,
  type Predicate,
  percent,
  runsOf,
  untestable,
} from "./claims-judge.ts";
import { noDynamodbTransactions } from "./claims-latency.ts";

export const anomalyClaims: readonly Predicate[] = [
  { id: "table2-aft-none", judge: noneWithAft },
  { id: "table2-spared", judge: spared },
  plainStore({
    id: "table2-s3",
    store: "s3",
    paper: { readYourWrites: 0.0595, fractured: 0.0836 },
  }),
  plainStore({
    id: "table2-dynamodb",
    store: "dynamodb",
    paper: { readYourWrites: 0.0537, fractured: 0.0779 },
  }),
  { id: "table2-redis", judge: plainRedis },
  untestable("table2-dynamodb-transactions", {
    paper: "0 read-your-writes, 115 fractured in 10,000",
    rule: "share of anomalous transactions",
    reason: noDynamodbTransactions,
  }),
  untestable("thesis-cloudburst-anomalies", {
    paper: "911 read-your-writes, 3,628 fractured in 10,000",
    rule: "share of anomalous transactions",
    reason: "needs Cloudburst and Anna, which this suite neither contains nor starts",
  }),
];

/** Both experiments run the standard transaction at zipf 1 with ten clients, and count alike. */
function countedRuns(suite: ClaimSuite, system: string, store?: string): ClaimRun[] {
  return ["anomalies", "overhead"].flatMap((experiment) =>
    runsOf(suite, { experiment, system, ...(store !== undefined && { store }) }),
  );
}

/** Table 2's condition: its skew, and nobody killed. */
function atPaperSkew(runs: readonly ClaimRun[]): ClaimRun[] {
  return runs.filter(({ cell }) => cell.zipfTheta === 1 && cell.faults === "none");
}

interface Shares {
  readonly judged: number;
  readonly readYourWrites: number;
  /** With violations of repeatable read, as in the paper. */
  readonly fractured: number;
  readonly anomalous: number;
}

function sharesOf(runs: readonly ClaimRun[]): Shares | undefined {
  const judged = sum(runs, ({ anomalies }) => anomalies.judged);
  if (judged === 0) return undefined;
  const share = (of: (run: ClaimRun) => number): number => sum(runs, of) / judged;
  return {
    judged,
    readYourWrites: share(({ anomalies }) => anomalies.readYourWrites.transactions),
    fractured: share(
      ({ anomalies }) => anomalies.fractured.transactions + anomalies.nonRepeatable.transactions,
    ),
    anomalous: share(({ anomalies }) => anomalies.anomalous.transactions),
  };
}

function sum(runs: readonly ClaimRun[], of: (run: ClaimRun) => number): number {
  return runs.reduce((total, run) => total + of(run), 0);
}

function noneWithAft(suite: ClaimSuite): Judgement {
  const runs = countedRuns(suite, "aft");
  const found = sum(runs, ({ anomalies }) => anomalies.anomalous.transactions);
  const judged = sum(runs, ({ anomalies }) => anomalies.judged);
  return {
    rule: "no transaction with a proven anomaly, over every store, skew and kill",
    paper: 0,
    ours: judged === 0 ? null : `${found} of ${judged}`,
    holds: judged === 0 ? null : found === 0,
    runs,
    facts: runs.flatMap(({ anomalies }) =>
      anomalies.witnesses.map(({ explanation }) => explanation),
    ),
  };
}

/** The plain store with the most. */
function spared(suite: ClaimSuite): Judgement {
  const stores = ["s3", "dynamodb", "elasticache"].flatMap((store) => {
    const runs = atPaperSkew(countedRuns(suite, "direct", store));
    const shares = sharesOf(runs);
    return shares === undefined ? [] : [{ store, runs, shares }];
  });
  const most = stores.toSorted((a, b) => b.shares.anomalous - a.shares.anomalous)[0];
  const paper = 0.13;
  return {
    rule: "most anomalous transactions of a plain (emulated) store, within a factor of two",
    paper: percent(paper),
    ours: most === undefined ? null : `${percent(most.shares.anomalous)} over ${most.store}`,
    holds: most === undefined ? null : isWithinTwofold(most.shares.anomalous, paper),
    runs: stores.flatMap(({ runs }) => runs),
    facts: stores.flatMap(({ runs }) => runs.flatMap(windowFact)),
  };
}

function plainStore(options: {
  readonly id: string;
  readonly store: string;
  readonly paper: { readonly readYourWrites: number; readonly fractured: number };
}): Predicate {
  const { id, store, paper } = options;
  return {
    id,
    judge: (suite) => {
      const runs = atPaperSkew(countedRuns(suite, "direct", store));
      const shares = sharesOf(runs);
      return {
        rule: "read-your-writes and fractured (with non-repeatable), each within a factor of two (emulated)",
        paper: `${percent(paper.readYourWrites)} and ${percent(paper.fractured)}`,
        ours:
          shares === undefined
            ? null
            : `${percent(shares.readYourWrites)} and ${percent(shares.fractured)} of ${shares.judged}`,
        holds:
          shares === undefined
            ? null
            : isWithinTwofold(shares.readYourWrites, paper.readYourWrites) &&
              isWithinTwofold(shares.fractured, paper.fractured),
        runs,
        facts: runs.flatMap(windowFact),
      };
    },
  };
}

function plainRedis(suite: ClaimSuite): Judgement {
  const runs = atPaperSkew(countedRuns(suite, "direct", "elasticache"));
  const shares = sharesOf(runs);
  const paper = 0.06;
  return {
    rule: "anomalous transactions over plain Redis (emulated ElastiCache), within a factor of two",
    paper: percent(paper),
    ours: shares === undefined ? null : `${percent(shares.anomalous)} of ${shares.judged}`,
    holds: shares === undefined ? null : isWithinTwofold(shares.anomalous, paper),
    runs,
    facts: runs.flatMap(windowFact),
  };
}

function isWithinTwofold(ours: number, paper: number): boolean {
  return ours >= paper / 2 && ours <= paper * 2;
}

/** What decides how many transactions meet: how many are under way, for how long, over which keys. */
function windowFact(run: ClaimRun): string[] {
  const { cell, responseTimeUs, throughputPerSecond, anomalies } = run;
  const ms = Math.round(responseTimeUs.mean / 100) / 10;
  const undecided =
    anomalies.undecidedPairs > 0
      ? `; the order of ${anomalies.undecidedPairs} pairs of versions is not proved by the record, so they count as no anomaly`
      : "";
  return [
    `over ${cell.emulation === "none" ? cell.storage : cell.emulation} ${cell.clients} clients had transactions of ` +
      `${ms} ms (mean) under way at ${throughputPerSecond}/s, and ${anomalies.judged} of them were judged${undecided}`,
  ];
}
