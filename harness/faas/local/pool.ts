/**
 * @module The instances of one deployed function: started on demand, reused most recent first, one
 * invocation at a time, ended by time-out, crash, kill or idleness.
 */
import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { FunctionSpec } from "../port.ts";
import {
  type InstanceConfig,
  type InstanceMessage,
  type InvokeMessage,
  instanceConfigVariable,
} from "./messages.ts";

const instancePath = fileURLToPath(import.meta.resolve("#harness/faas/local/instance.ts"));

/** Idle instances are ended after this time. */
const idleMs = 120_000;
/**
 * Instances of one function that start at the same time: a start keeps a core busy for a good part of a
 * second, so a burst that started one instance a request would leave no core for the requests. What
 * waits takes whichever instance is free first.
 */
const startsAtOnce = Math.max(2, availableParallelism());

/** How an invocation ended inside the platform. */
export type Execution =
  | { readonly kind: "result"; readonly body: string }
  | {
      readonly kind: "error";
      readonly errorType: string;
      readonly message: string;
      readonly trace: readonly string[];
    }
  | { readonly kind: "timeout" }
  | { readonly kind: "exited"; readonly how: string }
  | { readonly kind: "throttled" };

export interface Executed {
  readonly execution: Execution;
  readonly coldStart: boolean;
  readonly instanceId: string;
  readonly initMs: number;
}

interface Instance {
  readonly id: string;
  readonly child: ChildProcess;
  readonly ready: Promise<Execution | undefined>;
  invocations: number;
  settle: ((execution: Execution) => void) | undefined;
  /** What it said of its death, if it asked for it. */
  lastWords: string | undefined;
  idleTimer: NodeJS.Timeout | undefined;
}

export interface PoolCounters {
  invocations: number;
  coldStarts: number;
  throttled: number;
  timeouts: number;
  functionErrors: number;
  instancesLost: number;
}

export class InstancePool {
  readonly #spec: FunctionSpec;
  readonly #counters: PoolCounters;
  readonly #idle: Instance[] = [];
  readonly #alive = new Set<Instance>();
  #started = 0;
  #starting = 0;
  /** Invocations without an instance, first come first served; called when one may be had. */
  readonly #waiting: (() => void)[] = [];
  /** Those, and who was called but has not come yet: they count against the concurrency limit. */
  #withoutInstance = 0;
  #closed = false;

  constructor(spec: FunctionSpec, counters: PoolCounters) {
    this.#spec = spec;
    this.#counters = counters;
  }

  get alive(): number {
    return this.#alive.size;
  }

  /** Never rejects. */
  async execute(payload: string, awsRequestId: string): Promise<Executed> {
    const begun = performance.now();
    const busy = this.#alive.size - this.#idle.length + this.#withoutInstance;
    if (this.#closed || busy >= this.#spec.concurrencyLimit) return this.#throttle();
    const instance = await this.#acquire();
    if (instance === undefined) return this.#throttle();
    const coldStart = instance.invocations === 0;
    instance.invocations += 1;
    clearTimeout(instance.idleTimer);
    this.#counters.invocations += 1;
    // Marked busy before it is ready, so that a kill or an exit during the start is noticed.
    const settled = new Promise<Execution>((resolve) => {
      instance.settle = resolve;
    });
    const unusable = await Promise.race([instance.ready, settled]);
    if (coldStart) this.#endStart();
    const initMs = coldStart ? performance.now() - begun : 0;
    const execution =
      unusable ?? (await this.#run(instance, settled, { payload, awsRequestId, coldStart }));
    instance.settle = undefined;
    this.#count(execution);
    if (execution.kind === "result" || execution.kind === "error") this.#release(instance);
    else this.#end(instance);
    return { execution, coldStart, instanceId: instance.id, initMs };
  }

  /** An idle instance, or a new one as soon as it may be started; `undefined` once closed. */
  async #acquire(): Promise<Instance | undefined> {
    for (;;) {
      if (this.#closed) return undefined;
      const idle = this.#idle.pop();
      if (idle !== undefined) return idle;
      if (this.#starting < startsAtOnce) {
        this.#starting += 1;
        return this.#start();
      }
      this.#withoutInstance += 1;
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
      this.#withoutInstance -= 1;
    }
  }

  #endStart(): void {
    this.#starting -= 1;
    this.#waiting.shift()?.();
  }

  #throttle(): Executed {
    this.#counters.throttled += 1;
    return { execution: { kind: "throttled" }, coldStart: false, instanceId: "", initMs: 0 };
  }

