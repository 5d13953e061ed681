/**
 * @module The suite's own executors and recorder against a plain HTTP server: what calibration and the
 * generator's ceiling measure.
 *
 * Executors, timers and record are those of every run; only what is sent differs.
 */
import type { Clock } from "#kit/clock.ts";
import { HttpClient } from "#harness/faas/http/client.ts";
import { runClosedLoop } from "#harness/loadgen/closed-loop.ts";
import { type OpenLoopResult, runOpenLoop } from "#harness/loadgen/open-loop.ts";
import type { Pending } from "#harness/loadgen/request.ts";
import { LatencyHistogram } from "#harness/metrics/histogram.ts";
import type { AttemptRecord } from "#harness/record/attempts.ts";

/** Everything a run keeps of a request without a transaction: its record and both histograms. */
export class HttpRecorder {
  readonly attempts: AttemptRecord[] = [];
  readonly responseTime = new LatencyHistogram();
  readonly serviceTime = new LatencyHistogram();

  record(attempt: AttemptRecord): void {
    this.attempts.push(attempt);
    this.responseTime.record(attempt.endUs - attempt.dueUs);
    if (attempt.outcome === "committed") this.serviceTime.record(attempt.endUs - attempt.startUs);
  }
}

export interface HttpLoadOptions {
  readonly port: number;
  readonly clock: Clock;
  readonly recorder: HttpRecorder;
  readonly signal: AbortSignal;
}

/** No body, so no length either: what the other generators send. */
const request = `${HttpClient.head("GET", "/")}\r\n`;

/** N connections, each with its next request when the last has ended. */
export async function offerClosed(
  options: HttpLoadOptions & { readonly connections: number; readonly seconds: number },
): Promise<{ readonly startUs: number; readonly endUs: number }> {
  const { port, clock, recorder, signal, connections, seconds } = options;
  const client = new HttpClient({ port, maxConnections: connections });
  try {
    return await runClosedLoop({
      clock,
      signal,
      clients: connections,
      firstIndex: 0,
      requestsPerClient: Infinity,
      durationUs: seconds * 1_000_000,
      thinkTimeUs: 0,
      send: (number, index, dueUs) =>
        new HttpRequestRun({ client, clock, recorder, number, index, dueUs }).done,
    });
  } finally {
    client.close();
  }
}

/** A schedule of due times, microseconds from the start. */
export async function offerOpen(
  options: HttpLoadOptions & {
    readonly offsetsUs: Float64Array;
    readonly connections: number;
    readonly timeoutUs: number;
    readonly onLateness?: (latenessUs: number) => void;
  },
): Promise<OpenLoopResult & { readonly originUs: number }> {
  const { port, clock, recorder, signal, offsetsUs, connections, timeoutUs, onLateness } = options;
  const client = new HttpClient({ port, maxConnections: connections });
  const originUs = clock.monotonicUs() + leadUs;
  try {
    const result = await runOpenLoop({
      clock,
      signal,
      dueUs: offsetsUs.map((at) => originUs + at),
      slots: connections,
      slotWaitUs: timeoutUs,
      timeoutUs,
      drainUs: timeoutUs,
      onLateness: onLateness ?? (() => {}),
      send: (number, dueUs) =>
        new HttpRequestRun({ client, clock, recorder, number, index: 0, dueUs }),
      drop: (number, dueUs) => {
        const endUs = dueUs + timeoutUs;
        recorder.record({ ...fixed, ...naming(number, 0), dueUs, startUs: endUs, endUs, ...lost });
      },
    });
    return { ...result, originUs };
  } finally {
    client.close();
  }
}

const leadUs = 5_000;
const fixed = { attempt: 0, block: 0, final: true, coldStarts: 0 } as const;
const lost = { outcome: "failed", reason: "dropped", censored: true } as const;

function naming(client: number, index: number) {
  return { requestId: `c${client}-${index}`, client, index };
}

interface Sending {
  readonly client: HttpClient;
  readonly clock: Clock;
  readonly recorder: HttpRecorder;
  readonly number: number;
  readonly index: number;
  readonly dueUs: number;
}

class HttpRequestRun implements Pending {
  readonly done: Promise<void>;
  readonly #load: Sending;
  readonly #startUs: number;
  #ended = false;

  constructor(load: Sending) {
    this.#load = load;
    this.#startUs = load.clock.monotonicUs();
    this.done = load.client.sendRaw(request).then(
      (answer) => {
        this.#end(answer.status === 200 ? "committed" : "failed", load.clock.monotonicUs());
      },
      () => {
        this.#end("failed", load.clock.monotonicUs());
      },
    );
  }

  expire(endUs: number, reason: string): void {
    this.#end("unknown", endUs, { reason, censored: true });
  }

  abandon(): void {
    // Nothing is kept of what comes later.
  }

  #end(
    outcome: AttemptRecord["outcome"],
    endUs: number,
    how: { readonly reason?: string; readonly censored?: true } = {},
  ): void {
    if (this.#ended) return;
    this.#ended = true;
    const { recorder, number, index, dueUs } = this.#load;
    const times = { dueUs, startUs: this.#startUs, endUs };
    recorder.record({ ...fixed, ...naming(number, index), ...times, outcome, ...how });
  }
}
