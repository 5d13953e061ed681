/**
 * @module Requests that went on where an earlier attempt had stopped: what counts as done, and by whom.
 *
 * A write that was replayed is the earlier attempt's; the later one only passed over it. And once the
 * request has committed, that earlier attempt is not "aborted": its writes are a part of what was done.
 */
import type { RecordedOperation, RecordedTransaction } from "./history.ts";

/** The history without passed-over writes; the same array where there are none. */
export function withoutReplays(
  history: readonly RecordedTransaction[],
): readonly RecordedTransaction[] {
  if (requestsWithReplays(history).size === 0) return history;
  return history.map((transaction) => {
    const { operations } = transaction;
    if (!operations.some(isReplayed)) return transaction;
    return { ...transaction, operations: operations.filter((one) => !isReplayed(one)) };
  });
}

/**
 * Attempts whose request has committed by going on from them are no longer said to be aborted: what
 * they wrote stays, and may be read. Replaces them in `history`.
 */
export function keepContinued(history: RecordedTransaction[]): void {
  const requests = requestsWithReplays(history);
  for (const [index, transaction] of history.entries())
    if (transaction.outcome === "aborted" && requests.get(transaction.requestId) === true)
      history[index] = { ...transaction, outcome: "unknown" };
}

/**
 * Requests with replayed writes that have committed, and from when on nothing of them was missing any
 * more, at the earliest: the start of the last write that was really done.
 */
export function completionsOf(
  history: readonly RecordedTransaction[],
): ReadonlyMap<string, number> {
  const requests = requestsWithReplays(history);
  const completions = new Map<string, number>();
  if (requests.size === 0) return completions;
  for (const { requestId, operations } of history) {
    if (requests.get(requestId) !== true) continue;
    for (const operation of operations) {
      if (operation.kind === "read" || isReplayed(operation)) continue;
      const before = completions.get(requestId) ?? -Infinity;
      completions.set(requestId, Math.max(before, operation.startUs));
    }
  }
  return completions;
}

export function isReplayed(operation: RecordedOperation): boolean {
  return operation.kind === "write" && operation.replayed === true;
}

/** Requests that went on where an earlier attempt had stopped, and whether each of them has committed. */
export function requestsWithReplays(
  history: readonly RecordedTransaction[],
): ReadonlyMap<string, boolean> {
  const requests = new Map<string, boolean>();
  for (const { requestId, operations } of history)
    if (operations.some(isReplayed)) requests.set(requestId, false);
  if (requests.size === 0) return requests;
  for (const { requestId, outcome, reason } of history) {
    // An attempt that was told by whom its request was done is recorded as aborted.
    const isDone = outcome === "committed" || reason?.startsWith("committed by ") === true;
    if (isDone && requests.has(requestId)) requests.set(requestId, true);
  }
  return requests;
}
