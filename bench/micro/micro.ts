/** @module What a micro-benchmark is: figures with intervals, from interleaved blocks. */
import { type GateOutcome, worstOutcome } from "#harness/gate/outcome.ts";
import type { NotRun } from "#harness/record/run.ts";

export interface MicroFigure {
  readonly id: string;
  readonly value: number;
  readonly unit: string;
  /** 95 % interval of `value`; equal to it for what is only reported for orientation. */
  readonly low: number;
  readonly high: number;
  /** Bars: the value must not be below, or above. */
  readonly least?: number;
  readonly most?: number;
}

export interface MicroResult {
  readonly name: string;
  readonly figures: readonly MicroFigure[];
  readonly conditions: Readonly<Record<string, unknown>>;
  readonly notRun: readonly NotRun[];
}

export interface MicroOptions {
  readonly seed: number;
  readonly smoke: boolean;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
}

export interface Micro {
  readonly id: string;
  readonly title: string;
  readonly run: (options: MicroOptions) => Promise<MicroResult>;
}

/**
 * Whether every figure keeps its bars: fails where a whole interval is beyond one, passes where the
 * median is not, and cannot tell in between.
 */
export function judgeBars(figures: readonly MicroFigure[]): GateOutcome {
  const outcomes = figures.flatMap(({ value, low, high, least, most }): GateOutcome[] => [
    ...(least === undefined ? [] : [outcomeOf(value >= least, high < least)]),
    ...(most === undefined ? [] : [outcomeOf(value <= most, low > most)]),
  ]);
  return outcomes.length === 0 ? "pass" : worstOutcome(outcomes);
}

function outcomeOf(keeps: boolean, isBeyond: boolean): GateOutcome {
  return keeps ? "pass" : isBeyond ? "fail" : "inconclusive";
}
