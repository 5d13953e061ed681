/**
 * @module Counts anomalies that the record proves (specs: Adya's and AFT's per-transaction kinds).
 *
 * Imports nothing of the shim. Judged are committed transactions; each counts once per kind.
 *
 *   read-your-writes  after its own write of x, a transaction read another version of x
 *   non-repeatable    two reads of x, no own write between, different versions
 *   fractured         it read x from t1 and y from t2, t2 also writes x, and t1's x is older than t2's
 *   dirty             it read from an attempt that surely aborted
 *
 * Lost updates and stale reads, which read atomicity allows, are counted beside them (`staleness.ts`).
 *
 * Version order is the system's commit order where both have one. Otherwise it must follow from the
 * record: t1's write of x was acknowledged before t2's was invoked. What follows from neither is
 * counted as an undecided pair and never as an anomaly, so every count is a lower bound.
 *
 * The write of x by t2 may never have happened (a function died before it): then t2 is half there,
 * which is what "fractured" means; its write, had it happened, would have come after t1's.
 */
import type { RecordedRead, RecordedTransaction, RecordedWrite } from "#harness/record/history.ts";
import type { AnomalyCount, AnomalyReport } from "#harness/record/run.ts";
import { upperRateBound } from "#harness/stats/binomial.ts";
import { countStaleness } from "./staleness.ts";

export type AnomalyKind = "readYourWrites" | "nonRepeatable" | "fractured" | "dirtyReads";

const kinds: readonly AnomalyKind[] = [
  "readYourWrites",
  "nonRepeatable",
  "fractured",
  "dirtyReads",
];

interface Finding {
  readonly kind: AnomalyKind;
  readonly explanation: string;
  /** Operations of the transaction: the smallest example is the witness. */
  readonly size: number;
}

type Order = "older" | "newer" | "unproven";

interface WriterIndex {
  readonly transactions: ReadonlyMap<string, RecordedTransaction>;
  /** The write of a key by a transaction; the last one, if it wrote it more than once. */
  writeOf(transactionId: string, key: string): RecordedWrite | undefined;
}

/** What the record proves, without bounds on rates and without what read atomicity allows. */
export interface Anomalies {
  /** Committed transactions. */
  readonly judged: number;
  readonly anomalous: number;
  readonly counts: ReadonlyMap<AnomalyKind, number>;
  readonly undecidedPairs: number;
  /** The smallest example of each kind. */
  readonly witnesses: readonly { readonly kind: AnomalyKind; readonly explanation: string }[];
}

/** Cost: O(Σ reads × min(reads, writes) per transaction). */
export function findAnomalies(
  history: readonly RecordedTransaction[],
  onAnomalous: (transaction: RecordedTransaction) => void = () => {},
  onSeenInPart: (transactionId: string) => void = () => {},
): Anomalies {
  const index = indexWriters(history);
  const counts = new Map<AnomalyKind, number>(kinds.map((kind) => [kind, 0]));
  const witnesses = new Map<AnomalyKind, Finding>();
  let judged = 0;
  let anomalous = 0;
  let undecidedPairs = 0;
  for (const transaction of history) {
    if (transaction.outcome !== "committed") continue;
    judged += 1;
    const { findings, undecided } = judge(transaction, index, onSeenInPart);
    undecidedPairs += undecided;
    if (findings.length > 0) {
      anomalous += 1;
      onAnomalous(transaction);
    }
    for (const kind of kinds) {
      const finding = findings.length === 0 ? undefined : findings.find((one) => one.kind === kind);
      if (finding === undefined) continue;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      const smallest = witnesses.get(kind);
      if (smallest === undefined || finding.size < smallest.size) witnesses.set(kind, finding);
    }
  }
  const found = [...witnesses.values()].map(({ kind, explanation }) => ({ kind, explanation }));
  return { judged, anomalous, counts, undecidedPairs, witnesses: found };
}

/** Cost: as `findAnomalies`, and `countStaleness`. */
export function countAnomalies(
  history: readonly RecordedTransaction[],
  /** Told of each transaction with an anomaly. */
  onAnomalous?: (transaction: RecordedTransaction) => void,
  /** Told of each transaction that a fractured read saw in part. */
  onSeenInPart?: (transactionId: string) => void,
): AnomalyReport {
  const found = findAnomalies(history, onAnomalous, onSeenInPart);
  const { judged, anomalous, counts, undecidedPairs, witnesses } = found;
  const count = (transactions: number): AnomalyCount => ({
    transactions,
    upperBoundPer10k: Math.round(upperRateBound(transactions, judged, 0.95) * 1e6) / 100,
  });
  const staleness = countStaleness(history);
  const ordered = history.some(({ commitOrder }) => commitOrder !== undefined);
  return {
    judged,
    readYourWrites: count(counts.get("readYourWrites") ?? 0),
    fractured: count(counts.get("fractured") ?? 0),
    nonRepeatable: count(counts.get("nonRepeatable") ?? 0),
    dirtyReads: count(counts.get("dirtyReads") ?? 0),
    anomalous: count(anomalous),
    lostUpdates: count(staleness.lostUpdates),
    staleReads: {
      ...count(staleness.staleReaders),
      reads: staleness.reads,
      stale: staleness.staleReads,
      depthMax: staleness.depthMax,
      depthMean: Math.round(staleness.depthMean * 100) / 100,
    },
    undecidedPairs,
    versionOrder: ordered ? "commit-order" : "write-intervals",
    witnesses: [...witnesses, ...staleness.witnesses],
  };
}

