/**
 * @module Event invocations: accepted at once, run later, retried twice with the same request id,
 * as Lambda does. At least once: a retry repeats whatever the failed attempt did.
 */
import type { Execution, InstancePool } from "./pool.ts";

export interface AsyncEvent {
  readonly payload: string;
  readonly awsRequestId: string;
}

/** Events waiting or running; more are refused. */
const maxEvents = 10_000;
const maxRetries = 2;
/** Throttled events are not attempts; they wait this long for an instance. */
const throttledPauseMs = 100;

export class AsyncInvocations {
  readonly #retryPausesMs: readonly number[];
  readonly #timers = new Set<NodeJS.Timeout>();
  #pending = 0;
  #closed = false;
  /** Events given up after all retries, newest last, bounded. */
  readonly failed: { readonly awsRequestId: string; readonly execution: Execution }[] = [];

  /** @param retryPausesMs Lambda's are one and two minutes. */
  constructor(retryPausesMs: readonly number[]) {
    this.#retryPausesMs = retryPausesMs;
  }

  /** Whether the event was accepted; then it will be run. */
  accept(pool: InstancePool, event: AsyncEvent): boolean {
    if (this.#closed || this.#pending >= maxEvents) return false;
    this.#pending += 1;
    this.#attempt(pool, event, 0);
    return true;
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #attempt(pool: InstancePool, event: AsyncEvent, retries: number): void {
    void pool.execute(event.payload, event.awsRequestId).then(({ execution }) => {
      if (this.#closed) return;
      if (execution.kind === "throttled") {
        this.#later(throttledPauseMs, () => {
          this.#attempt(pool, event, retries);
        });
      } else if (execution.kind === "result") {
        this.#pending -= 1;
      } else if (retries < maxRetries) {
        this.#later(this.#retryPausesMs[retries] ?? 0, () => {
          this.#attempt(pool, event, retries + 1);
        });
      } else {
        this.#pending -= 1;
        this.failed.push({ awsRequestId: event.awsRequestId, execution });
        if (this.failed.length > maxEvents) this.failed.shift();
      }
    });
  }

  #later(pauseMs: number, task: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      task();
    }, pauseMs);
    this.#timers.add(timer);
  }
}
