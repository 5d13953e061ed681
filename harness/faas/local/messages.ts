/**
 * @module What the processes of the local platform say to each other.
 *
 *   bench process ⇄ front end: control over IPC; invocations over HTTP, as everybody else's
 *   front end ⇄ instance: one invocation at a time over IPC, payload and result as JSON text
 */
import type { FunctionSpec, PlatformStats } from "../port.ts";

export type ControlRequest =
  | { readonly id: number; readonly kind: "deploy"; readonly functions: readonly FunctionSpec[] }
  | { readonly id: number; readonly kind: "kill"; readonly count: number }
  | { readonly id: number; readonly kind: "stats" };

export type ControlReply =
  | { readonly id: number; readonly killed: number }
  | { readonly id: number; readonly stats: PlatformStats }
  | { readonly id: number; readonly done: true };

export interface InvokeMessage {
  readonly awsRequestId: string;
  readonly payload: string;
  readonly timeoutMs: number;
  readonly coldStart: boolean;
}

export type InstanceMessage =
  /** The module is loaded; the instance takes invocations. */
  | { readonly kind: "ready" }
  /** The module could not be loaded. */
  | { readonly kind: "unusable"; readonly errorType: string; readonly message: string }
  | { readonly kind: "result"; readonly body: string }
  /** It is to be killed, in the middle of its invocation. */
  | { readonly kind: "dying"; readonly lastWords: string }
  | {
      readonly kind: "error";
      readonly errorType: string;
      readonly message: string;
      readonly trace: readonly string[];
    };

/** Handed to an instance in its environment. */
export interface InstanceConfig {
  readonly functionName: string;
  readonly modulePath: string;
  readonly exportName: string;
  readonly instanceId: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Environment variable that holds an `InstanceConfig`. */
export const instanceConfigVariable = "AFT_BENCH_INSTANCE";

/** Headers beside the service's own, for timings. */
export const coldStartHeader = "x-aft-bench-cold-start";
export const instanceHeader = "x-aft-bench-instance";
