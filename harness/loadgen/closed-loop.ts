/**
 * @module Closed-loop load: N clients, each sends its next request when the last one has ended.
 *
 * The paper's method. Its times are service times of a load that slows down with the system
 * (coordinated omission by design), so every figure made with it says "closed loop".
 */
import { delay } from "#kit/clock.ts";
import type { Clock } from "#kit/clock.ts";

export interface ClosedLoopOptions {
  readonly clock: Clock;
  readonly clients: number;
  /** The clients' requests `firstIndex` … `firstIndex + requestsPerClient - 1` are sent. */
  readonly firstIndex: number;
  readonly requestsPerClient: number;
  /** No request is begun after so long, however few were sent. */
  readonly durationUs?: number;
  /** Pause of a client between an answer and its next request. */
  readonly thinkTimeUs: number;
  /** Sends one request and waits for its end; never rejects. `dueUs` is now. */
  readonly send: (client: number, index: number, dueUs: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Runs until every client has sent its requests, the time is over, or `signal` stops it; those under
 * way are waited for.
 *
 * @returns Monotonic instants of the first start and the last end. Never rejects.
 */
export async function runClosedLoop(
  options: ClosedLoopOptions,
): Promise<{ readonly startUs: number; readonly endUs: number }> {
  const { clock, durationUs = Infinity } = options;
  const startUs = clock.monotonicUs();
  const stopUs = startUs + durationUs;
  const clients = Array.from({ length: options.clients }, (_unused, client) =>
    runClient(options, client, stopUs),
  );
  await Promise.all(clients);
  return { startUs, endUs: clock.monotonicUs() };
}

async function runClient(
  options: ClosedLoopOptions,
  client: number,
  stopUs: number,
): Promise<void> {
  const { firstIndex, requestsPerClient, signal, thinkTimeUs, clock, send } = options;
  for (let index = firstIndex; index < firstIndex + requestsPerClient; index += 1) {
    const nowUs = clock.monotonicUs();
    if (signal.aborted || nowUs >= stopUs) return;
    await send(client, index, nowUs);
    if (thinkTimeUs > 0) await delay(clock, thinkTimeUs);
  }
}