function indexWriters(history: readonly RecordedTransaction[]): WriterIndex {
  const transactions = new Map<string, RecordedTransaction>();
  const writes = new Map<string, Map<string, RecordedWrite>>();
  for (const transaction of history) {
    transactions.set(transaction.transactionId, transaction);
    const byKey = new Map<string, RecordedWrite>();
    for (const operation of transaction.operations)
      if (operation.kind === "write") byKey.set(operation.key, operation);
    writes.set(transaction.transactionId, byKey);
  }
  return { transactions, writeOf: (id, key) => writes.get(id)?.get(key) };
}

function judge(
  transaction: RecordedTransaction,
  index: WriterIndex,
  onSeenInPart: (transactionId: string) => void,
): { findings: Finding[]; undecided: number } {
  const { transactionId: self, operations } = transaction;
  const findings: Finding[] = [];
  const find = (kind: AnomalyKind, explanation: string): void => {
    findings.push({ kind, explanation, size: operations.length });
  };
  const written = new Map<string, RecordedWrite>();
  const lastRead = new Map<string, RecordedRead>();
  /** First read of each key that was not of an own write: what the transaction saw of others. */
  const external = new Map<string, RecordedRead>();
  for (const operation of operations) {
    const { key } = operation;
    if (operation.kind === "write") {
      written.set(key, operation);
      lastRead.delete(key);
      continue;
    }
    const own = written.get(key);
    if (own !== undefined && !isOwn(operation, self, own)) {
      find(
        "readYourWrites",
        `${self} wrote ${key} (write ${own.sequence}) and then read ${versionOf(operation)}`,
      );
    }
    const before = lastRead.get(key);
    if (before !== undefined && !sameVersion(before, operation))
      find(
        "nonRepeatable",
        `${self} read ${key} as ${versionOf(before)} and then as ${versionOf(operation)}`,
      );
    lastRead.set(key, operation);
    if (operation.from === self) continue;
    if (own === undefined && !external.has(key)) external.set(key, operation);
    const writer = operation.from === null ? undefined : index.transactions.get(operation.from);
    if (writer?.outcome === "aborted")
      find("dirtyReads", `${self} read ${key} from ${operation.from}, which aborted`);
  }
  const findFracture = (source: string, explanation: string): void => {
    onSeenInPart(source);
    find("fractured", explanation);
  };
  const undecided = judgeFractures({ transaction, external, index, find: findFracture });
  return { findings, undecided };
}

/** How many pairs could not be ordered. */
function judgeFractures(options: {
  readonly transaction: RecordedTransaction;
  readonly external: ReadonlyMap<string, RecordedRead>;
  readonly index: WriterIndex;
  readonly find: (source: string, explanation: string) => void;
}): number {
  const { transaction, external, index, find } = options;
  const sources = new Set([...external.values()].map(({ from }) => from));
  sources.delete(null);
  let undecided = 0;
  for (const source of sources) {
    const writer = source === null ? undefined : index.transactions.get(source);
    if (writer === undefined) {
      // Written by nobody in the record (an earlier run, a lost attempt): nothing can be proven.
      undecided += 1;
      continue;
    }
    for (const key of writer.writeSet) {
      const read = external.get(key);
      if (read === undefined || read.from === source) continue;
      const order = orderOf({ read, writer, key, index });
      if (order === "unproven") undecided += 1;
      if (order !== "older") continue;
      const seen = [...external.values()].find(({ from }) => from === source);
      find(
        writer.transactionId,
        `${transaction.transactionId} read ${seen?.key} from ${source}, which also writes ${key}, ` +
          `but read ${key} as the older ${versionOf(read)}`,
      );
    }
  }
  return undecided;
}

/** Where the version that was read stands against the one `writer` writes of the same key. */
function orderOf(options: {
  readonly read: RecordedRead;
  readonly writer: RecordedTransaction;
  readonly key: string;
  readonly index: WriterIndex;
}): Order {
  const { read, writer, key, index } = options;
  // No version at all is older than any.
  if (read.from === null) return "older";
  const reader = index.transactions.get(read.from);
  if (reader === undefined) return "unproven";
  if (reader.commitOrder !== undefined && writer.commitOrder !== undefined)
    return reader.commitOrder < writer.commitOrder ? "older" : "newer";
  // A system with a commit order decides by it alone; write instants mean nothing there.
  if (reader.commitOrder !== undefined || writer.commitOrder !== undefined) return "unproven";
  const seen = index.writeOf(read.from, key);
  const other = index.writeOf(writer.transactionId, key);
  if (seen === undefined || other === undefined) return "unproven";
  if (seen.endUs !== null && seen.endUs < other.startUs) return "older";
  if (other.endUs !== null && other.endUs < seen.startUs) return "newer";
  return "unproven";
}

function isOwn(read: RecordedRead, self: string, own: RecordedWrite): boolean {
  return read.from === self && read.fromSequence === own.sequence;
}

function sameVersion(a: RecordedRead, b: RecordedRead): boolean {
  return a.from === b.from && a.fromSequence === b.fromSequence;
}

function versionOf({ from, fromSequence }: RecordedRead): string {
  return from === null ? "no value" : `the version of ${from} (write ${fromSequence})`;
}
