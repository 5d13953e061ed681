/**
 * @module The local platform from the caller's side: starts the front end, invokes over HTTP.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Clock } from "#kit/clock.ts";
import { ProjectError } from "#kit/errors.ts";
import type { InvocationLatency } from "../inline/platform.ts";
import type {
  FunctionSpec,
  InvocationOutcome,
  InvokeOptions,
  Platform,
  PlatformStats,
} from "../port.ts";
import { LambdaInvoker } from "./invoker.ts";
import type { ControlReply, ControlRequest } from "./messages.ts";

const frontEndPath = fileURLToPath(import.meta.resolve("#harness/faas/local/front-end.ts"));

/** Of runs in which the platform tries again: nobody waits three minutes for a request here. */
export const shortEventPausesMs = [50, 100] as const;

export interface LocalOptions {
  readonly clock: Clock;
  readonly invocationLatency?: InvocationLatency;
  /** Pauses before the two retries of an Event; Lambda's are 1 and 2 minutes. */
  readonly eventRetryPausesMs?: readonly [number, number] | undefined;
}

export interface LocalPlatform extends Platform {
  /** `http://127.0.0.1:PORT`, for the AWS SDK and curl. */
  readonly endpoint: string;
}

/** The front end ended or said something unexpected. */
export class FrontEndError extends ProjectError {
  readonly code = "front_end_lost";
  readonly disposition = "abort";
}

/** Rejects with `FrontEndError` if the front end does not start. */
export async function createLocalPlatform(options: LocalOptions): Promise<LocalPlatform> {
  const { eventRetryPausesMs } = options;
  const child = fork(frontEndPath, [], {
    execArgv: [],
    env: {
      ...process.env,
      ...(eventRetryPausesMs !== undefined && {
        AFT_BENCH_EVENT_RETRY_MS: eventRetryPausesMs.join(","),
      }),
    },
  });
  const endpoint = await new Promise<string>((resolve, reject) => {
    child.once("message", (message) => {
      resolve((message as { endpoint: string }).endpoint);
    });
    child.once("error", (cause) => {
      reject(new FrontEndError("the front end did not start", { cause }));
    });
    child.once("exit", () => {
      reject(new FrontEndError("the front end ended before it listened"));
    });
  });
  return new LocalPlatformClient({ child, endpoint, ...options });
}

class LocalPlatformClient implements LocalPlatform {
  readonly name = "local";
  readonly endpoint: string;
  readonly pids: readonly number[];
  readonly #child: ChildProcess;
  readonly #invoker: LambdaInvoker;
  readonly #waiting = new Map<number, (reply: ControlReply) => void>();
  #nextId = 0;
  #exited: Promise<void>;

  constructor(options: LocalOptions & { child: ChildProcess; endpoint: string }) {
    const { child, endpoint, clock, invocationLatency } = options;
    this.endpoint = endpoint;
    this.pids = child.pid === undefined ? [] : [child.pid];
    this.#child = child;
    this.#invoker = new LambdaInvoker({ endpoint, clock, invocationLatency });
    this.#exited = new Promise((resolve) => {
      child.on("exit", () => {
        resolve();
      });
    });
    child.on("message", (message) => {
      const reply = message as ControlReply;
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    });
  }

  async deploy(functions: readonly FunctionSpec[]): Promise<void> {
    await this.#control({ kind: "deploy", functions });
  }

  invoke(name: string, payload: unknown, options?: InvokeOptions): Promise<InvocationOutcome> {
    return this.#invoker.invoke(name, payload, options);
  }

  invokeEvent(name: string, payload: unknown): Promise<"accepted" | "refused"> {
    return this.#invoker.invokeEvent(name, payload);
  }

  async killBusyInstances(count: number): Promise<number> {
    const reply = await this.#control({ kind: "kill", count });
    return "killed" in reply ? reply.killed : 0;
  }

  async stats(): Promise<PlatformStats> {
    const reply = await this.#control({ kind: "stats" });
    if ("stats" in reply) return reply.stats;
    throw new FrontEndError("the front end answered something else than its statistics");
  }

  async close(): Promise<void> {
    this.#invoker.close();
    this.#child.kill("SIGTERM");
    await this.#exited;
  }

  #control(request: WithoutId<ControlRequest>): Promise<ControlReply> {
    this.#nextId += 1;
    const id = this.#nextId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ ...request, id }, (error) => {
        if (error !== null) reject(new FrontEndError("the front end is gone", { cause: error }));
      });
      void this.#exited.then(() => {
        reject(new FrontEndError("the front end has ended"));
      });
    });
  }
}

/** `Omit` over each member of a union. */
type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;