  /** SIGKILLs up to `count` busy instances; how many. */
  killBusy(count: number): number {
    let killed = 0;
    for (const instance of this.#alive) {
      if (killed === count) break;
      if (instance.settle === undefined) continue;
      instance.child.kill("SIGKILL");
      killed += 1;
    }
    return killed;
  }

  close(): void {
    this.#closed = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
    for (const instance of this.#alive) this.#end(instance);
  }

  #run(
    instance: Instance,
    settled: Promise<Execution>,
    call: Omit<InvokeMessage, "timeoutMs">,
  ): Promise<Execution> {
    const { timeoutMs } = this.#spec;
    const timer = setTimeout(() => {
      instance.settle?.({ kind: "timeout" });
    }, timeoutMs);
    instance.child.send({ ...call, timeoutMs } satisfies InvokeMessage);
    return settled.finally(() => {
      clearTimeout(timer);
    });
  }

  #start(): Instance {
    this.#started += 1;
    this.#counters.coldStarts += 1;
    const { name, modulePath, exportName, environment } = this.#spec;
    const id = `${name}-${this.#started}`;
    const config: InstanceConfig = {
      functionName: name,
      modulePath,
      exportName,
      instanceId: id,
      environment,
    };
    const child = fork(instancePath, [], {
      execArgv: [],
      env: {
        ...process.env,
        ...environment,
        [instanceConfigVariable]: JSON.stringify(config),
      },
    });
    const ready = new Promise<Execution | undefined>((resolve) => {
      child.once("message", (message) => {
        const first = message as InstanceMessage;
        if (first.kind !== "unusable") resolve(undefined);
        else resolve({ ...first, kind: "error", trace: [] });
      });
    });
    const instance: Instance = {
      id,
      child,
      ready,
      invocations: 0,
      settle: undefined,
      lastWords: undefined,
      idleTimer: undefined,
    };
    child.on("message", (message) => {
      const said = message as InstanceMessage;
      if (said.kind === "result" || said.kind === "error") instance.settle?.(said);
      if (said.kind !== "dying") return;
      instance.lastWords = said.lastWords;
      child.kill("SIGKILL");
    });
    child.on("exit", (code, signal) => {
      this.#forget(instance);
      const { lastWords } = instance;
      const how = signal ?? `exit code ${code}`;
      instance.settle?.({
        kind: "exited",
        how: lastWords === undefined ? how : `${how}; ${lastWords}`,
      });
    });
    // A message to an instance that has just died is answered by its exit.
    child.on("error", () => {});
    this.#alive.add(instance);
    return instance;
  }

  #release(instance: Instance): void {
    if (!this.#alive.has(instance)) return;
    this.#idle.push(instance);
    this.#waiting.shift()?.();
    instance.idleTimer = setTimeout(() => {
      this.#end(instance);
    }, idleMs);
    instance.idleTimer.unref();
  }

  #end(instance: Instance): void {
    this.#forget(instance);
    instance.child.kill("SIGKILL");
  }

  #forget(instance: Instance): void {
    clearTimeout(instance.idleTimer);
    this.#alive.delete(instance);
    const position = this.#idle.indexOf(instance);
    if (position >= 0) this.#idle.splice(position, 1);
    // There is room for another one.
    this.#waiting.shift()?.();
  }

  #count({ kind }: Execution): void {
    if (kind === "timeout") this.#counters.timeouts += 1;
    else if (kind === "error") this.#counters.functionErrors += 1;
    else if (kind === "exited") this.#counters.instancesLost += 1;
  }
}
