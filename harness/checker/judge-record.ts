/**
 * @module Whether any commit order explains a run: RC, RA and CC with clients as sessions, and RA for
 * transactions alone. Stands beside the counted anomalies and is never mixed with them.
 *
 * Most systems promise something about transactions and nothing about sessions (RAMP, AFT on several
 * replicas): "ra-without-sessions" is what a promise of read atomicity means, "ra" adds that a client
 * sees its own earlier transactions.
 */
import type { RecordedTransaction } from "#harness/record/history.ts";
import type { IsolationCheck, IsolationReport, VerdictKind } from "#harness/record/run.ts";
import { check } from "./check.ts";
import { DuplicateWriteError } from "./errors.ts";
import { RecordedHistory, RecordedSessions } from "./formats/recorded.ts";
import { type History, HistoryBuilder } from "./history.ts";
import { WindowedChecker } from "./windows.ts";
import type { Level, Verdict } from "./witness.ts";

export interface JudgeLimits {
  /** Longer runs are judged in windows of as many operations. */
  readonly wholeOperations?: number;
  /** CC costs time and memory by sessions × transactions; beyond this it is not run. */
  readonly causalWork?: number;
}

const defaultWholeOperations = 5_000_000;
const defaultCausalWork = 50_000_000;
const recordLevels = ["rc", "ra", "cc"] as const satisfies readonly Level[];

/** Never throws on what a run recorded: what cannot be judged is undecided, with the reason. */
export function judgeRecord(
  transactions: readonly RecordedTransaction[],
  limits: JudgeLimits = {},
): IsolationReport {
  const operations = transactions.reduce((sum, one) => sum + one.operations.length, 0);
  const { wholeOperations = defaultWholeOperations } = limits;
  try {
    return operations > wholeOperations
      ? judgeInWindows(transactions, wholeOperations)
      : judgeWhole(transactions, { ...limits, operations });
  } catch (error) {
    if (!(error instanceof DuplicateWriteError)) throw error;
    const reason = error.message;
    const coverage = { transactions: transactions.length, operations, windows: 1, missed: [] };
    const all: readonly IsolationCheck[] = [...recordLevels, "ra-without-sessions"];
    return reportOf(
      all.map((name) => [name, { kind: "undecided", reason }]),
      coverage,
    );
  }
}

type Found = readonly [
  IsolationCheck,
  Verdict | { readonly kind: "not-run"; readonly reason: string },
];

function judgeWhole(
  transactions: readonly RecordedTransaction[],
  limits: JudgeLimits & { readonly operations: number },
): IsolationReport {
  const { history, gaps } = historyOf(transactions, { sessions: true });
  const work = history.sessionCount * history.transactionCount;
  const { causalWork = defaultCausalWork, operations } = limits;
  const levels = recordLevels.filter((level) => level !== "cc" || work <= causalWork);
  const verdicts = check(history, { levels });
  const found: Found[] = recordLevels.map((level) => {
    const verdict = verdicts[level];
    if (verdict !== undefined) return [level, withGaps(verdict, gaps)];
    const reason = `${history.sessionCount} sessions × ${history.transactionCount} transactions`;
    return [level, { kind: "not-run", reason: `too many: ${reason}` }];
  });
  const withSessions = verdicts.ra ?? { kind: "pass" };
  // Fewer orders are fewer reasons to reject: only a violation must be looked at again.
  const alone =
    withSessions.kind === "violation"
      ? (check(historyOf(transactions, { sessions: false }).history, { levels: ["ra"] }).ra ??
        withSessions)
      : withSessions;
  found.push(["ra-without-sessions", withGaps(alone, gaps)]);
  const coverage = { transactions: transactions.length, operations, windows: 1, missed: [] };
  return reportOf(found, coverage);
}

function historyOf(
  transactions: readonly RecordedTransaction[],
  options: { readonly sessions: boolean },
): { readonly history: History; readonly gaps: string | undefined } {
  const builder = new HistoryBuilder();
  const recorded = new RecordedHistory(builder, options);
  for (const transaction of transactions) recorded.add(transaction);
  recorded.end();
  return { history: builder.build(), gaps: recorded.gaps };
}

/** Windows for both meanings of RA; CC is left out, because a window has too many sessions. */
function judgeInWindows(
  transactions: readonly RecordedTransaction[],
  operations: number,
): IsolationReport {
  const levels = ["rc", "ra"] as const;
  const withSessions = new WindowedChecker({ levels, operations });
  const alone = new WindowedChecker({ levels: ["ra"], operations });
  const sessions = new RecordedSessions();
  for (const transaction of transactions) {
    const { transactionId: name, outcome: status } = transaction;
    const own = {
      name,
      status,
      operations: transaction.operations.map((operation) => ({
        kind: operation.kind,
        key: operation.key,
        value: valueOf(name, operation),
      })),
    };
    withSessions.add({ ...own, session: sessions.of(transaction) });
    alone.add({ ...own, session: name });
  }
  const { verdicts, coverage, missed } = withSessions.finish();
  const reason = "a run this long is judged in windows, for RC and RA";
  const found: Found[] = [
    ["rc", verdicts.rc ?? { kind: "not-run", reason }],
    ["ra", verdicts.ra ?? { kind: "not-run", reason }],
    ["cc", { kind: "not-run", reason }],
    ["ra-without-sessions", alone.finish().verdicts.ra ?? { kind: "not-run", reason }],
  ];
  return reportOf(found, {
    transactions: coverage.transactions,
    operations: coverage.operations,
    windows: coverage.windows,
    missed,
  });
}

function valueOf(
  writer: string,
  operation: RecordedTransaction["operations"][number],
): string | null {
  if (operation.kind === "write") return `${writer}:${operation.sequence}`;
  return operation.from === null ? null : `${operation.from}:${operation.fromSequence}`;
}

function withGaps(verdict: Verdict, gaps: string | undefined): Verdict {
  if (verdict.kind !== "pass" || gaps === undefined) return verdict;
  return { kind: "undecided", reason: `no violation, but ${gaps}` };
}

function reportOf(found: readonly Found[], coverage: IsolationReport["coverage"]): IsolationReport {
  const verdicts: Record<IsolationCheck, VerdictKind> = {
    rc: "not-run",
    ra: "not-run",
    cc: "not-run",
    "ra-without-sessions": "not-run",
  };
  const reasons: Partial<Record<IsolationCheck, string>> = {};
  const witnesses: IsolationReport["witnesses"][number][] = [];
  for (const [name, verdict] of found) {
    verdicts[name] = verdict.kind;
    if (verdict.kind === "undecided" || verdict.kind === "not-run") reasons[name] = verdict.reason;
    if (verdict.kind !== "violation") continue;
    const { title, explanation } = verdict.witness;
    if (witnesses.every((one) => one.explanation !== explanation))
      witnesses.push({ check: name, title, explanation });
  }
  return { verdicts, reasons, witnesses, coverage };
}
