/**
 * @module State systems side by side: what each guaranteed, what it cost, where it refuses. Pure.
 *
 * Rates are requests or transactions per 10,000, with the interval that holds the true rate in 95 % of cases
 * (Clopper-Pearson). All counts are lower bounds: only what the record proves. Of systems that say their order
 * of commits it proves more lost updates and stale reads than of plain storage, whose order follows from write times.
 */
import { rateInterval, upperRateBound } from "#harness/stats/binomial.ts";
import type { LimitProbe } from "#harness/record/effects.ts";
import type { Percentile, RunSummary } from "#harness/record/run.ts";
import { formatMsShort, kindOf, storeName } from "./format.ts";

export const experimentId = "alternatives";

export interface Rate {
  readonly count: number;
  readonly of: number;
  readonly per10k: number;
  readonly low: number;
  readonly high: number;
}

export interface AlternativeRow {
  readonly run: RunSummary;
  readonly system: string;
  readonly store: string;
  readonly kind: string;
  readonly hasMishaps: boolean;
  readonly zipfTheta: number;
  readonly rates: Readonly<Record<RateName, Rate>>;
  readonly goodput: number;
  /** Of all attempts, those that were surely aborted. */
  readonly abortPercent: number;
  /** Attempts beyond the first, per request. */
  readonly retryPercent: number;
  readonly p50: Percentile;
  readonly p99: Percentile;
  /** Null: nobody counted. */
  readonly calls: number | null;
  readonly kilobytes: number | null;
}

export const rateNames = ["torn", "ownMisses", "lostUpdates", "repeated", "staleReads"] as const;
export type RateName = (typeof rateNames)[number];

/** What each is called, and what it counts. */
export const rateTitles: Readonly<Record<RateName, { short: string; long: string }>> = {
  torn: { short: "torn", long: "requests seen in part" },
  ownMisses: { short: "own missed", long: "own writes missed" },
  lostUpdates: { short: "lost", long: "updates lost" },
  repeated: { short: "twice", long: "requests seen twice" },
  staleReads: { short: "stale", long: "readers of old versions" },
};

/** Where a summary counts each. */
export const rateFields: Readonly<Record<RateName, string>> = {
  torn: "effects.inPart.requests",
  ownMisses: "anomalies.readYourWrites.transactions",
  lostUpdates: "anomalies.lostUpdates.transactions",
  repeated: "effects.repeated.requests",
  staleReads: "anomalies.staleReads.transactions",
};

/** In the order of the runs. */
export function alternativeRows(runs: readonly RunSummary[]): AlternativeRow[] {
  return runs.filter(({ experiment }) => experiment === experimentId).map(rowOf);
}

function rowOf(run: RunSummary): AlternativeRow {
  const { cell, anomalies, effects, transactions, responseTimeUs, storage } = run;
  const { judged, readYourWrites, lostUpdates, staleReads } = anomalies;
  const requests = effects?.requests ?? judged;
  const retries = Object.values(run.retries).reduce((sum, count) => sum + count, 0);
  const attempts = responseTimeUs.count + retries;
  return {
    run,
    system: cell.system,
    store: storeName(cell),
    kind: kindOf(run),
    hasMishaps: cell.faults !== "none",
    zipfTheta: cell.zipfTheta,
    rates: {
      torn: rateOf((effects?.inPart ?? effects?.torn)?.requests, requests),
      ownMisses: rateOf(readYourWrites.transactions, judged),
      lostUpdates: rateOf(lostUpdates?.transactions, judged),
      repeated: rateOf(effects?.repeated.requests, requests),
      staleReads: rateOf(staleReads?.transactions, judged),
    },
    goodput: run.throughputPerSecond,
    abortPercent: percentOf(transactions.aborted + transactions.failed, attempts),
    retryPercent: percentOf(retries, responseTimeUs.count),
    p50: responseTimeUs.p50,
    p99: responseTimeUs.p99,
    calls: storage?.callsPerTransaction ?? null,
    kilobytes: storage === null ? null : storage.bytesPerTransaction / 1_000,
  };
}

function rateOf(count = 0, of: number): Rate {
  const { low, high } = rateInterval(count, of, 0.95);
  const per10k = (share: number): number => Math.round(share * 1e6) / 100;
  return {
    count,
    of,
    per10k: of === 0 ? 0 : per10k(count / of),
    low: per10k(count === 0 ? 0 : low),
    high: per10k(high),
  };
}

function percentOf(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 1_000) / 10;
}

/** `123 (98–151)`; where nothing was seen what may have been missed, `0 (<35)`. */
export function formatRate({ count, per10k, low, high }: Rate): string {
  if (count === 0) return `0 (<${Math.ceil(high)})`;
  return `${Math.round(per10k)} (${Math.floor(low)}–${Math.ceil(high)})`;
}

/** In a few words: `ok`, `no: <error>`, `37 of 101 (<error>)`. */
export function formatLimit({ outcome, error, applied, asked }: LimitProbe): string {
  const said = error === undefined ? "" : shortError(error);
  switch (outcome) {
    case "ok":
      return "ok";
    case "refused":
      return `refused: ${said}`;
    case "lost":
      return "LOST: said to be committed";
    case "partly applied":
      return `${applied} of ${asked} applied${said === "" ? "" : `: ${said}`}`;
  }
}

function shortError(error: string): string {
  const [first = ""] = error.split("\n");
  return first.length <= 60 ? first : `${first.slice(0, 59)}…`;
}

/** What a system's runs found out about sizes. */
export function limitsOf(rows: readonly AlternativeRow[], system: string): readonly LimitProbe[] {
  return (
    rows.find((row) => row.system === system && row.run.limits !== undefined)?.run.limits ?? []
  );
}

