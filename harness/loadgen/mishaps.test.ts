/**
 * Goal    Mishaps happen to the first attempt of a request, where they were drawn; the record says what was
 *         done by then, and what is tried again ends well.
 * Method  The real function over plain storage in memory, in this process; one kind at a time, always.
 */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createInlinePlatform } from "#harness/faas/inline/platform.ts";
import type { AttemptRecord } from "#harness/record/attempts.ts";
import type { RecordedTransaction } from "#harness/record/history.ts";
import { mishapKinds, type MishapKind, type MishapRates } from "#workloads/functions/mishaps.ts";
import { createPaperWorkload } from "#workloads/mixes/paper.ts";
import { startRequest } from "./request.ts";

const clock = createSystemClock();
const platform = createInlinePlatform({ clock });
const workload = createPaperWorkload(
  {
    functions: 2,
    readsPerFunction: 2,
    writesPerFunction: 1,
    keyCount: 100,
    zipfTheta: 0,
    valueBytes: 256,
  },
  1,
);

beforeAll(async () => {
  const storage = { target: { engine: "memory" } };
  await platform.deploy([
    {
      name: "f",
      modulePath: fileURLToPath(import.meta.resolve("#workloads/functions/handler.ts")),
      exportName: "handler",
      environment: { AFT_BENCH_SYSTEM: JSON.stringify({ system: "direct", options: { storage } }) },
      concurrencyLimit: 4,
      timeoutMs: 5_000,
    },
  ]);
});
afterAll(() => platform.close());

/** A request that meets with `kind` for sure, or with nothing. */
async function send(kind: MishapKind | undefined, block = 0) {
  const attempts: AttemptRecord[] = [];
  const transactions: RecordedTransaction[] = [];
  const injected: string[] = [];
  const rates = Object.fromEntries(
    mishapKinds.map((one) => [one, one === kind ? 1 : 0]),
  ) as MishapRates;
  const pending = startRequest(
    {
      platform,
      functionName: "f",
      clock,
      valueBytes: workload.valueBytes,
      workload,
      label: `${kind}-`,
      block,
      sinks: {
        onAttempt: (record) => attempts.push(record),
        onTransaction: (transaction) => transactions.push(transaction),
      },
      signal: new AbortController().signal,
      mishaps: { rates, seed: 3, onInjected: (one) => injected.push(one) },
    },
    { client: 1, index: 0, dueUs: clock.monotonicUs() },
  );
  await pending.done;
  const writes = transactions.map(
    ({ operations }) => operations.filter(({ kind: what }) => what === "write").length,
  );
  return { attempts, transactions, injected, writes };
}

const outcomes = (transactions: readonly RecordedTransaction[]) =>
  transactions.map(({ outcome }) => outcome);

describe("a request that meets with", () => {
  it("nothing is as it was", async () => {
    const { attempts, transactions, injected } = await send(undefined);
    expect(attempts).toHaveLength(1);
    expect(outcomes(transactions)).toEqual(["committed"]);
    expect(injected).toEqual([]);
  });

  it("a death between its writes is tried again; half of it is in the record under its own id", async () => {
    const { attempts, transactions, injected, writes } = await send("die-between-writes");
    expect(injected).toEqual(["die-between-writes"]);
    expect(outcomes(transactions)).toEqual(["unknown", "committed"]);
    expect(transactions[0]).toMatchObject({ reason: "failed on purpose" });
    expect(transactions[0]?.transactionId).not.toMatch(/^lost-/);
    expect(writes).toEqual([1, 2]);
    expect(attempts.map(({ final }) => final)).toEqual([false, true]);
  });

  it("a death after its commit is tried again although it is all there", async () => {
    const { transactions, injected, writes } = await send("die-after-commit");
    expect(injected).toEqual(["die-after-commit"]);
    expect(outcomes(transactions)).toEqual(["unknown", "committed"]);
    expect(writes).toEqual([2, 2]);
  });

  it("a second delivery has two overlapping transactions, the second in a session of its own", async () => {
    const { attempts, transactions, injected } = await send("duplicate");
    expect(injected).toEqual(["duplicate"]);
    expect(attempts).toHaveLength(1);
    expect(outcomes(transactions)).toEqual(["committed", "committed"]);
    expect(new Set(transactions.map(({ requestId }) => requestId)).size).toBe(1);
    expect(transactions.map(({ session }) => session).toSorted((a, b) => a - b)).toEqual([
      -1_001, 1,
    ]);
  });

  it("a pause of its first function takes that much longer", async () => {
    const { attempts, injected } = await send("slow");
    expect(injected).toEqual(["slow"]);
    const [only] = attempts;
    expect((only?.endUs ?? 0) - (only?.startUs ?? 0)).toBeGreaterThanOrEqual(50_000);
  });

  it("a storage time-out is tried again, and the call it did not wait for has its effect", async () => {
    const { transactions, injected } = await send("storage-timeout");
    expect(injected).toEqual(["storage-timeout"]);
    expect(outcomes(transactions).at(-1)).toBe("committed");
    expect(transactions).toHaveLength(2);
    expect(transactions[0]?.reason).toBe("storage_timeout");
  });

  it("anything in a warm-up is left alone", async () => {
    const { transactions, injected } = await send("die-after-commit", -1);
    expect(injected).toEqual([]);
    expect(transactions).toHaveLength(1);
  });
});
