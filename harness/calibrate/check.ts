/** @module What a calibration check is, and the generator it judges. */
import type { Clock } from "#kit/clock.ts";
import { HttpRecorder, offerOpen } from "./http-load.ts";

/** The suite's own generator; tests put broken ones in its place. */
export interface GeneratorUnderTest {
  readonly clock: Clock;
  readonly createRecorder: () => HttpRecorder;
  readonly offer: typeof offerOpen;
}

export interface CheckResult {
  readonly id: string;
  readonly title: string;
  readonly passed: boolean;
  /** What was expected and missed, as sentences; empty when passed. */
  readonly failures: readonly string[];
  /** Everything that was measured, by name with unit. */
  readonly figures: Readonly<Record<string, number>>;
}

export interface CalibrationCheck {
  readonly id: string;
  readonly title: string;
  readonly run: (context: {
    readonly generator: GeneratorUnderTest;
    readonly signal: AbortSignal;
  }) => Promise<Pick<CheckResult, "failures" | "figures">>;
}

export function ownGenerator(clock: Clock): GeneratorUnderTest {
  return { clock, createRecorder: () => new HttpRecorder(), offer: offerOpen };
}

/** Collects what was missed. */
export class Expectations {
  readonly failures: string[] = [];

  /** `what`: what is expected to hold, with the value. */
  expect(holds: boolean, what: string): void {
    if (!holds) this.failures.push(what);
  }

  within(name: string, value: number, low: number, high: number): void {
    const holds = value >= low && value <= high;
    this.expect(holds, `${name} is ${show(value)}, expected ${show(low)} … ${show(high)}`);
  }
}

function show(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}
