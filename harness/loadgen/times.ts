/** @module Adds up where the time of an attempt's functions went. */
import type { InvocationTimings } from "#harness/faas/port.ts";
import type { AttemptTimes } from "#harness/record/attempts.ts";
import type { FunctionResult } from "#workloads/functions/handler.ts";

export class TimesOfFunctions {
  readonly #startUs: number;
  #endUs: number;
  /** Null as soon as one of the functions does not tell. */
  #exchangeUs: number | null = 0;
  #billedMs: number | null = 0;
  /** Of cold starts only, so one that tells is enough. */
  #initMs: number | null = null;
  #functionUs = 0;
  #stateUs = 0;

  constructor(startUs: number) {
    this.#startUs = startUs;
    this.#endUs = startUs;
  }

  add(timings: InvocationTimings, result: Pick<FunctionResult, "functionUs" | "stateUs">): void {
    const { exchangeUs, billedMs, initMs, endUs } = timings;
    this.#endUs = endUs;
    this.#exchangeUs = sumOf(this.#exchangeUs, exchangeUs);
    this.#billedMs = sumOf(this.#billedMs, billedMs);
    if (initMs !== undefined) this.#initMs = (this.#initMs ?? 0) + initMs;
    this.#functionUs += result.functionUs ?? 0;
    this.#stateUs += result.stateUs ?? 0;
  }

  sum(): AttemptTimes {
    const exchangeUs = this.#exchangeUs;
    return {
      clientUs: exchangeUs === null ? null : this.#endUs - this.#startUs - exchangeUs,
      platformUs: exchangeUs === null ? null : exchangeUs - this.#functionUs,
      functionUs: this.#functionUs - this.#stateUs,
      stateUs: this.#stateUs,
      initMs: this.#initMs,
      billedMs: this.#billedMs,
    };
  }
}

function sumOf(sum: number | null, part: number | undefined): number | null {
  return sum === null || part === undefined ? null : sum + part;
}
