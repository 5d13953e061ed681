/** @module What a running suite tells whoever shows progress. */
import type { NotRun } from "#harness/record/run.ts";

export type SuiteEvent =
  | { readonly kind: "plan"; readonly cells: number; readonly estimateSeconds: number }
  | {
      readonly kind: "cell-progress";
      readonly index: number;
      readonly cells: number;
      readonly label: string;
      /** Of the measured load: requests, or seconds where a time ends it. */
      readonly done: number;
      readonly total: number;
      readonly unit: "requests" | "s";
      /** Of the last seconds. */
      readonly throughputPerSecond: number;
      readonly p99Us: number | null;
      readonly secondsLeft: number;
    }
  | {
      readonly kind: "cell-done";
      readonly index: number;
      readonly cells: number;
      readonly label: string;
      /** One short phrase with the result or the reason there is none. */
      readonly outcome: string;
      readonly secondsLeft: number;
    }
  | { readonly kind: "not-run"; readonly notRun: NotRun }
  | { readonly kind: "note"; readonly text: string };
