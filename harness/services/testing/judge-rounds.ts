/** @module For the cluster rounds: what the whole history must be like. */
import { expect } from "vitest";
import { countAnomalies } from "#harness/checker/counts.ts";
import { judgeRecord } from "#harness/checker/judge-record.ts";
import type { RecordedTransaction } from "#harness/record/history.ts";

/** Fails where an anomaly is proven, no order explains the reads, or a request had two effects. */
export function judgeRounds(
  world: {
    readonly history: readonly RecordedTransaction[];
    readonly committed: number;
    readonly restarted: number;
  },
  { rounds, seed }: { readonly rounds: number; readonly seed: number },
): void {
  const { history } = world;
  const figures = `${world.committed} committed, ${world.restarted} starts again, seed ${seed}`;
  process.stderr.write(`cluster rounds: ${rounds} rounds, ${figures}\n`);
  const report = countAnomalies(history);
  // Lost updates and stale reads are explained too, but read atomicity allows them.
  const allowed: readonly string[] = ["lostUpdate", "staleRead"];
  const broken = report.witnesses.filter(({ kind }) => !allowed.includes(kind));
  expect(JSON.stringify(broken), figures).toBe("[]");
  expect(report.anomalous.transactions, figures).toBe(0);
  const { verdicts } = judgeRecord(history);
  process.stderr.write(`verdicts: ${JSON.stringify(verdicts)}\n`);
  // Across replicas a client's next transaction may miss its last one; atomic it is all the same.
  expect(verdicts["ra-without-sessions"], figures).toBe("pass");
  // Each request's effect once: no two attempts of a request were ever seen.
  const requestOf = new Map(history.map((one) => [one.transactionId, one.requestId]));
  const seen = new Map<string, Set<string>>();
  for (const { operations, transactionId } of history)
    for (const operation of operations) {
      if (operation.kind !== "read" || operation.from === null) continue;
      // Its own write, that nobody else need ever see.
      if (operation.from === transactionId) continue;
      const requestId = requestOf.get(operation.from);
      if (requestId === undefined) continue;
      seen.set(requestId, (seen.get(requestId) ?? new Set()).add(operation.from));
    }
  for (const [requestId, attempts] of seen) expect([...attempts], requestId).toHaveLength(1);
  // The faults must have hit requests, and requests must have got through.
  expect(world.committed).toBeGreaterThan(20 * rounds);
  expect(world.restarted).toBeGreaterThan(0);
}
