import type { Clock } from "#kit/clock.ts";

/**
 * Commit timestamps of one replica: later than every one given or learnt before, whatever the wall
 * clock does (ARCHITECTURE, Deviation 5). Whole microseconds since the epoch.
 */
export class Timestamps {
  readonly #clock: Clock;
  #lastUs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  next(): number {
    this.#lastUs = Math.max(this.#lastUs + 1, Math.trunc(this.#clock.nowMs()) * 1_000);
    return this.#lastUs;
  }

  learn(timestampUs: number): void {
    this.#lastUs = Math.max(this.#lastUs, timestampUs);
  }
}
