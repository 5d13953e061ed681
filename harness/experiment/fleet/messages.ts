/** @module What the suite and its further generator processes tell each other, over Node's IPC. */
import type { FunctionSpec } from "#harness/faas/port.ts";
import type { LoadPlan, LoadShare } from "#harness/loadgen/load.ts";
import type { GeneratorWatch } from "#harness/record/measurements.ts";
import type { WorkloadChoice } from "../define.ts";
import type { OpenCounts } from "../generators.ts";

/** Everything a member needs to make its share of one cell's load. */
export interface MemberConfig {
  readonly load: LoadPlan;
  readonly share: LoadShare;
  readonly seed: number;
  readonly workload: WorkloadChoice;
  readonly functionName: string;
  /** Of request ids (`AttemptContext.scope`). */
  readonly scope: string;
  readonly platform: {
    readonly name: string;
    readonly invocation: "lambda" | "none";
    /** Of a platform that is a process of its own; absent: functions run in the member. */
    readonly endpoint?: string;
    readonly functions: readonly FunctionSpec[];
  };
  /** Where its record goes. */
  readonly directory: string;
}

export type MemberCommand =
  | { readonly kind: "open"; readonly config: MemberConfig }
  | { readonly kind: "warm-up" }
  | { readonly kind: "block"; readonly block: number; readonly originUs: number }
  /** Write the record; the process ends with its channel. */
  | { readonly kind: "finish" }
  /** No further requests; answered by the end of whatever is under way. */
  | { readonly kind: "stop" };

export type MemberMessage =
  | { readonly kind: "done" }
  | ({ readonly kind: "block-done" } & MemberBlock)
  | { readonly kind: "failed"; readonly message: string }
  /** Due and end of requests since the last one; for progress only. */
  | { readonly kind: "progress"; readonly ended: readonly (readonly [number, number])[] };

export interface MemberBlock {
  readonly startUs: number;
  readonly endUs: number;
  readonly watch: GeneratorWatch;
  /** An interval log with one histogram. */
  readonly lateness: string;
  readonly cores: number;
  readonly open?: OpenCounts;
  readonly platform: { readonly coldStarts: number; readonly invocations: number };
}
