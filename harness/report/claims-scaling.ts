/**
 * @module The paper's claims about throughput over clients and nodes (Fig. 7, Fig. 8), as predicates.
 *
 * Where the machine's cores were used up nothing can be said about the system, and the claim is not judged.
 */
import { coresFact } from "./claims-facts.ts";
import {
  type ClaimRun,
  type ClaimSuite,
  type Judgement,
  type Predicate,
  isWithin,
  round,
  runsOf,
  untestable,
} from "./claims-judge.ts";
import { scalingRows } from "./figures/scaling.ts";
import { storeName } from "./format.ts";
import { coreUse } from "./saturation.ts";

export const scalingClaims: readonly Predicate[] = [
  linearTo({ id: "fig7-dynamodb-linear", store: "dynamodb", clients: 40 }),
  linearTo({ id: "fig7-redis-linear", store: "elasticache", clients: 45 }),
  { id: "fig7-contention", judge: contention },
  peak({ id: "fig7-dynamodb-peak", store: "dynamodb", paper: 585 }),
  peak({ id: "fig7-redis-peak", store: "elasticache", paper: 900 }),
  nearIdeal({ id: "fig8-dynamodb-ideal", store: "dynamodb" }),
  nearIdeal({ id: "fig8-redis-ideal", store: "elasticache" }),
  { id: "fig8-dynamodb-limit", judge: eightThousand },
  untestable("fig8-redis-lambda-limit", {
    paper: "11,300 transactions/s at 640 clients",
    rule: "throughput from 560 to 640 clients",
    reason: "needs AWS Lambda itself, whose limit of concurrent invocations it is about",
  }),
];

function byClients(suite: ClaimSuite, store: string): ClaimRun[] {
  return runsOf(suite, { experiment: "scaling-clients", store }).toSorted(
    (a, b) => a.cell.clients - b.cell.clients,
  );
}

function perClient({ throughputPerSecond, cell }: ClaimRun): number {
  return throughputPerSecond / cell.clients;
}

function saturatedText(run: ClaimRun | undefined, { machine }: ClaimSuite): string | undefined {
  return run === undefined ? undefined : coreUse(run, machine.cores).saturated;
}

/** Linear: at so many clients nine tenths of what the smallest count promises. */
function linearTo(options: {
  readonly id: string;
  readonly store: string;
  readonly clients: number;
}): Predicate {
  const { id, store, clients } = options;
  return {
    id,
    judge: (suite) => {
      const runs = byClients(suite, store).filter(({ cell }) => cell.clients <= clients);
      const [first, last] = [runs[0], runs.at(-1)];
      const reaches = first !== undefined && last !== undefined && last.cell.clients >= 40;
      const share = reaches ? round(perClient(last) / perClient(first)) : null;
      const full = saturatedText(last, suite);
      const isLinear = share === null ? null : share >= 0.9;
      return {
        rule: `throughput a client at ${last?.cell.clients ?? clients} clients over that at ${first?.cell.clients ?? 1}, at least 0.9 (emulated)`,
        paper: store === "dynamodb" ? 1.01 : 0.97,
        ours: share,
        // Used up cores can only make it worse: what is linear all the same is.
        holds: isLinear === false && full !== undefined ? null : isLinear,
        ...(isLinear === false && full !== undefined && { reason: fullReason(full, last) }),
        ...(share === null && runs.length > 0 && { reason: "no cell with 40 clients was run" }),
        runs,
        facts: runs.flatMap((run) => coresFact(run, suite.machine)),
      };
    },
  };
}

function fullReason(full: string, run: ClaimRun | undefined): string {
  return `the machine's cores were used up at ${run?.cell.clients ?? "?"} clients: ${full}`;
}

/** From 40 to 50 clients throughput grows by less than the clients do. */
function contention(suite: ClaimSuite): Judgement {
  const pairs = ["dynamodb", "elasticache"].flatMap((store) => {
    const runs = byClients(suite, store);
    const forty = runs.find(({ cell }) => cell.clients === 40);
    const fifty = runs.find(({ cell }) => cell.clients === 50);
    return forty === undefined || fifty === undefined
      ? []
      : [{ store, forty, fifty, share: round(perClient(fifty) / perClient(forty)) }];
  });
  const runs = pairs.flatMap(({ forty, fifty }) => [forty, fifty]);
  const full = pairs
    .map(({ fifty }) => ({ fifty, text: saturatedText(fifty, suite) }))
    .find(({ text }) => text !== undefined);
  const flattens = pairs.length === 0 ? null : pairs.every(({ share }) => share <= 0.92);
  return {
    rule: "throughput a client at 50 clients over that at 40, at most 0.92 over both stores (emulated)",
    paper: "0.86 over DynamoDB, 0.88 over Redis",
    ours:
      pairs.length === 0
        ? null
        : pairs.map(({ store, share }) => `${share} over ${store}`).join(", "),
    holds: flattens === true && full !== undefined ? null : flattens,
    ...(flattens === true &&
      full !== undefined && { reason: fullReason(full.text ?? "", full.fifty) }),
    ...(flattens === null && { reason: "no cells with 40 and 50 clients were run" }),
    runs,
    facts: runs.flatMap((run) => coresFact(run, suite.machine)),
  };
}

