/**
 * @module Effects of requests that are tried again: torn and repeated ones, as others saw them.
 *
 * Only what a read proves counts, so both are lower bounds:
 *   torn       an attempt had done some of its request's writes when it failed, and somebody else read one,
 *              before a later attempt that goes on from there did the rest
 *   repeated   somebody read what one attempt wrote under a key, and somebody what another one did; of a
 *              request that went on where an attempt had stopped: the same write of it
 *   in part    torn, or a fractured read saw some of its writes and missed others, failed attempt or not
 */
import { upperRateBound } from "#harness/stats/binomial.ts";
import type { RecordedTransaction } from "#harness/record/history.ts";
import { completionsOf, isReplayed, requestsWithReplays } from "#harness/record/replays.ts";
import type { EffectReport } from "#harness/record/effects.ts";

/**
 * Cost: O(operations).
 *
 * @param seenInPart  Transactions that fractured reads saw in part (`countAnomalies`); absent: not asked for.
 */
export function countEffects(
  transactions: readonly RecordedTransaction[],
  seenInPart?: ReadonlySet<string>,
): EffectReport {
  const writers = new Map(transactions.map((one) => [one.transactionId, one]));
  const continued = requestsWithReplays(transactions);
  const completions = completionsOf(transactions);
  const torn = new Set<string>();
  const repeated = new Set<string>();
  /** First attempt seen, by request and key. */
  const seen = new Map<string, string>();
  for (const { requestId: reader, operations } of transactions)
    for (const operation of operations) {
      if (operation.kind === "write" || operation.from === null) continue;
      const writer = writers.get(operation.from);
      // A request that meets its own earlier attempt proves nothing to others.
      if (writer === undefined || writer.requestId === reader) continue;
      const { requestId } = writer;
      const completeFromUs = completions.get(requestId) ?? Infinity;
      if (isPartial(writer) && operation.endUs < completeFromUs) torn.add(requestId);
      const place = `${requestId} ${operation.key} ${continued.has(requestId) ? operation.fromSequence : ""}`;
      const first = seen.get(place);
      if (first === undefined) seen.set(place, operation.from);
      else if (first !== operation.from) repeated.add(requestId);
    }
  const inPart = new Set(torn);
  for (const id of seenInPart ?? []) inPart.add(writers.get(id)?.requestId ?? id);
  const requests = new Set(transactions.map(({ requestId }) => requestId)).size;
  const failedAttempts = transactions.filter(({ reason }) => reason === "failed on purpose").length;
  const count = (found: number) => ({
    requests: found,
    upperBoundPer10k:
      requests === 0 ? 10_000 : Math.round(upperRateBound(found, requests, 0.95) * 1e6) / 100,
  });
  return {
    requests,
    failedAttempts,
    torn: count(torn.size),
    repeated: count(repeated.size),
    ...(seenInPart !== undefined && { inPart: count(inPart.size) }),
  };
}

/** Some of its writes were done and some were surely not. */
function isPartial({ outcome, operations, writeSet }: RecordedTransaction): boolean {
  if (outcome === "committed") return false;
  const done = operations.filter((one) => one.kind === "write" && !isReplayed(one));
  const written = new Set(done.map(({ key }) => key));
  return written.size > 0 && written.size < new Set(writeSet).size;
}
