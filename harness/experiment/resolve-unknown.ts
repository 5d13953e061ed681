/** @module What became of transactions whose answer was lost, asked of the system after the load. */
import type { RecordedTransaction } from "#harness/record/history.ts";
import { openStateSystem, type StateSystemSpec } from "#shim/state/registry.ts";

/**
 * What they wrote may have been read, and their place in the version order is needed to judge those reads.
 * Replaces in `transactions` what is learnt.
 */
export async function resolveUnknown(
  spec: StateSystemSpec,
  transactions: RecordedTransaction[],
): Promise<void> {
  if (!transactions.some(({ outcome }) => outcome === "unknown")) return;
  // `direct` keeps no outcomes; asking it would only open another connection.
  if (spec.system === "direct") return;
  const system = await openStateSystem(spec);
  try {
    for (const [index, transaction] of transactions.entries()) {
      if (transaction.outcome !== "unknown") continue;
      const { requestId, transactionId } = transaction;
      const context = { system: system.name, requestId, transactionId, carried: {} };
      const outcome = await system.outcomeOf(context);
      if (outcome.kind === "unknown") continue;
      // Committed by another attempt of the request: this one left nothing.
      const isOwn = outcome.kind === "committed" && outcome.committedBy === undefined;
      const commitOrder = isOwn ? outcome.commitOrder : undefined;
      transactions[index] = {
        ...transaction,
        // Its reads after the loss are not known, so it is not judged; its place in the order is.
        outcome: isOwn ? "unknown" : "aborted",
        ...(commitOrder !== undefined && { commitOrder }),
      };
    }
  } finally {
    await system.close();
  }
}
