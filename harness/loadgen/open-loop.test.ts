/**
 * Goal    The open loop keeps its invariants O1 … O4 (see its header), and requests their record.
 * Method  A clock moved by hand and functions that answer when told; one test per clause.
 */
import { describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "#kit/testing/manual-clock.ts";
import type { Platform } from "#harness/faas/port.ts";
import type { AttemptRecord } from "#harness/record/attempts.ts";
import type { RecordedTransaction } from "#harness/record/history.ts";
import { createWorkload } from "#workloads/registry.ts";
import { type OpenLoopResult, runOpenLoop } from "./open-loop.ts";
import { recordDropped, startRequest } from "./request.ts";

const valueBytes = 8;
const workload = createWorkload({
  name: "write-only",
  parameters: { writes: 1, batch: "sequential", keyCount: 10, valueBytes },
  seed: 1,
});

/** Answers the n-th invocation after `serviceUs[n]`; never for `Infinity`. */
function platformOf(clock: ManualClock, serviceUs: (call: number) => number): Platform {
  let call = 0;
  return {
    name: "test",
    pids: [],
    deploy: () => Promise.resolve(),
    invoke: () =>
      new Promise((resolve) => {
        const after = serviceUs(call);
        call += 1;
        if (after === Infinity) return;
        clock.schedule(after, () => {
          const result = {
            transactionId: `t${call}`,
            operations: [],
            commit: { kind: "committed" },
          };
          const timings = { startUs: 0, endUs: 0, coldStart: false };
          resolve({ kind: "ok", result, timings });
        });
      }),
    killBusyInstances: () => Promise.resolve(0),
    stats: () => Promise.reject(new Error("not asked")),
    close: () => Promise.resolve(),
  };
}

interface Offered {
  readonly attempts: AttemptRecord[];
  readonly transactions: RecordedTransaction[];
  readonly lateness: number[];
  readonly result: OpenLoopResult;
}

async function offer(
  clock: ManualClock,
  options: {
    readonly dueUs: readonly number[];
    readonly serviceUs: (call: number) => number;
    readonly slots?: number;
    readonly drainUs?: number;
    readonly advance?: (clock: ManualClock, stop: AbortController) => Promise<void>;
  },
): Promise<Offered> {
  const { dueUs, serviceUs, slots = 10, drainUs = 10_000_000, advance } = options;
  const attempts: AttemptRecord[] = [];
  const transactions: RecordedTransaction[] = [];
  const lateness: number[] = [];
  const stop = new AbortController();
  const context = {
    platform: platformOf(clock, serviceUs),
    functionName: "f",
    clock,
    valueBytes,
    workload,
    block: 0,
    signal: stop.signal,
    sinks: {
      onAttempt: (record: AttemptRecord) => attempts.push(record),
      onTransaction: (transaction: RecordedTransaction) => transactions.push(transaction),
    },
  };
  const limits = { slotWaitUs: 100_000, timeoutUs: 1_000_000 };
  const running = runOpenLoop({
    clock,
    dueUs: Float64Array.from(dueUs),
    slots,
    drainUs,
    ...limits,
    signal: stop.signal,
    onLateness: (us) => lateness.push(us),
    send: (position, due) => startRequest(context, { client: position, index: 0, dueUs: due }),
    drop: (position, due) => {
      recordDropped(context, { client: position, index: 0, dueUs: due }, limits);
    },
  });
  if (advance === undefined) await clock.advance(20_000_000);
  else await advance(clock, stop);
  const result = await running;
  for (const pending of result.leftOver) pending.abandon();
  return { attempts, transactions, lateness, result };
}

const even = (count: number, gapUs: number): number[] =>
  Array.from({ length: count }, (_unused, index) => index * gapUs);

describe("runOpenLoop", () => {
  it("O1, O2: starts every request at its due time, however slow the others are", async () => {
    const clock = createManualClock();
    const dueUs = even(50, 10_000);
    const { attempts, result } = await offer(clock, { dueUs, serviceUs: () => 60_000 });
    expect(result).toMatchObject({ offered: 50, sent: 50, dropped: 0, late: 0, maxInFlight: 6 });
    expect(attempts.map(({ startUs }) => startUs)).toEqual(dueUs);
    expect(attempts.every(({ dueUs: due, endUs }) => endUs - due === 60_000)).toBe(true);
  });

  it("O2: a scheduler that stood still starts late, and says so; due times stay", async () => {
    const clock = createManualClock();
    let stalled = false;
    const late = {
      ...clock,
      // Time passes without a timer firing: what SIGSTOP does to a process.
      schedule: (delayUs: number, task: () => void) =>
        clock.schedule(stalled ? delayUs : delayUs + 500_000, () => {
          stalled = true;
          task();
        }),
    };
    const { attempts, lateness, result } = await offer(late, {
      dueUs: [10_000, 20_000, 600_000],
      serviceUs: () => 1_000,
    });
    expect(Math.max(...lateness)).toBe(500_000);
    expect(result.late).toBe(2);
    expect(attempts.map(({ dueUs }) => dueUs)).toEqual([10_000, 20_000, 600_000]);
    expect(attempts.map(({ endUs, dueUs }) => endUs - dueUs)).toEqual([501_000, 491_000, 1_000]);
  });

  it("O3: waits for a slot in order, and drops at the bound, counted at the time limit", async () => {
    const clock = createManualClock();
    const { attempts, result } = await offer(clock, {
      dueUs: [0, 1_000, 2_000, 3_000],
      serviceUs: () => 80_000,
      slots: 1,
    });
    // The second waits 79 ms; the third would wait 158 ms, the fourth longer.
    expect(result).toMatchObject({ offered: 4, sent: 2, dropped: 2, late: 1, maxInFlight: 1 });
    const byClient = attempts.toSorted((a, b) => a.client - b.client);
    expect(byClient.map(({ startUs }) => startUs).slice(0, 2)).toEqual([0, 80_000]);
    for (const dropped of byClient.slice(2)) {
      expect(dropped).toMatchObject({ outcome: "failed", censored: true, final: true });
      expect(dropped.endUs - dropped.dueUs).toBe(1_000_000);
    }
  });

  it("O3: a slot that becomes free after the bound is not given to the one that waited", async () => {
    const clock = createManualClock();
    // All of it happens in one late turn: the answer, the bound of the second, the due time of the third.
    const blocked = {
      ...clock,
      schedule: (delayUs: number, task: () => void) =>
        clock.schedule(Math.max(delayUs, 400_000), task),
    };
    const { attempts, result } = await offer(blocked, {
      dueUs: [0, 1_000, 300_000],
      serviceUs: () => 350_000,
      slots: 1,
    });
    expect(result).toMatchObject({ sent: 2, dropped: 1 });
    for (const { startUs, endUs } of attempts) expect(endUs).toBeGreaterThanOrEqual(startUs);
  });

  it("O4: a request without an answer is counted at its time limit and frees its slot", async () => {
    const clock = createManualClock();
    const { attempts, transactions, result } = await offer(clock, {
      dueUs: [0, 990_000],
      serviceUs: (call) => (call === 0 ? Infinity : 1_000),
      slots: 1,
    });
    expect(result).toMatchObject({ sent: 2, timedOut: 1, dropped: 0 });
    expect(attempts[0]).toMatchObject({ outcome: "unknown", reason: "timeout", endUs: 1_000_000 });
    expect(attempts[1]).toMatchObject({ outcome: "committed", startUs: 1_000_000 });
    // What it wrote may be read by others, so the history has it as lost.
    expect(transactions.map(({ outcome }) => outcome).toSorted()).toEqual(["committed", "unknown"]);
  });

  it("O4: an answer after the time limit enters the history but not the times", async () => {
    const clock = createManualClock();
    const { attempts, transactions } = await offer(clock, {
      dueUs: [0, 3_000_000],
      serviceUs: (call) => (call === 0 ? 2_000_000 : 1_000),
    });
    expect(attempts.filter(({ client }) => client === 0)).toHaveLength(1);
    expect(attempts[0]).toMatchObject({ outcome: "unknown", censored: true });
    expect(transactions.filter(({ outcome }) => outcome === "committed")).toHaveLength(2);
  });

  it("O1: what is under way at the end is awaited up to the limit, then counted", async () => {
    const clock = createManualClock();
    const { attempts, result } = await offer(clock, {
      dueUs: even(3, 1_000),
      serviceUs: (call) => (call === 2 ? Infinity : 100_000),
      drainUs: 300_000,
    });
    expect(result).toMatchObject({ sent: 3, unanswered: 1, endUs: 302_000 });
    expect(attempts.at(-1)).toMatchObject({ reason: "unanswered at the end", endUs: 1_002_000 });
  });

  it("O1: a stop offers nothing more, and still waits for what is under way", async () => {
    const clock = createManualClock();
    const { attempts, result } = await offer(clock, {
      dueUs: even(100, 10_000),
      serviceUs: () => 30_000,
      advance: async (hand, stop) => {
        await hand.advance(205_000);
        stop.abort();
        await hand.advance(1_000_000);
      },
    });
    expect(result).toMatchObject({ offered: 21, sent: 21 });
    expect(attempts).toHaveLength(21);
    expect(attempts.every(({ outcome }) => outcome === "committed")).toBe(true);
  });
});
