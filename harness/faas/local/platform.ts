/**
 * @module The local platform from the caller's side: starts the front end, invokes over HTTP.
 */
import { type ChildProcess, fork } from "node:child_process";
import { Agent, request as httpRequest } from "node:http";
import { fileURLToPath } from "node:url";
import type { Clock } from "#kit/clock.ts";
import { delay } from "#kit/clock.ts";
import { describeError, ProjectError } from "#kit/errors.ts";
import type { InvocationLatency } from "../inline/platform.ts";
import type {
  FunctionSpec,
  InvocationOutcome,
  InvocationTimings,
  InvokeOptions,
  Platform,
  PlatformStats,
} from "../port.ts";
import {
  coldStartHeader,
  type ControlReply,
  type ControlRequest,
  instanceHeader,
} from "./messages.ts";

const frontEndPath = fileURLToPath(import.meta.resolve("./front-end.ts"));

export interface LocalOptions {
  readonly clock: Clock;
  readonly invocationLatency?: InvocationLatency;
  /** Pauses before the two retries of an Event; Lambda's are 1 and 2 minutes. */
  readonly eventRetryPausesMs?: readonly [number, number];
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

interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

class LocalPlatformClient implements LocalPlatform {
  readonly name = "local";
  readonly endpoint: string;
  readonly pids: readonly number[];
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #latency: InvocationLatency | undefined;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4_096 });
  readonly #port: number;
  readonly #waiting = new Map<number, (reply: ControlReply) => void>();
  #nextId = 0;
  #exited: Promise<void>;

  constructor(options: LocalOptions & { child: ChildProcess; endpoint: string }) {
    const { child, endpoint, clock, invocationLatency } = options;
    this.endpoint = endpoint;
    this.pids = child.pid === undefined ? [] : [child.pid];
    this.#child = child;
    this.#clock = clock;
    this.#latency = invocationLatency;
    this.#port = Number(new URL(endpoint).port);
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

  async invoke(
    name: string,
    payload: unknown,
    options: InvokeOptions = {},
  ): Promise<InvocationOutcome> {
    const startUs = this.#clock.monotonicUs();
    const extraUs = this.#latency?.sampleUs() ?? 0;
    let answer: HttpAnswer;
    try {
      if (extraUs > 0) await delay(this.#clock, extraUs / 2);
      answer = await this.#post(name, JSON.stringify(payload ?? null), options.timeoutMs);
      if (extraUs > 0) await delay(this.#clock, extraUs / 2);
    } catch (error) {
      const timings = { startUs, endUs: this.#clock.monotonicUs(), coldStart: false };
      return { kind: "platformError", message: describeError(error), timings };
    }
    const instanceId = answer.headers[instanceHeader];
    const timings: InvocationTimings = {
      startUs,
      endUs: this.#clock.monotonicUs(),
      coldStart: answer.headers[coldStartHeader] === "1",
      ...(typeof instanceId === "string" && { instanceId }),
    };
    return toOutcome(answer, timings);
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
    this.#agent.destroy();
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

  #post(name: string, body: string, timeoutMs: number | undefined): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const posted = httpRequest(
        {
          host: "127.0.0.1",
          port: this.#port,
          method: "POST",
          path: `/2015-03-31/functions/${encodeURIComponent(name)}/invocations`,
          agent: this.#agent,
          headers: {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(body),
          },
          ...(timeoutMs !== undefined && { signal: AbortSignal.timeout(timeoutMs) }),
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            const { statusCode = 0, headers } = response;
            resolve({ status: statusCode, headers, body: Buffer.concat(chunks).toString() });
          });
        },
      );
      posted.on("error", reject);
      posted.end(body);
    });
  }
}

/** `Omit` over each member of a union. */
type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

function toOutcome(
  { status, headers, body }: HttpAnswer,
  timings: InvocationTimings,
): InvocationOutcome {
  if (status === 429) return { kind: "throttled", timings };
  if (status !== 200) return { kind: "platformError", message: `HTTP ${status}: ${body}`, timings };
  const parsed: unknown = JSON.parse(body);
  if (headers["x-amz-function-error"] === undefined) return { kind: "ok", result: parsed, timings };
  const { errorType = "Error", errorMessage: message = "" } = parsed as {
    errorType?: string;
    errorMessage?: string;
  };
  if (errorType === "Sandbox.Timedout") return { kind: "timeout", timings };
  if (errorType === "Runtime.ExitError") return { kind: "instanceLost", message, timings };
  return { kind: "functionError", errorType, message, timings };
}
