/** @module summary.json and checks.json from the raw record: pure, so that both can be rebuilt. */
import { countAnomalies } from "#harness/checker/counts.ts";
import { countEffects } from "#harness/checker/effects.ts";
import { splitByFunction } from "#harness/checker/per-function.ts";
import { judgeRecord } from "#harness/checker/judge-record.ts";
import { LatencyHistogram } from "#harness/metrics/histogram.ts";
import type { AttemptRecord } from "./attempts.ts";
import type { EffectReport } from "./effects.ts";
import type { RecordedTransaction } from "./history.ts";
import type { Measurements } from "./measurements.ts";
import type {
  AnomalyReport,
  IsolationCheck,
  IsolationReport,
  RunManifest,
  RunSummary,
} from "./run.ts";
import { withoutReplays } from "./replays.ts";
import { splitOf } from "./split.ts";
import { timelineOf } from "./timeline.ts";

export interface RawRun {
  readonly manifest: RunManifest;
  readonly attempts: readonly AttemptRecord[];
  readonly transactions: readonly RecordedTransaction[];
  readonly measurements: Measurements;
}

/** Histograms of a run, for its summary and its `.hlog`. */
export function histogramsOf(attempts: readonly AttemptRecord[]): {
  readonly responseTime: LatencyHistogram;
  readonly serviceTime: LatencyHistogram;
} {
  const responseTime = new LatencyHistogram();
  const serviceTime = new LatencyHistogram();
  for (const { final, outcome, dueUs, startUs, endUs } of attempts) {
    // Requests that failed count with the time until they were given up (MEASURING rule 4).
    if (final) responseTime.record(Math.round(endUs - dueUs));
    if (outcome === "committed") serviceTime.record(Math.round(endUs - startUs));
  }
  return { responseTime, serviceTime };
}

export function summarize({ manifest, attempts, transactions, measurements }: RawRun): {
  readonly summary: RunSummary;
  readonly checks: RunChecks;
} {
  const anomalous: RecordedTransaction[] = [];
  const seenInPart = new Set<string>();
  const effective = withoutReplays(transactions);
  const anomalies = countAnomalies(
    effective,
    (one) => anomalous.push(one),
    (id) => seenInPart.add(id),
  );
  const effects = effectsOf(manifest, transactions, seenInPart);
  const isolation = judgeRecord(effective);
  const { responseTime, serviceTime } = histogramsOf(attempts);
  const finals = attempts.filter(({ final }) => final);
  const committed = count(finals, "committed");
  const measuredUs = measurements.blocks.reduce(
    (sum, { startUs, endUs }) => sum + endUs - startUs,
    0,
  );
  const measuredSeconds = measuredUs / 1_000_000;
  const perTransaction = (total: number): number =>
    committed === 0 ? 0 : Math.round((total / committed) * 100) / 100;
  const { storage, promises, invalidReasons, platform, cpuCores, coreWaits } = measurements;
  const ofFunctions = perFunctionOf(transactions);
  const counted = violations(promises, { ...ofFunctions, anomalies, effects });
  const broken = unexplained(promises, isolation.verdicts);
  return {
    checks: { ...anomalies, isolation },
    summary: {
      schemaVersion: 1,
      runId: manifest.runId,
      experiment: manifest.experiment,
      cell: manifest.cell,
      labels: manifest.labels,
      valid: invalidReasons.length === 0 && manifest.state === "complete",
      invalidReasons: [
        ...invalidReasons,
        ...(manifest.state === "complete" ? [] : ["the run was interrupted"]),
      ],
      ...beside(measurements),
      transactions: {
        committed,
        aborted: attempts.filter(({ final, outcome }) => !final && outcome === "aborted").length,
        failed: count(finals, "failed"),
        unknown: attempts.filter(({ outcome }) => outcome === "unknown").length,
      },
      retries: retriesByReason(attempts),
      measuredSeconds: round(measuredSeconds, 3),
      throughputPerSecond: measuredSeconds === 0 ? 0 : round(committed / measuredSeconds, 1),
      responseTimeUs: responseTime.summary(),
      serviceTimeUs: serviceTime.summary(),
      anomalies,
      promises,
      violated: [...new Set([...counted, ...broken, ...lostCommits(measurements)])],
      ...(broken.length > 0 && { unexplained: isolation.witnesses }),
      verdicts: {
        "counted-anomalies": counted.length > 0 ? "violation" : "pass",
        ...isolation.verdicts,
      },
      platform: { ...platform, ...placeOf(manifest) },
      storage: storage === null ? null : storageOf(storage, perTransaction),
      operations: operationsOf({ manifest, attempts, transactions, perTransaction }),
      cpuCores: rounded(cpuCores),
      ...(coreWaits !== undefined && { coreWaits: rounded(coreWaits) }),
      ...ofCluster({ attempts, anomalous, measurements }),
      ...splitOf({ manifest, attempts, measurements }),
      ...(effects !== undefined && { effects }),
      ...ofFunctions,
    },
  };
}

/** Where attempts fail on purpose, and where others are compared with those. */
function effectsOf(
  { cell, resolved }: RunManifest,
  transactions: readonly RecordedTransaction[],
  seenInPart: ReadonlySet<string>,
): EffectReport | undefined {
  if (resolved.faults["countEffects"] === true) return countEffects(transactions, seenInPart);
  return /^(fail-operations|mishaps)/.test(cell.faults) ? countEffects(transactions) : undefined;
}

/** Where the record says which function did what. */
function perFunctionOf(
  transactions: readonly RecordedTransaction[],
): Pick<RunSummary, "perFunction"> {
  if (!transactions.some(({ functionEnds }) => functionEnds !== undefined)) return {};
  return { perFunction: countAnomalies(withoutReplays(splitByFunction(transactions))) };
}

