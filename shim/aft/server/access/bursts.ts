/**
 * @module Says once what happens many times: the first of a burst is told at once, the rest is counted.
 * Pure: time is an argument.
 *
 * A burst ends when nothing happened for `quietMs`; what was counted is told with the next one. A
 * burst without end is told again every `repeatMs`. At most `maxBursts` are remembered.
 */

export interface BurstLimits {
  readonly quietMs: number;
  readonly repeatMs: number;
  readonly maxBursts: number;
}

export const defaultBurstLimits: BurstLimits = {
  quietMs: 10_000,
  repeatMs: 300_000,
  maxBursts: 1_000,
};

interface Burst {
  lastMs: number;
  toldMs: number;
  untold: number;
}

export class Bursts {
  readonly #limits: BurstLimits;
  readonly #bursts = new Map<string, Burst>();

  constructor(limits: BurstLimits = defaultBurstLimits) {
    this.#limits = limits;
  }

  /** `undefined`: keep silent. Otherwise tell it, and how many were kept silent since the last time. */
  note(what: string, nowMs: number): { readonly untold: number } | undefined {
    const { quietMs, repeatMs, maxBursts } = this.#limits;
    const burst = this.#bursts.get(what);
    if (burst === undefined) {
      this.#bursts.set(what, { lastMs: nowMs, toldMs: nowMs, untold: 0 });
      const [oldest] = this.#bursts.keys();
      if (this.#bursts.size > maxBursts && oldest !== undefined) this.#bursts.delete(oldest);
      return { untold: 0 };
    }
    const isOver = nowMs - burst.lastMs > quietMs || nowMs - burst.toldMs > repeatMs;
    burst.lastMs = nowMs;
    if (!isOver) {
      burst.untold += 1;
      return undefined;
    }
    const { untold } = burst;
    burst.toldMs = nowMs;
    burst.untold = 0;
    return { untold };
  }
}
