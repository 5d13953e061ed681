/**
 * @module Closed-loop load: N clients, each sends its next request when the last one has ended.
 *
 * The paper's method. Its times are service times of a load that slows down with the system
 * (coordinated omission by design), so every figure made with it says "closed loop".
 */
import { delay } from "#kit/clock.ts";
import type { RecordedTransaction } from "#harness/record/history.ts";
import type { Workload } from "#workloads/port.ts";
import { type AttemptContext, type AttemptResult, runAttempt } from "./attempt.ts";
import type { AttemptRecord } from "#harness/record/attempts.ts";

/** What happens to the record; both are called in the order of completion. */
export interface LoadSinks {
  onAttempt(record: AttemptRecord): void;
  onTransaction(transaction: RecordedTransaction): void;
}

export interface ClosedLoopOptions extends AttemptContext {
  readonly workload: Workload;
  readonly clients: number;
  /** The clients' requests `firstIndex` … `firstIndex + requestsPerClient - 1` are sent. */
  readonly firstIndex: number;
  readonly requestsPerClient: number;
  /** Prefix of request ids, so that warm-up, blocks and fills never share one. */
  readonly label?: string;
  readonly block: number;
  readonly thinkTimeUs?: number;
  readonly sinks: LoadSinks;
  readonly signal: AbortSignal;
}

/** After so many attempts a request has failed. */
export const maxAttempts = 50;
/** Pause before the second attempt; doubles with each, up to the longest. */
const firstBackoffUs = 1_000;
const longestBackoffUs = 100_000;

/**
 * Runs until every client has sent its requests, or `signal` stops it after those under way.
 *
 * @returns Monotonic instants of the first start and the last end. Never rejects.
 */
export async function runClosedLoop(
  options: ClosedLoopOptions,
): Promise<{ readonly startUs: number; readonly endUs: number }> {
  const startUs = options.clock.monotonicUs();
  const clients = Array.from({ length: options.clients }, (_unused, client) =>
    runClient(options, client),
  );
  await Promise.all(clients);
  return { startUs, endUs: options.clock.monotonicUs() };
}

async function runClient(options: ClosedLoopOptions, client: number): Promise<void> {
  const { firstIndex, requestsPerClient, signal, thinkTimeUs = 0, clock } = options;
  for (let index = firstIndex; index < firstIndex + requestsPerClient; index += 1) {
    if (signal.aborted) return;
    await runRequest(options, client, index);
    if (thinkTimeUs > 0) await delay(clock, thinkTimeUs);
  }
}

async function runRequest(
  options: ClosedLoopOptions,
  client: number,
  index: number,
): Promise<void> {
  const { workload, clock, sinks, block, label = "" } = options;
  const planned = workload.request(client, index);
  const request = { ...planned, requestId: label + planned.requestId };
  const dueUs = clock.monotonicUs();
  for (let attempt = 0; ; attempt += 1) {
    const startUs = attempt === 0 ? dueUs : clock.monotonicUs();
    const result = await runAttempt(options, request, { client, attempt });
    const endUs = clock.monotonicUs();
    const final = isFinal(result, attempt, options.signal);
    const { reason } = result;
    sinks.onTransaction(result.transaction);
    sinks.onAttempt({
      requestId: request.requestId,
      client,
      attempt,
      index,
      block,
      dueUs,
      startUs,
      endUs,
      outcome: final && result.outcome === "aborted" ? "failed" : result.outcome,
      ...(reason !== undefined && { reason }),
      final,
      coldStarts: result.coldStarts,
    });
    if (final) return;
    await delay(clock, Math.min(firstBackoffUs * 2 ** attempt, longestBackoffUs));
  }
}

/**
 * An unknown outcome is tried again as a FaaS platform would: at least once. Whether that repeats
 * effects is what the system under test is judged by.
 */
function isFinal(result: AttemptResult, attempt: number, signal: AbortSignal): boolean {
  return (
    result.outcome === "committed" ||
    result.hopeless ||
    attempt + 1 >= maxAttempts ||
    signal.aborted
  );
}