/** Values and bytes by direction only where the record has them. */
function storageOf(
  storage: NonNullable<Measurements["storage"]>,
  perTransaction: (total: number) => number,
): RunSummary["storage"] {
  const { calls, bytes, itemsRead, itemsWritten, bytesRead, bytesWritten } = storage;
  return {
    callsPerTransaction: perTransaction(calls),
    bytesPerTransaction: Math.round(perTransaction(bytes)),
    ...(itemsRead !== undefined && { itemsReadPerTransaction: perTransaction(itemsRead) }),
    ...(itemsWritten !== undefined && { itemsWrittenPerTransaction: perTransaction(itemsWritten) }),
    ...(bytesRead !== undefined && {
      bytesReadPerTransaction: Math.round(perTransaction(bytesRead)),
    }),
    ...(bytesWritten !== undefined && {
      bytesWrittenPerTransaction: Math.round(perTransaction(bytesWritten)),
    }),
  };
}

/** Of measured requests; the record of transactions holds fill and warm-up besides. */
function operationsOf(options: {
  readonly manifest: RunManifest;
  readonly attempts: readonly AttemptRecord[];
  readonly transactions: readonly RecordedTransaction[];
  readonly perTransaction: (total: number) => number;
}): NonNullable<RunSummary["operations"]> {
  const { manifest, attempts, transactions, perTransaction } = options;
  const { valueBytes } = manifest.resolved.workload;
  const measured = new Set(attempts.map(({ requestId }) => requestId));
  const sums = { read: 0, write: 0 };
  for (const { requestId, operations } of transactions)
    if (measured.has(requestId)) for (const { kind } of operations) sums[kind] += 1;
  return {
    readsPerTransaction: perTransaction(sums.read),
    writesPerTransaction: perTransaction(sums.write),
    ...(typeof valueBytes === "number" && { valueBytes }),
  };
}

function placeOf({ resolved, labels }: RunManifest): { readonly place?: string } {
  const { place } = resolved.platform;
  if (typeof place !== "string") return {};
  const aws = labels.includes("not-measured-on-aws") ? ", not measured on AWS" : "";
  return { place: `${place}${aws}` };
}

/** What newer records say besides; older ones do not have it. */
function beside({
  notes,
  load,
  generator,
  fitness,
  faults,
  limits,
}: Measurements): Pick<
  RunSummary,
  "notes" | "load" | "generator" | "fitness" | "mishaps" | "limits"
> {
  const { mishaps } = faults;
  return {
    ...(notes !== undefined && { notes }),
    ...(load !== undefined && { load }),
    ...(generator !== undefined && { generator }),
    ...(fitness !== undefined && { fitness }),
    ...(mishaps !== undefined && { mishaps }),
    ...(limits !== undefined && { limits }),
  };
}

function ofCluster(options: {
  readonly attempts: readonly AttemptRecord[];
  readonly anomalous: readonly RecordedTransaction[];
  readonly measurements: Measurements;
}): Pick<RunSummary, "timeline" | "durability" | "drain"> {
  const { durability, drain } = options.measurements;
  const timeline = timelineOf(options);
  return {
    ...(timeline !== undefined && { timeline }),
    ...(durability !== undefined && { durability }),
    ...(drain !== undefined && { drain }),
  };
}

/** Whoever acknowledges a commit promises to keep it, whatever else is promised. */
function lostCommits({ durability }: Measurements): string[] {
  return (durability?.lost ?? 0) > 0 ? ["durable-commits"] : [];
}

/** What checks.json holds. */
export type RunChecks = AnomalyReport & { readonly isolation: IsolationReport };

/** Promised properties under which no commit order explains the run. */
function unexplained(promises: readonly string[], verdicts: IsolationReport["verdicts"]): string[] {
  const checkOf: Readonly<Record<string, IsolationCheck>> = {
    "read-atomic": "ra-without-sessions",
    "session-order": "ra",
  };
  // RA with sessions forbids both, so it tells only of systems that promise both.
  const judged = promises.includes("read-atomic") ? promises : [];
  return judged.filter((promise) => {
    const name = checkOf[promise];
    return name !== undefined && verdicts[name] === "violation";
  });
}

/** Promised properties of which a counter-example was found. */
function violations(
  promises: readonly string[],
  counts: {
    readonly anomalies: AnomalyReport;
    readonly effects: EffectReport | undefined;
    readonly perFunction?: AnomalyReport;
  },
): string[] {
  const { anomalies: checks, effects, perFunction } = counts;
  const broken: Readonly<Record<string, boolean>> = {
    "read-atomic": checks.fractured.transactions + checks.dirtyReads.transactions > 0,
    "read-your-writes": checks.readYourWrites.transactions > 0,
    "repeatable-read": checks.nonRepeatable.transactions > 0,
    "exactly-once": (effects?.repeated.requests ?? 0) > 0,
    "functions-read-atomic": (perFunction?.anomalous.transactions ?? 0) > 0,
    "functions-keep-updates": (perFunction?.lostUpdates?.transactions ?? 0) > 0,
  };
  return promises.filter((promise) => broken[promise] === true);
}

function retriesByReason(attempts: readonly AttemptRecord[]): Record<string, number> {
  const retries = new Map<string, number>();
  for (const { final, reason = "no reason given" } of attempts) {
    if (final) continue;
    retries.set(reason, (retries.get(reason) ?? 0) + 1);
  }
  return Object.fromEntries([...retries].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function count(attempts: readonly AttemptRecord[], outcome: AttemptRecord["outcome"]): number {
  return attempts.filter((attempt) => attempt.outcome === outcome).length;
}

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}

function rounded(values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, round(value, 3)]));
}
