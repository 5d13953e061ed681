/**
 * @module Looks for the next request a moment longer before the process goes to sleep.
 *
 * To wake a sleeping process takes tens of microseconds, on a virtual machine's idle core more: as
 * long as it takes to answer a read. While requests follow each other more closely than that, the
 * event loop keeps looking instead. It stops by itself where requests are rare, so a replica with
 * little to do uses no more of its core than before.
 */
import type { Clock } from "#kit/clock.ts";
import { pauseBriefly } from "#kit/node/pause.ts";

/** Weight of the newest gap in the mean. */
const newestWeight = 1 / 16;

export class BusyPoll {
  readonly #clock: Clock;
  readonly #limitUs: number;
  #lastUs: number;
  #meanGapUs: number;
  #looking = false;

  /** @param limitUs  Longest time without a request; also how close they must come. 0: never looks. */
  constructor(clock: Clock, limitUs: number) {
    this.#clock = clock;
    this.#limitUs = limitUs;
    this.#lastUs = -Infinity;
    this.#meanGapUs = Infinity;
  }

  /** Requests have arrived. */
  noteRequest(): void {
    if (this.#limitUs === 0) return;
    const nowUs = this.#clock.monotonicUs();
    // A long pause counts as one gap beyond the limit, or it would be remembered for too long.
    const gapUs = Math.min(nowUs - this.#lastUs, 4 * this.#limitUs);
    this.#meanGapUs = Math.min(this.#meanGapUs, 4 * this.#limitUs);
    this.#meanGapUs += newestWeight * (gapUs - this.#meanGapUs);
    this.#lastUs = nowUs;
    if (this.#looking || this.#meanGapUs > this.#limitUs) return;
    this.#looking = true;
    this.#look();
  }

  #look(): void {
    const lastUs = this.#lastUs;
    this.#clock.defer(() => {
      if (this.#clock.monotonicUs() - this.#lastUs >= this.#limitUs) {
        this.#looking = false;
        return;
      }
      // Nothing came. Where something did there is more to do than to wait.
      if (this.#lastUs === lastUs) pauseBriefly();
      this.#look();
    });
  }
}