/** What somebody may need, and the guarantees it takes. */
const needs: readonly { readonly need: string; readonly rates: readonly RateName[] }[] = [
  { need: "nobody sees half a request", rates: ["torn"] },
  { need: "a request that is tried again happens once", rates: ["repeated"] },
  { need: "a request sees what it has written", rates: ["ownMisses"] },
  { need: "no update is lost", rates: ["lostUpdates"] },
  { need: "whole and once", rates: ["torn", "repeated"] },
  { need: "whole, once, and no update lost", rates: ["torn", "repeated", "lostUpdates"] },
];

export interface Choice {
  readonly need: string;
  /** Systems in all of whose runs it was kept, the fastest first. */
  readonly kept: readonly {
    readonly system: string;
    /** Per 10,000: more often than this it was surely not broken, all its runs together. */
    readonly upTo: number;
    /** Mean response time in ms without mishaps; a median needs more requests than small runs have. */
    readonly meanMs: number;
  }[];
}

/** Which systems a need leaves, by what was counted. */
export function choicesOf(rows: readonly AlternativeRow[]): Choice[] {
  const systems = [...new Set(rows.map(({ system }) => system))];
  return needs.map(({ need, rates }) => ({
    need,
    kept: systems
      .flatMap((system) => {
        const own = rows.filter((row) => row.system === system);
        if (own.some((row) => rates.some((name) => row.rates[name].count > 0))) return [];
        const bounds = rates.map((name) => {
          const of = own.reduce((sum, row) => sum + row.rates[name].of, 0);
          return Math.ceil(upperRateBound(0, of, 0.95) * 10_000);
        });
        return [{ system, upTo: Math.max(...bounds), meanMs: meanMsOf(own) }];
      })
      .toSorted((a, b) => a.meanMs - b.meanMs),
  }));
}

function meanMsOf(rows: readonly AlternativeRow[]): number {
  const quiet = rows.filter(({ hasMishaps, run }) => !hasMishaps && run.valid);
  if (quiet.length === 0) return Infinity;
  const sum = quiet.reduce((all, { run }) => all + run.responseTimeUs.mean, 0);
  return Math.round(sum / quiet.length / 10) / 100;
}

export function formatChoice({ kept }: Choice): string {
  if (kept.length === 0) return "none of these";
  return kept
    .map(({ system, upTo, meanMs }) => {
      const time = Number.isFinite(meanMs) ? `${meanMs} ms, ` : "";
      return `${system} (${time}<${upTo}/10k)`;
    })
    .join(", ");
}

/** A section below the table of the experiment; empty without such runs. */
export function formatAlternatives(runs: readonly RunSummary[], keepInvalid: boolean): string {
  const rows = alternativeRows(runs);
  if (rows.length === 0) return "";
  const conditions = (row: AlternativeRow): string[] => [
    row.system,
    row.hasMishaps ? "mishaps" : "none",
    `zipf ${row.zipfTheta}`,
  ];
  const guarantees = [
    ["system", "faults", "", ...rateNames.map((name) => rateTitles[name].short)],
    ...rows.map((row) => [
      ...conditions(row),
      ...rateNames.map((name) => formatRate(row.rates[name])),
    ]),
  ];
  const costs = [
    ["system", "faults", "", "good/s", "abort %", "retry %", "p50 ms", "p99 ms", "calls", "kB"],
    ...rows.map((row) => {
      const measured = (text: string): string => (row.run.valid || keepInvalid ? text : "–");
      return [
        ...conditions(row),
        measured(row.goodput.toFixed(0)),
        row.abortPercent.toFixed(1),
        row.retryPercent.toFixed(1),
        measured(formatMsShort(row.p50)),
        measured(formatMsShort(row.p99)),
        row.calls === null ? "not seen" : row.calls.toFixed(1),
        row.kilobytes === null ? "" : row.kilobytes.toFixed(1),
      ];
    }),
  ];
  const systems = [...new Set(rows.map(({ system }) => system))];
  const limits = systems.flatMap((system) =>
    limitsOf(rows, system).map((probe) => [system, probe.what, formatLimit(probe)]),
  );
  const injected = injectedOf(rows);
  return [
    "\n\n  per 10,000, with 95 % intervals",
    ...rateNames.map((name) => `    ${rateTitles[name].short}: ${rateTitles[name].long}`),
    layOut(guarantees),
    "\n  what a request costs: storage calls and kB of values; aborts of all attempts, retries per request",
    layOut(costs),
    "\n  who kept what in all runs, the fastest first (mean without mishaps, what may have been missed)",
    ...choicesOf(rows).map((choice) => `    ${choice.need}: ${formatChoice(choice)}`),
    ...(limits.length === 0 ? [] : ["\n  one request of an unusual size", layOut(limits)]),
    ...(injected === "" ? [] : [`\n  mishaps in all: ${injected}`]),
  ].join("\n");
}

/** How often each kind of mishap happened, over all runs. */
function injectedOf(rows: readonly AlternativeRow[]): string {
  const sums = new Map<string, number>();
  for (const { run } of rows)
    for (const [kind, count] of Object.entries(run.mishaps ?? {}))
      sums.set(kind, (sums.get(kind) ?? 0) + count);
  return [...sums].map(([kind, count]) => `${count} ${kind}`).join(", ");
}

/** The first three columns are texts, the rest numbers. */
function layOut(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_title, at) =>
    Math.max(...lines.map((line) => (line[at] ?? "").length)),
  );
  return lines
    .map((line) =>
      `  ${line
        .map((part, at) => (at < 3 ? part.padEnd(widths[at] ?? 0) : part.padStart(widths[at] ?? 0)))
        .join("  ")}`.trimEnd(),
    )
    .join("\n");
}
