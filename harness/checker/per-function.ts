/**
 * @module The same record with every function as a transaction of its own: what is left to judge of systems
 * that keep their promises within one function and none over a request.
 *
 * A function took effect if the attempt went on behind it; the last one shares the attempt's outcome. Commit
 * orders are of attempts, so functions have none.
 */
import type { RecordedOperation, RecordedTransaction } from "#harness/record/history.ts";

/** Transactions without marks between their functions stay as they are. Cost: O(operations). */
export function splitByFunction(
  transactions: readonly RecordedTransaction[],
): RecordedTransaction[] {
  const parts = transactions.flatMap(partsOf);
  /** Which function made a write. */
  const writers = new Map<string, string>();
  for (const { whole, part } of parts)
    for (const operation of part.operations)
      if (operation.kind === "write")
        writers.set(`${whole} ${operation.sequence}`, part.transactionId);
  return parts.map(({ part }) => ({
    ...part,
    operations: part.operations.map((operation): RecordedOperation => {
      if (operation.kind === "write" || operation.from === null) return operation;
      const { from, fromSequence } = operation;
      return { ...operation, from: writers.get(`${from} ${fromSequence}`) ?? from };
    }),
  }));
}

function partsOf(
  transaction: RecordedTransaction,
): { readonly whole: string; readonly part: RecordedTransaction }[] {
  const { transactionId: whole, functionEnds, operations, commitOrder: _, ...rest } = transaction;
  if (functionEnds === undefined || functionEnds.length < 2) return [{ whole, part: transaction }];
  return functionEnds.map((end, index) => {
    const own = operations.slice(functionEnds[index - 1] ?? 0, end);
    const isLast = index === functionEnds.length - 1;
    const written = own.filter(({ kind }) => kind === "write").map(({ key }) => key);
    return {
      whole,
      part: {
        ...rest,
        transactionId: `${whole}#${index}`,
        outcome: isLast ? transaction.outcome : "committed",
        writeSet: [...new Set(written)].toSorted(),
        operations: own,
      },
    };
  });
}
