/** @module A service level objective as text and as a judgement of a run. Pure. */
import { ConfigError, type ConfigProblem } from "#kit/errors.ts";
import type { ProbeVerdict } from "#harness/record/capacity.ts";
import type { RunSummary } from "#harness/record/run.ts";
import { samplesForPercentile } from "#harness/stats/binomial.ts";

const percentiles = { p50: 0.5, p90: 0.9, p99: 0.99, p999: 0.999 } as const;

export type SloTerm =
  | {
      readonly kind: "latency";
      readonly percentile: keyof typeof percentiles;
      readonly mostUs: number;
    }
  /** Transactions with a proven anomaly. */
  | { readonly kind: "anomalies"; readonly most: number }
  /** Share of requests that failed, timed out or were never sent. */
  | { readonly kind: "failed"; readonly mostShare: number };

export interface Slo {
  readonly text: string;
  readonly terms: readonly SloTerm[];
}

const unitUs: Readonly<Record<string, number>> = { us: 1, ms: 1_000, s: 1_000_000 };
const hint = "for instance p99<=50ms,anomalies=0,failed<=1%";

/** @throws ConfigError listing every term that is none. */
export function parseSlo(text: string): Slo {
  const problems: ConfigProblem[] = [];
  const terms = text.split(",").flatMap((part): SloTerm[] => {
    const term = parseTerm(part.trim());
    if (term === undefined)
      problems.push({ where: "--slo", what: `"${part.trim()}" is no objective`, hint });
    return term === undefined ? [] : [term];
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return { text, terms };
}

function parseTerm(text: string): SloTerm | undefined {
  const latency = /^(p50|p90|p99|p999)<=?(\d+(?:\.\d+)?)(us|ms|s)$/.exec(text);
  if (latency !== null) {
    const percentile = latency[1] as keyof typeof percentiles;
    const mostUs = Number(latency[2]) * (unitUs[latency[3] ?? ""] ?? Number.NaN);
    return mostUs > 0 ? { kind: "latency", percentile, mostUs } : undefined;
  }
  const anomalies = /^anomalies(?:<?=)(\d+)$/.exec(text);
  if (anomalies !== null) return { kind: "anomalies", most: Number(anomalies[1]) };
  const failed = /^failed<?=(\d+(?:\.\d+)?)%$/.exec(text);
  if (failed !== null) return { kind: "failed", mostShare: Number(failed[1]) / 100 };
  return undefined;
}

/** Requests a run needs so that every percentile of the objective can be told. */
export function samplesNeeded({ terms }: Slo): number {
  return Math.max(
    1,
    ...terms.map((term) =>
      term.kind === "latency" ? samplesForPercentile(percentiles[term.percentile]) : 1,
    ),
  );
}

/** The longest time the objective speaks of. */
export function longestUs({ terms }: Slo): number {
  return Math.max(50_000, ...terms.map((term) => (term.kind === "latency" ? term.mostUs : 0)));
}

/** The generator's own failures; a load that was not made says nothing about the system. */
const generatorCodes = [
  "generator-late",
  "generator-stalled",
  "generator-died",
  "generator-failed",
];
/** Every slot was taken: with as many slots as here the system was too slow, not the generator. */
const slotCode = "pool-exhausted";

/** Judges one run under one offered load. */
export function judgeProbe(
  slo: Slo,
  summary: RunSummary,
): { readonly verdict: ProbeVerdict; readonly reasons: readonly string[] } {
  const invalid = summary.invalidReasons.filter((reason) => !reason.startsWith(slotCode));
  const own = invalid.filter((reason) => generatorCodes.includes(reason.split(":")[0] ?? ""));
  if (own.length < invalid.length) return { verdict: "unfit", reasons: invalid };
  if (own.length > 0) return { verdict: "generator", reasons: own };
  const missed = [
    ...summary.invalidReasons,
    ...slo.terms.flatMap((term) => missedBy(term, summary) ?? []),
  ];
  return { verdict: missed.length > 0 ? "missed" : "kept", reasons: missed };
}

function missedBy(term: SloTerm, summary: RunSummary): string | undefined {
  switch (term.kind) {
    case "latency": {
      const value = summary.responseTimeUs[term.percentile];
      if (typeof value !== "number")
        return `${term.percentile} needs ${value.need} requests, and there were ${value.have}`;
      const most = `${(term.mostUs / 1_000).toFixed(1)} ms`;
      return value <= term.mostUs
        ? undefined
        : `${term.percentile} was ${(value / 1_000).toFixed(1)} ms, allowed ${most}`;
    }
    case "anomalies": {
      const { transactions } = summary.anomalies.anomalous;
      return transactions <= term.most
        ? undefined
        : `${transactions} transactions with anomalies, allowed ${term.most}`;
    }
    case "failed": {
      const { failed, committed } = summary.transactions;
      const share = failed / Math.max(1, failed + committed);
      return share <= term.mostShare
        ? undefined
        : `${(share * 100).toFixed(2)} % failed, allowed ${(term.mostShare * 100).toFixed(2)} %`;
    }
  }
}
