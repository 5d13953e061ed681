/**
 * Goal    Calibration passes with the suite's generator and fails, for the right reason, with three that
 *         have the faults of well-known tools; and ours, autocannon and truth stand side by side.
 * Method  Real servers that stall, wait or stay silent, each in its own process. What needs little CPU
 *         runs at the same time: all together a thousand requests per second.
 * Retry   The limits are those of a quiet machine, and tests share theirs: a check that is missed beside
 *         the others runs again by itself. A generator that is wrong is wrong each time.
 */
import autocannon from "autocannon";
import { describe, expect, it } from "vitest";
import { createSystemClock } from "#kit/node/system-clock.ts";
import type { AttemptRecord } from "#harness/record/attempts.ts";
import { runCheck } from "./calibrate.ts";
import { type CheckResult, type GeneratorUnderTest, ownGenerator } from "./check.ts";
import { HttpRecorder, offerOpen } from "./http-load.ts";
import { startTarget } from "./target.ts";
import { offer, trafficChecks } from "./traffic.ts";
import { exactPercentile, trueResponseTimes } from "./truth.ts";

const clock = createSystemClock({ precise: true });
const own = ownGenerator(clock);
const { signal } = new AbortController();

/** Starts its clock when a request is sent, as tools do that send when a connection is free. */
class SendTimeRecorder extends HttpRecorder {
  override record(attempt: AttemptRecord): void {
    super.record({ ...attempt, dueUs: attempt.startUs });
  }
}

class ForgetfulRecorder extends HttpRecorder {
  override record(attempt: AttemptRecord): void {
    if (attempt.censored !== true) super.record(attempt);
  }
}

const sendTime: GeneratorUnderTest = {
  ...own,
  createRecorder: () => new SendTimeRecorder(),
  offer: (options) => offerOpen({ ...options, connections: 5 }),
};
const bursting: GeneratorUnderTest = {
  ...own,
  offer: (options) =>
    offerOpen({ ...options, offsetsUs: options.offsetsUs.map((at) => Math.floor(at / 1e6) * 1e6) }),
};
const forgetful: GeneratorUnderTest = { ...own, createRecorder: () => new ForgetfulRecorder() };

const trials = 4;

function judge(id: string, generator: GeneratorUnderTest): Promise<CheckResult> {
  const check = trafficChecks.find((one) => one.id === id);
  if (check === undefined) throw new Error(`no check is called ${id}`);
  return runCheck(check, generator, signal);
}

interface Case {
  readonly id: string;
  readonly generator: GeneratorUnderTest;
  /** What the failures read, joined; `""`: the check passes. */
  readonly reads: readonly (RegExp | "")[];
}

const cases: readonly Case[] = [
  { id: "stall", generator: own, reads: [""] },
  { id: "never-answering", generator: own, reads: [""] },
  { id: "pacing", generator: own, reads: [""] },
  { id: "constant-delay", generator: own, reads: [""] },
  { id: "stall", generator: sendTime, reads: [/^response p90, ms is .*, expected 475 … 525$/] },
  { id: "pacing", generator: bursting, reads: [/^distance from the schedule, p50, ms is \d{3}/] },
  {
    id: "never-answering",
    generator: forgetful,
    reads: [/^requests in the record is 450, expected 500/, /requests counted at their limit is 0/],
  },
];

const holds = (failures: string, { reads }: Case): boolean =>
  reads.every((pattern) => (pattern === "" ? failures === "" : pattern.test(failures)));

describe("calibration", () => {
  it("passes with the suite's generator, and fails three faulty ones for the right reason", async () => {
    const together = await Promise.all(cases.map(({ id, generator }) => judge(id, generator)));
    for (const [index, one] of cases.entries()) {
      let failures = together[index]?.failures.join() ?? "not run";
      for (let trial = 1; trial < trials && !holds(failures, one); trial += 1)
        failures = (await judge(one.id, one.generator)).failures.join();
      for (const pattern of one.reads)
        if (pattern === "") expect(failures, one.id).toBe("");
        else expect(failures, one.id).toMatch(pattern);
    }
  });
});

interface Row {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

const inMs = (us: readonly number[]): Row => ({
  p50: exactPercentile(us, 0.5) / 1_000,
  p90: exactPercentile(us, 0.9) / 1_000,
  p99: exactPercentile(us, 0.99) / 1_000,
});

/** 100 ms an answer, so that 5 % of the median is more than what a loopback and two processes take. */
const delayMs = 100;
const stalled = { kind: "stall", delayMs, atMs: 2_000, forMs: 1_000 } as const;

/** Milliseconds as its `response` events give them; `rate`: its own open loop. */
async function measureWithAutocannon(rate?: number): Promise<Row> {
  const target = await startTarget(stalled);
  try {
    const us: number[] = [];
    await new Promise<void>((resolve, reject) => {
      const options = {
        url: `http://127.0.0.1:${target.port}/`,
        connections: 10,
        duration: 5,
        excludeErrorStats: true,
        ...(rate !== undefined && { overallRate: rate, ignoreCoordinatedOmission: true }),
      };
      const instance = autocannon(options, (error: unknown) => {
        if (error instanceof Error) reject(error);
        else resolve();
      });
      instance.on("response", (_client, _status, _bytes, milliseconds) => {
        us.push(milliseconds * 1_000);
      });
    });
    return inMs(us);
  } finally {
    await target.stop();
  }
}

it(
  "ours, autocannon and truth on a stalled server: ours is within 5 % of truth",
  { retry: 2 },
  async () => {
    const ours = await offer({
      mode: stalled,
      plan: { kind: "constant", perSecond: 100, seconds: 5 },
      timeoutUs: 10_000_000,
      generator: own,
      signal,
    });
    const [closed, rated] = await Promise.all([
      measureWithAutocannon(),
      measureWithAutocannon(100),
    ]);
    const { recorder, offsetsUs, originUs, truth } = ours;
    if (truth.stall === null) throw new Error("the server did not stall");
    const due = [...offsetsUs].map((at) => originUs + at);
    const truly = inMs(trueResponseTimes(due, { delayUs: delayMs * 1_000, stall: truth.stall }));
    const measured = inMs(recorder.attempts.map(({ dueUs, endUs }) => endUs - dueUs));
    const rows = {
      truth: truly,
      ours: measured,
      "autocannon, closed loop": closed,
      "autocannon, rate 100 (never used)": rated,
    };
    process.stdout.write(
      Object.entries(rows)
        .map(([name, { p50, p90, p99 }]) => {
          const values = [p50, p90, p99].map((value) => `${value.toFixed(1)} ms`.padStart(10));
          return `${name.padEnd(36)}${values.join("")}\n`;
        })
        .join(""),
    );
    for (const q of ["p50", "p90", "p99"] as const)
      expect(Math.abs(measured[q] / truly[q] - 1)).toBeLessThan(0.05);
    // The comparison is alive only while the others still get it wrong.
    expect(Math.abs(closed.p90 / truly.p90 - 1)).toBeGreaterThan(0.5);
  },
);
