/**
 * @module Timers that are a microsecond or two late instead of up to a millisecond: a plain timer for most of the
 * time, and an event loop that keeps looking for the last stretch. One loop for all that are near.
 */
import type { Timer } from "../clock.ts";

/** A plain timer is up to a millisecond late, so the last stretch is waited for by immediates. */
const tailUs = 1_500;

interface Near {
  readonly dueUs: number;
  /** `undefined` once it was cancelled. */
  task: (() => void) | undefined;
}

export class PreciseTimers {
  readonly #nowUs: () => number;
  /** Due soon, the next one first. */
  readonly #near: Near[] = [];
  #looking = false;

  constructor(nowUs: () => number) {
    this.#nowUs = nowUs;
  }

  /** Runs `task` once, no earlier than `delayUs` from now and never before this returns. */
  schedule(delayUs: number, task: () => void): Timer {
    const near: Near = { dueUs: this.#nowUs() + delayUs, task };
    const coarseUs = delayUs - tailUs;
    const handle =
      coarseUs > 0
        ? setTimeout(
            () => {
              this.#add(near);
            },
            Math.floor(coarseUs / 1_000),
          )
        : undefined;
    if (handle === undefined) this.#add(near);
    return {
      cancel: () => {
        near.task = undefined;
        clearTimeout(handle);
      },
    };
  }

  #add(near: Near): void {
    let place = this.#near.length;
    while (place > 0 && (this.#near[place - 1]?.dueUs ?? 0) > near.dueUs) place -= 1;
    this.#near.splice(place, 0, near);
    if (this.#looking) return;
    this.#looking = true;
    setImmediate(this.#look);
  }

  readonly #look = (): void => {
    const nowUs = this.#nowUs();
    for (let next = this.#near[0]; next !== undefined; next = this.#near[0]) {
      if (next.task !== undefined && next.dueUs > nowUs) break;
      this.#near.shift();
      next.task?.();
    }
    this.#looking = this.#near.length > 0;
    if (this.#looking) setImmediate(this.#look);
  };
}