/** The services' times are emulated as the paper has them, so the peak can be compared as it stands. */
function peak(options: {
  readonly id: string;
  readonly store: string;
  readonly paper: number;
}): Predicate {
  const { id, store, paper } = options;
  const tolerance = 0.25;
  return {
    id,
    judge: (suite) => {
      const runs = byClients(suite, store);
      const best = runs.toSorted((a, b) => b.throughputPerSecond - a.throughputPerSecond)[0];
      const reaches = runs.some(({ cell }) => cell.clients >= 40);
      const full = saturatedText(best, suite);
      const holds =
        best === undefined || !reaches
          ? null
          : isWithin(best.throughputPerSecond, paper, tolerance);
      const machineEnds =
        best !== undefined && full !== undefined && best.throughputPerSecond < paper;
      return {
        rule: `highest throughput of 1 to 50 clients, within ${tolerance * 100} % (emulated)`,
        paper: `${paper}/s`,
        ours:
          best === undefined
            ? null
            : `${best.throughputPerSecond}/s at ${best.cell.clients} clients`,
        holds: holds === false && machineEnds ? null : holds,
        ...(holds === false && machineEnds && { reason: fullReason(full, best) }),
        ...(holds === null && runs.length > 0 && { reason: "no cell with 40 clients was run" }),
        runs,
        facts: runs.flatMap((run) => [
          `${run.cell.clients} clients: ${run.throughputPerSecond}/s, mean response ${round(run.responseTimeUs.mean / 1_000, 1)} ms`,
          ...coresFact(run, suite.machine),
        ]),
      };
    },
  };
}

/** N replicas against N times one, as far as there were cores for them. */
function nearIdeal(options: { readonly id: string; readonly store: string }): Predicate {
  const { id, store } = options;
  return {
    id,
    judge: (suite) => {
      const rows = scalingRows(suite).filter(({ service }) => service === store);
      const runs = suite.runs.filter(
        ({ experiment, cell }) => experiment === "scaling-replicas" && storeName(cell) === store,
      );
      const judged = rows.filter(({ saturated, replicas }) => saturated === "" && replicas > 1);
      const worst = Math.min(...judged.map(({ ofIdeal }) => ofIdeal));
      const most = Math.max(...judged.map(({ replicas }) => replicas));
      const full = rows.find(({ saturated }) => saturated !== "");
      return {
        rule: "N replicas reach 90 % of N times one, at every N whose run left cores to spare (emulated)",
        paper: "88 % of ideal over DynamoDB, 81 % over Redis at 16",
        ours: judged.length === 0 ? null : `${worst} % or more, up to ${most} replicas`,
        holds: judged.length === 0 ? null : worst >= 90,
        ...(judged.length === 0 &&
          full !== undefined && {
            reason: `the machine's ${suite.machine.cores} cores were used up at ${full.replicas} replicas: ${full.saturated}`,
          }),
        runs,
        facts: rows.map(
          ({ replicas, throughput, ofIdeal, cores, saturated }) =>
            `${replicas} replicas: ${throughput}/s, ${ofIdeal} % of ideal, ${cores} of ${suite.machine.cores} cores${saturated === "" ? "" : `, ${saturated}`}`,
        ),
      };
    },
  };
}

const paperClients = 640;
const paperPeak = 8_000;

/** Judged where it was run; elsewhere the measured cost of a transaction says what it would take. */
function eightThousand(suite: ClaimSuite): Judgement {
  const runs = runsOf(suite, { experiment: "scaling-replicas", store: "dynamodb" });
  const largest = runs.toSorted((a, b) => b.cell.clients - a.cell.clients)[0];
  const shared = {
    rule: `throughput at ${paperClients} clients within 10 % of ${paperPeak}/s (emulated)`,
    paper: `${paperPeak}/s`,
    runs,
    facts: runs.flatMap((run) => coresFact(run, suite.machine)),
  };
  if (largest === undefined) return { ...shared, ours: null, holds: null };
  const ours = `${largest.throughputPerSecond}/s at ${largest.cell.clients} clients`;
  const full = saturatedText(largest, suite);
  if (largest.cell.clients >= paperClients && full === undefined)
    return { ...shared, ours, holds: isWithin(largest.throughputPerSecond, paperPeak, 0.1) };
  const own = ownCores(largest);
  const needed = Math.ceil((own / largest.throughputPerSecond) * paperPeak);
  return {
    ...shared,
    ours,
    holds: null,
    reason:
      `${paperPeak} transactions/s would take about ${needed} cores (measured: ${round(own)} cores of load, replicas, ` +
      `manager and store at ${largest.throughputPerSecond}/s), and this machine has ${suite.machine.cores}`,
  };
}

function ownCores({ cpuCores }: ClaimRun): number {
  return Object.values(cpuCores).reduce((sum, used) => sum + used, 0);
}
