/**
 * @module What the record of a simulation proves: judged by the checker, and held against what storage says.
 *
 * AFT promises that transactions are read atomic, read their own writes and repeat their reads; over
 * one replica also that a session sees its own earlier transactions.
 */
import { check } from "#harness/checker/check.ts";
import { findAnomalies } from "#harness/checker/counts.ts";
import { countEffects } from "#harness/checker/effects.ts";
import { RecordedHistory } from "#harness/checker/formats/recorded.ts";
import { HistoryBuilder } from "#harness/checker/history.ts";
import type { RecordedTransaction } from "#harness/record/history.ts";
import type { SimConfig } from "./config.ts";

/**
 * Sentences, most telling first; none when everything holds.
 *
 * @param inOrder  No client began an attempt while an earlier one of its own went on.
 */
export function judgeRecords(
  config: SimConfig,
  records: readonly RecordedTransaction[],
  inOrder: boolean,
): string[] {
  const judged = records.filter(({ transactionId }) => transactionId !== "");
  return [
    ...anomaliesOf(judged),
    ...isolationAsPromised(judged, inOrder && promisesSessions(config)),
    ...(config.exactlyOnce || config.system === "direct" ? effectsOf(judged) : []),
  ];
}

function promisesSessions({ system, replicas, functions, engine }: SimConfig): boolean {
  // Two attempts of one request at a time are no session.
  const inOrder = functions.duplicate + functions.zombie === 0;
  return system === "aft" && replicas === 1 && inOrder && engine.lagUs === 0;
}

function anomaliesOf(records: readonly RecordedTransaction[]): string[] {
  const { counts, witnesses } = findAnomalies(records);
  const kinds = ["readYourWrites", "fractured", "nonRepeatable", "dirtyReads"] as const;
  return kinds
    .filter((kind) => (counts.get(kind) ?? 0) > 0)
    .map((kind) => {
      const witness = witnesses.find((one) => one.kind === kind);
      return `checker: ${kind} in ${counts.get(kind)} transactions: ${witness?.explanation ?? ""}`;
    });
}

/** What an order with sessions explains, one without them does: only a failure asks for both. */
function isolationAsPromised(
  records: readonly RecordedTransaction[],
  withSessions: boolean,
): string[] {
  const found = isolationOf(records, { sessions: withSessions });
  return withSessions && found.length > 0
    ? [...isolationOf(records, { sessions: false }), ...found]
    : found;
}

function isolationOf(
  records: readonly RecordedTransaction[],
  options: { readonly sessions: boolean },
): string[] {
  const builder = new HistoryBuilder();
  const recorded = new RecordedHistory(builder, options);
  for (const record of records) recorded.add(record);
  recorded.end();
  const { ra } = check(builder.build(), { levels: ["ra"] });
  if (ra?.kind !== "violation") return [];
  const level = options.sessions ? "RA with sessions" : "RA";
  return [
    `checker: no commit order explains this at ${level}: ${ra.witness.title}\n${ra.witness.explanation}`,
  ];
}

function effectsOf(records: readonly RecordedTransaction[]): string[] {
  const { torn, repeated } = countEffects(records);
  return [
    ...(torn.requests > 0 ? [`checker: torn effects of ${torn.requests} requests`] : []),
    ...(repeated.requests > 0
      ? [`checker: repeated effects of ${repeated.requests} requests`]
      : []),
  ];
}
