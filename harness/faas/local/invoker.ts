/**
 * @module Invokes functions through the Lambda REST API of an endpoint, from any process.
 */
import { type Clock, delay } from "#kit/clock.ts";
import { describeError } from "#kit/errors.ts";
import type { HttpAnswer } from "../http/answer.ts";
import { HttpClient } from "../http/client.ts";
import type { InvocationLatency } from "../inline/platform.ts";
import type { InvocationOutcome, InvocationTimings, InvokeOptions } from "../port.ts";
import { coldStartHeader, instanceHeader } from "./messages.ts";

/** Connections at most: more than instances anybody will start on one machine. */
const maxConnections = 4_096;

export class LambdaInvoker {
  readonly #client: HttpClient;
  readonly #clock: Clock;
  readonly #latency: InvocationLatency | undefined;
  /** The fixed part of each function's requests. */
  readonly #heads = new Map<string, string>();

  /** `endpoint`: `http://127.0.0.1:PORT`. */
  constructor(options: {
    readonly endpoint: string;
    readonly clock: Clock;
    readonly invocationLatency?: InvocationLatency | undefined;
  }) {
    const { endpoint, clock, invocationLatency } = options;
    this.#client = new HttpClient({ port: Number(new URL(endpoint).port), maxConnections });
    this.#clock = clock;
    this.#latency = invocationLatency;
  }

  close(): void {
    this.#client.close();
  }

  async invoke(
    name: string,
    payload: unknown,
    options: InvokeOptions = {},
  ): Promise<InvocationOutcome> {
    const startUs = this.#clock.monotonicUs();
    const extraUs = this.#latency?.sampleUs() ?? 0;
    let answer: HttpAnswer;
    let sentUs = startUs;
    let exchangeUs = 0;
    try {
      if (extraUs > 0) await delay(this.#clock, extraUs / 2);
      sentUs = this.#clock.monotonicUs();
      answer = await this.#client.send(
        this.#headOf(name),
        JSON.stringify(payload ?? null),
        options.timeoutMs,
      );
      exchangeUs = this.#clock.monotonicUs() - sentUs;
      if (extraUs > 0) await delay(this.#clock, extraUs / 2);
    } catch (error) {
      const timings = { startUs, endUs: this.#clock.monotonicUs(), coldStart: false };
      return { kind: "platformError", message: describeError(error), timings };
    }
    const instanceId = answer.header(instanceHeader);
    const timings: InvocationTimings = {
      startUs,
      endUs: this.#clock.monotonicUs(),
      coldStart: answer.header(coldStartHeader) === "1",
      exchangeUs,
      ...(instanceId !== undefined && { instanceId }),
    };
    return toOutcome(answer, timings);
  }

  /** Never rejects. */
  async invokeEvent(name: string, payload: unknown): Promise<"accepted" | "refused"> {
    try {
      const { status } = await this.#client.send(
        this.#headOf(name, "Event"),
        JSON.stringify(payload ?? null),
      );
      return status === 202 ? "accepted" : "refused";
    } catch {
      // The front end is gone; whoever waits for the event's effects will not see any.
      return "refused";
    }
  }

  #headOf(name: string, type: "RequestResponse" | "Event" = "RequestResponse"): string {
    const key = `${type} ${name}`;
    const known = this.#heads.get(key);
    if (known !== undefined) return known;
    const path = `/2015-03-31/functions/${encodeURIComponent(name)}/invocations`;
    const head = HttpClient.head("POST", path, {
      "content-type": "application/json",
      ...(type === "Event" && { "x-amz-invocation-type": type }),
    });
    this.#heads.set(key, head);
    return head;
  }
}

function toOutcome(
  { status, header, body }: HttpAnswer,
  timings: InvocationTimings,
): InvocationOutcome {
  if (status === 429) return { kind: "throttled", timings };
  if (status !== 200)
    return { kind: "platformError", message: `HTTP ${status}: ${body.toString()}`, timings };
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString());
  } catch (error) {
    return { kind: "platformError", message: describeError(error), timings };
  }
  if (header("x-amz-function-error") === undefined) return { kind: "ok", result: parsed, timings };
  const { errorType = "Error", errorMessage: message = "" } = parsed as {
    errorType?: string;
    errorMessage?: string;
  };
  if (errorType === "Sandbox.Timedout") return { kind: "timeout", timings };
  if (errorType === "Runtime.ExitError") return { kind: "instanceLost", message, timings };
  return { kind: "functionError", errorType, message, timings };
}
