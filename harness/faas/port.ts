/**
 * @module The platform seam: where functions run.
 *
 * Semantics are AWS Lambda's: one invocation at a time per instance, cold starts, a concurrency
 * limit, a time-out that ends the instance, at-least-once delivery of asynchronous events.
 *
 * Layer     port. Implementations: inline (this process), local (isolated child processes behind
 *           the Lambda Invoke REST API), lambda (AWS and whatever else answers its API).
 */

/** A function to deploy: a module that exports `handler(payload, context)`. */
export interface FunctionSpec {
  readonly name: string;
  /** Absolute path of the ES module. */
  readonly modulePath: string;
  readonly exportName: string;
  /** What the function finds in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Most instances alive at once; beyond it, 429 TooManyRequestsException. */
  readonly concurrencyLimit: number;
  readonly timeoutMs: number;
}

/** What a handler sees besides its payload; the Lambda context's useful part. */
export interface InvocationContext {
  readonly functionName: string;
  readonly awsRequestId: string;
  /** Identifies the instance; changes with every cold start. */
  readonly instanceId: string;
  readonly coldStart: boolean;
  /** `FunctionSpec.environment` of the deployment that is running; inline shares one process. */
  readonly environment: Readonly<Record<string, string>>;
  remainingTimeMs(): number;
  /**
   * Called by functions between state operations: the place where a fault plan may end the
   * instance. Returns when the function may go on; on a real platform always at once.
   */
  checkpoint(): Promise<void>;
  /**
   * Ends the instance at once, as a crash would; what it says goes to whoever hears of the death. Absent:
   * this platform's instances cannot be ended one by one.
   */
  die?(lastWords: string): Promise<never>;
}

/** What a deployed module exports. Payload and result are JSON values. */
export type FunctionHandler = (payload: unknown, context: InvocationContext) => Promise<unknown>;

export interface InvocationTimings {
  /** Monotonic instants (`Clock.monotonicUs`), comparable over processes of one machine. */
  readonly startUs: number;
  readonly endUs: number;
  readonly coldStart: boolean;
  readonly instanceId?: string;
  /** From handing the request to the network to the answer; the rest is the client's own work. */
  readonly exchangeUs?: number;
  /** What the service itself says; absent: it does not. */
  readonly initMs?: number;
  readonly billedMs?: number;
}

export type InvocationOutcome =
  | { readonly kind: "ok"; readonly result: unknown; readonly timings: InvocationTimings }
  /** The handler threw; `X-Amz-Function-Error: Unhandled`. */
  | {
      readonly kind: "functionError";
      readonly errorType: string;
      readonly message: string;
      readonly timings: InvocationTimings;
    }
  /** Ended by the time limit; the instance is gone. */
  | { readonly kind: "timeout"; readonly timings: InvocationTimings }
  /** The instance died (crash or kill) before it answered. */
  | { readonly kind: "instanceLost"; readonly message: string; readonly timings: InvocationTimings }
  /** 429: nothing was run. */
  | { readonly kind: "throttled"; readonly timings: InvocationTimings }
  /** The platform itself failed; whether the function ran is unknown. */
  | {
      readonly kind: "platformError";
      readonly message: string;
      readonly timings: InvocationTimings;
    };

export interface PlatformStats {
  readonly invocations: number;
  readonly coldStarts: number;
  readonly throttled: number;
  readonly timeouts: number;
  readonly functionErrors: number;
  readonly instancesLost: number;
  readonly instancesAlive: number;
}

/** Of a platform that may be somebody else's: where what was measured was measured. */
export interface PlatformPlace {
  /** `AWS us-east-1`, `serverless-offline 14.8.2`, an endpoint's URL, … */
  readonly name: string;
  /** Nothing else may be called measured on AWS. */
  readonly onAws: boolean;
  /** For the manifest. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface InvokeOptions {
  /** Client-side limit; the function's own limit is in its spec. */
  readonly timeoutMs?: number;
}

export interface Platform {
  /** Registered name: `inline`, `local`, … */
  readonly name: string;
  /** Processes that belong to the platform itself, for CPU accounting; none if it runs in ours. */
  readonly pids: readonly number[];
  /** Where other processes reach it; absent: functions run in the process that invokes them. */
  readonly endpoint?: string;
  /** Known after the first deployment; absent: this suite's own platform, on this machine. */
  readonly place?: PlatformPlace;
  /** Replaces earlier deployments of the same names. Rejects with a `ProjectError`. */
  deploy(functions: readonly FunctionSpec[]): Promise<void>;
  /** Never rejects: a failure is an outcome. */
  invoke(name: string, payload: unknown, options?: InvokeOptions): Promise<InvocationOutcome>;
  /**
   * Accepts it and runs it some time later; a function that fails is tried twice again with the same
   * request id. Absent: events are not tried again here. Never rejects.
   */
  invokeEvent?(name: string, payload: unknown): Promise<"accepted" | "refused">;
  /**
   * Ends up to `count` instances that are busy now, as a crash would (local: SIGKILL; inline: the
   * function stops at its next checkpoint); how many it ended.
   */
  killBusyInstances(count: number): Promise<number>;
  stats(): Promise<PlatformStats>;
  /** Ends all instances and sockets. Idempotent. */
  close(): Promise<void>;
}
