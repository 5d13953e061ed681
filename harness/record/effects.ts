/** @module What became of requests that failed or were too large, as a summary says it. */

/** Requests whose effects others saw in part, or twice; definitions in checker/effects.ts. */
export interface EffectReport {
  readonly requests: number;
  readonly failedAttempts: number;
  readonly torn: EffectCount;
  readonly repeated: EffectCount;
  /** Torn ones, and those that a fractured read saw half of; absent in older records. */
  readonly inPart?: EffectCount;
}

export interface EffectCount {
  readonly requests: number;
  /** Upper bound of the rate per 10,000 requests at 95 % confidence (Clopper-Pearson). */
  readonly upperBoundPer10k: number;
}

/** One request of an unusual size. */
export interface LimitProbe {
  /** `101 writes`, `1000 writes`, `5 MB value`. */
  readonly what: string;
  /**
   * `ok`: committed, and all of it is there. `refused`: an error, and nothing is there. `partly applied`: some
   * of it is there, whatever was said. `lost`: it was said to be committed, and nothing is there.
   */
  readonly outcome: "ok" | "refused" | "partly applied" | "lost";
  /** What was said, unless it was committed. */
  readonly error?: string;
  /** Writes that are there, of those that were asked for. */
  readonly applied: number;
  readonly asked: number;
}
