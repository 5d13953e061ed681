/**
 * @module Functions in this process: no isolation, no network, next to no overhead.
 *
 * For micro-benchmarks, and for stores that live in one process. Kills take effect at checkpoints,
 * because a promise cannot be killed; a timed-out function goes on unseen until its next one.
 */
import { pathToFileURL } from "node:url";
import type { Clock, Timer } from "#kit/clock.ts";
import { delay } from "#kit/clock.ts";
import { ConfigError, describeError, ProjectError } from "#kit/errors.ts";
import type {
  FunctionHandler,
  FunctionSpec,
  InvocationContext,
  InvocationOutcome,
  InvocationTimings,
  InvokeOptions,
  Platform,
  PlatformStats,
} from "../port.ts";

export interface InvocationLatency {
  /** Whole extra time of one invocation; half is spent before the handler, half after. */
  readonly sampleUs: () => number;
  readonly description: Readonly<Record<string, unknown>>;
}

export interface InlineOptions {
  readonly clock: Clock;
  readonly invocationLatency?: InvocationLatency;
  /** Absent: modules are imported from their files, which a bundle does not have. */
  readonly load?: (spec: FunctionSpec) => Promise<FunctionModule>;
}

/** What a deployed module exports. */
export type FunctionModule = Readonly<Record<string, unknown>>;

/** Thrown by `checkpoint` in a function that was killed or has timed out. */
class InstanceEndedError extends ProjectError {
  readonly code = "instance_ended";
  readonly disposition = "retry";
}

interface Deployment {
  readonly spec: FunctionSpec;
  readonly handler: FunctionHandler;
  running: number;
  invoked: boolean;
}

interface Invocation {
  ended: "killed" | "timeout" | undefined;
}

async function importModule({ modulePath }: FunctionSpec): Promise<FunctionModule> {
  return (await import(pathToFileURL(modulePath).href)) as FunctionModule;
}

export function createInlinePlatform(options: InlineOptions): Platform {
  return new InlinePlatform(options);
}

class InlinePlatform implements Platform {
  readonly name = "inline";
  readonly pids: readonly number[] = [];
  readonly #clock: Clock;
  readonly #latency: InvocationLatency | undefined;
  readonly #deployments = new Map<string, Deployment>();
  readonly #running = new Set<Invocation>();
  readonly #load: (spec: FunctionSpec) => Promise<FunctionModule>;
  readonly #modules = new Set<FunctionModule>();
  #nextId = 0;
  #stats = {
    invocations: 0,
    coldStarts: 0,
    throttled: 0,
    timeouts: 0,
    functionErrors: 0,
    instancesLost: 0,
  };

  constructor({ clock, invocationLatency, load = importModule }: InlineOptions) {
    this.#clock = clock;
    this.#load = load;
    this.#latency = invocationLatency;
  }

  async deploy(functions: readonly FunctionSpec[]): Promise<void> {
    for (const spec of functions) {
      const loaded = await this.#load(spec);
      const handler = loaded[spec.exportName];
      if (typeof handler !== "function") {
        const what = `${spec.modulePath} exports no function "${spec.exportName}"`;
        throw new ConfigError([{ where: spec.name, what }]);
      }
      this.#modules.add(loaded);
      this.#deployments.set(spec.name, {
        spec,
        handler: handler as FunctionHandler,
        running: 0,
        invoked: false,
      });
    }
  }

  async invoke(
    name: string,
    payload: unknown,
    options: InvokeOptions = {},
  ): Promise<InvocationOutcome> {
    const startUs = this.#clock.monotonicUs();
    const deployment = this.#deployments.get(name);
    const timings = (): InvocationTimings => ({
      startUs,
      endUs: this.#clock.monotonicUs(),
      coldStart,
    });
    const coldStart = deployment?.invoked === false;
    if (deployment === undefined)
      return { kind: "platformError", message: `no function "${name}"`, timings: timings() };
    if (deployment.running >= deployment.spec.concurrencyLimit) {
      this.#stats.throttled += 1;
      return { kind: "throttled", timings: timings() };
    }
    deployment.invoked = true;
    deployment.running += 1;
    this.#stats.invocations += 1;
    if (coldStart) this.#stats.coldStarts += 1;
    const invocation: Invocation = { ended: undefined };
    this.#running.add(invocation);
    const extraUs = this.#latency?.sampleUs() ?? 0;
    try {
      if (extraUs > 0) await delay(this.#clock, extraUs / 2);
      const result = await this.#runBounded({
        deployment,
        payload,
        options,
        invocation,
        coldStart,
      });
      if (extraUs > 0) await delay(this.#clock, extraUs / 2);
      if (invocation.ended === "timeout") {
        this.#stats.timeouts += 1;
        return { kind: "timeout", timings: timings() };
      }
      return { kind: "ok", result, timings: timings() };
    } catch (error) {
      if (error instanceof InstanceEndedError) {
        this.#stats.instancesLost += 1;
        return { kind: "instanceLost", message: error.message, timings: timings() };
      }
      this.#stats.functionErrors += 1;
      const errorType = error instanceof Error ? error.name : "Error";
      const message = describeError(error);
      return { kind: "functionError", errorType, message, timings: timings() };
    } finally {
      deployment.running -= 1;
      this.#running.delete(invocation);
    }
  }

  killBusyInstances(count: number): Promise<number> {
    let killed = 0;
    for (const invocation of this.#running) {
      if (killed === count) break;
      if (invocation.ended !== undefined) continue;
      invocation.ended = "killed";
      killed += 1;
    }
    return Promise.resolve(killed);
  }

  stats(): Promise<PlatformStats> {
    return Promise.resolve({ ...this.#stats, instancesAlive: this.#running.size });
  }

  /** Gives the modules a chance to close what their instances opened. */
  async close(): Promise<void> {
    this.#deployments.clear();
    for (const loaded of this.#modules) {
      const { closeSystems } = loaded as { closeSystems?: () => Promise<void> };
      await closeSystems?.();
    }
    this.#modules.clear();
  }

  /** The handler's result, or nothing once its time is over; then `invocation.ended` says so. */
  #runBounded(run: {
    readonly deployment: Deployment;
    readonly payload: unknown;
    readonly options: InvokeOptions;
    readonly invocation: Invocation;
    readonly coldStart: boolean;
  }): Promise<unknown> {
    const { deployment, payload, options, invocation, coldStart } = run;
    const { spec, handler } = deployment;
    const limitMs = Math.min(spec.timeoutMs, options.timeoutMs ?? Infinity);
    const endsAtUs = this.#clock.monotonicUs() + limitMs * 1_000;
    this.#nextId += 1;
    const context: InvocationContext = {
      functionName: spec.name,
      awsRequestId: `inline-${this.#nextId}`,
      instanceId: "inline",
      coldStart,
      environment: spec.environment,
      remainingTimeMs: () => Math.max(0, (endsAtUs - this.#clock.monotonicUs()) / 1_000),
      checkpoint: () =>
        invocation.ended === undefined
          ? Promise.resolve()
          : Promise.reject(new InstanceEndedError(`the function was ended (${invocation.ended})`)),
    };
    return new Promise((resolve, reject) => {
      const timer: Timer = this.#clock.schedule(limitMs * 1_000, () => {
        invocation.ended = "timeout";
        resolve(undefined);
      });
      Promise.resolve(handler(payload, context)).then(
        (result) => {
          timer.cancel();
          resolve(result);
        },
        (error: unknown) => {
          timer.cancel();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }
}
