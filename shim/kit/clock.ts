/**
 * @module The port through which all time comes, so that a simulator can supply it.
 *
 * Real adapter: `shim/kit/node/system-clock.ts`.
 */

/** A pending timer. */
export interface Timer {
  /** Stops the timer; idempotent, harmless after it fired. */
  cancel(): void;
}

export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch; may jump either way. */
  nowMs(): number;
  /**
   * Monotonic microseconds from an arbitrary origin; never goes back. On one machine all
   * processes share the origin, so that instants recorded by different processes compare.
   */
  monotonicUs(): number;
  /** Runs `task` once, no earlier than `delayUs` from now. `task` must not throw. */
  schedule(delayUs: number, task: () => void): Timer;
  /** Runs `task` after the work that is ready now (Node: `setImmediate`). `task` must not throw. */
  defer(task: () => void): void;
}

/** Resolves after `delayUs`. */
export function delay(clock: Clock, delayUs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.schedule(delayUs, resolve);
  });
}
