/**
 * @module Functions on AWS Lambda, or on whatever answers its API at an endpoint.
 *
 * Invokes through the AWS SDK with retries off: a retry is the driver's decision and part of what is
 * measured. Instances cannot be killed from outside, so `killBusyInstances` ends none.
 */
import { InvokeCommand, LambdaClient, TooManyRequestsException } from "@aws-sdk/client-lambda";
import type { Clock } from "#kit/clock.ts";
import { describeError } from "#kit/errors.ts";
import type {
  FunctionSpec,
  InvocationOutcome,
  InvocationTimings,
  InvokeOptions,
  Platform,
  PlatformPlace,
  PlatformStats,
} from "../port.ts";
import { CostMeter } from "./cost.ts";
import type { Deployment } from "./deployment.ts";
import { type ReportLine, readReportLine } from "./report-line.ts";
import { isAws, type LambdaSettings } from "./settings.ts";
import { readEnvelope } from "./wrap.ts";

/** Requests under way at once, each on a connection of its own. */
const maxSockets = 1_024;
const defaultTimeoutMs = 30_000;

/** What the service and the function say about an invocation, beside its outcome. */
export interface InvocationDetail {
  readonly functionUs?: number;
  readonly report?: ReportLine;
}

export interface LambdaPlatform extends Platform {
  readonly onAws: boolean;
  /** By the price table, also where nothing is charged. */
  spentUsd(): number;
  /** Accepted, and run some time later, tried again by the service. */
  invokeEvent(name: string, payload: unknown): Promise<"accepted" | "refused">;
}

/** Signed requests need some; emulators do not look at them. AWS has its own chain. */
export function createLambdaClient(settings: LambdaSettings): LambdaClient {
  const { endpoint, region } = settings;
  const agent = { keepAlive: true, maxSockets };
  return new LambdaClient({
    region,
    maxAttempts: 1,
    requestHandler: { httpAgent: agent, httpsAgent: agent },
    ...(endpoint !== undefined && { endpoint }),
    ...(!isAws(endpoint) && { credentials: { accessKeyId: "none", secretAccessKey: "none" } }),
  });
}

export function createLambdaPlatform(options: {
  readonly settings: LambdaSettings;
  readonly deployment: Deployment;
  readonly clock: Clock;
  /** As registered; "lambda" by default. */
  readonly name?: string;
  /** Ask for log tails: costs time, tells init and billed durations. */
  readonly tailLogs?: boolean;
  readonly onDetail?: (outcome: InvocationOutcome, detail: InvocationDetail) => void;
  /** Called once, when the first invocation is not sent because of the ceiling. */
  readonly onCeiling?: (spentUsd: number) => void;
}): LambdaPlatform {
  return new SdkPlatform(options);
}

class SdkPlatform implements LambdaPlatform {
  readonly name: string;
  readonly #options: Parameters<typeof createLambdaPlatform>[0];
  readonly #meter: CostMeter;
  readonly #timeoutMs = new Map<string, number>();
  readonly #instances = new Set<string>();
  #client: LambdaClient | undefined;
  #clientEndpoint: string | undefined;
  #counts = { invocations: 0, coldStarts: 0, throttled: 0, timeouts: 0, functionErrors: 0 };
  #instancesLost = 0;
  #ceilingReached = false;

  constructor(options: Parameters<typeof createLambdaPlatform>[0]) {
    this.#options = options;
    this.name = options.name ?? "lambda";
    this.#meter = new CostMeter(options.settings);
  }

  get pids(): readonly number[] {
    return this.#options.deployment.pids;
  }

  get onAws(): boolean {
    return isAws(this.#options.deployment.endpoint);
  }

  get place(): PlatformPlace {
    const { settings, deployment } = this.#options;
    const { endpoint = settings.endpoint, emulator } = deployment;
    const { region, memoryMiB, architecture, runtime, role, maxCostUsd } = settings;
    const { onAws } = this;
    return {
      name: onAws ? `AWS ${region}` : (emulator ?? endpoint ?? "an emulator"),
      onAws,
      details: {
        ...(endpoint !== undefined && { endpoint }),
        ...(emulator === undefined
          ? { region, memoryMiB, architecture, runtime, role, maxCostUsd }
          : { emulator }),
      },
    };
  }

  spentUsd(): number {
    return this.#meter.spentUsd;
  }

  async deploy(functions: readonly FunctionSpec[]): Promise<void> {
    const { deployment, settings } = this.#options;
    await deployment.deploy(functions);
    for (const { name, timeoutMs } of functions) this.#timeoutMs.set(name, timeoutMs);
    const { endpoint = settings.endpoint } = deployment;
    // An emulator that was started anew is somewhere else.
    if (this.#client !== undefined && endpoint === this.#clientEndpoint) return;
    this.#client?.destroy();
    this.#clientEndpoint = endpoint;
    this.#client = createLambdaClient({
      ...settings,
      ...(endpoint !== undefined && { endpoint }),
    });
  }

  async invoke(
    name: string,
    payload: unknown,
    options: InvokeOptions = {},
  ): Promise<InvocationOutcome> {
    const { clock, tailLogs = false, onDetail } = this.#options;
    const startUs = clock.monotonicUs();
    let exchangeUs = 0;
    const finish = (
      outcome: WithoutTimings<InvocationOutcome>,
      seen: Partial<InvocationTimings> = {},
      detail: InvocationDetail = {},
    ): InvocationOutcome => {
      const timings = {
        startUs,
        endUs: clock.monotonicUs(),
        coldStart: false,
        exchangeUs,
        ...seen,
      };
      const ended = { ...outcome, timings } as InvocationOutcome;
      this.#count(ended);
      onDetail?.(ended, detail);
      return ended;
    };
    const to = this.#options.deployment.find(name);
    if (to === undefined || this.#client === undefined)
      return finish({ kind: "platformError", message: `"${name}" is not deployed` });
    const reserved = this.#meter.reserve(this.#timeoutMs.get(name) ?? defaultTimeoutMs);
    if (reserved === undefined) {
      if (!this.#ceilingReached) this.#options.onCeiling?.(this.#meter.spentUsd);
      this.#ceilingReached = true;
      return finish({ kind: "platformError", message: "the cost ceiling is reached" });
    }
    let billedMs = 0;
    try {
      const command = new InvokeCommand({
        FunctionName: to.functionName,
        ...(to.qualifier !== undefined && { Qualifier: to.qualifier }),
        Payload: Buffer.from(JSON.stringify(payload ?? null)),
        ...(tailLogs && { LogType: "Tail" }),
      });
      timeExchange(command, clock, (us) => {
        exchangeUs = us;
      });
      const answer = await this.#client.send(
        command,
        options.timeoutMs === undefined
          ? {}
          : { abortSignal: AbortSignal.timeout(options.timeoutMs) },
      );
      const report = readReportLine(answer.LogResult);
      billedMs = report?.billedMs ?? (clock.monotonicUs() - startUs) / 1_000;
      const text = answer.Payload?.transformToString() ?? "null";
      const parsed: unknown = JSON.parse(text === "" ? "null" : text);
      const { FunctionError } = answer;
      if (FunctionError !== undefined)
        return finish(failureOf(parsed), saidBy(report), { ...(report && { report }) });
      const envelope = readEnvelope(parsed);
      if (envelope === undefined) return finish({ kind: "ok", result: parsed }, saidBy(report));
      const { instanceId, coldStart, functionUs } = envelope.aftBench;
      return finish(
        { kind: "ok", result: envelope.result },
        { ...saidBy(report), instanceId, coldStart },
        { functionUs, ...(report && { report }) },
      );
    } catch (error) {
      if (error instanceof TooManyRequestsException) return finish({ kind: "throttled" });
      return finish({ kind: "platformError", message: describeError(error) });
    } finally {
      reserved.settle(billedMs);
    }
  }

  async invokeEvent(name: string, payload: unknown): Promise<"accepted" | "refused"> {
    const to = this.#options.deployment.find(name);
    if (to === undefined || this.#client === undefined) return "refused";
    const sent = this.#client.send(
      new InvokeCommand({
        FunctionName: to.functionName,
        ...(to.qualifier !== undefined && { Qualifier: to.qualifier }),
        InvocationType: "Event",
        Payload: Buffer.from(JSON.stringify(payload ?? null)),
      }),
    );
    return sent.then(
      ({ StatusCode }) => (StatusCode === 202 ? "accepted" : "refused"),
      () => "refused" as const,
    );
  }

  killBusyInstances(): Promise<number> {
    return Promise.resolve(0);
  }

  stats(): Promise<PlatformStats> {
    const instancesAlive = this.#instances.size;
    return Promise.resolve({ ...this.#counts, instancesLost: this.#instancesLost, instancesAlive });
  }

  async close(): Promise<void> {
    await this.#options.deployment.tearDown();
    this.#client?.destroy();
    this.#client = undefined;
  }

  #count({ kind, timings }: InvocationOutcome): void {
    if (kind === "throttled") this.#counts.throttled += 1;
    else if (kind !== "platformError") this.#counts.invocations += 1;
    if (kind === "timeout") this.#counts.timeouts += 1;
    if (kind === "functionError") this.#counts.functionErrors += 1;
    if (kind === "instanceLost") this.#instancesLost += 1;
    if (timings.coldStart) this.#counts.coldStarts += 1;
    if (timings.instanceId !== undefined) this.#instances.add(timings.instanceId);
  }
}

/** `Omit` over each member of a union. */
type WithoutTimings<T> = T extends unknown ? Omit<T, "timings"> : never;

function saidBy(report: ReportLine | undefined): Partial<InvocationTimings> {
  if (report === undefined) return {};
  const { initMs, billedMs } = report;
  return { coldStart: initMs !== undefined, billedMs, ...(initMs !== undefined && { initMs }) };
}

/** Inside everything the SDK does itself: signing, encoding, reading the answer. */
function timeExchange(
  command: InvokeCommand,
  clock: Clock,
  onEnd: (exchangeUs: number) => void,
): void {
  command.middlewareStack.add(
    (next) => async (args) => {
      const sentUs = clock.monotonicUs();
      try {
        return await next(args);
      } finally {
        onEnd(clock.monotonicUs() - sentUs);
      }
    },
    { step: "deserialize", priority: "low", name: "time-exchange" },
  );
}

function failureOf(payload: unknown): WithoutTimings<InvocationOutcome> {
  const said = (payload ?? {}) as { errorType?: string; errorMessage?: string };
  const { errorType = "Error", errorMessage: message = "" } = said;
  // serverless-offline has no type for it.
  if (errorType === "Sandbox.Timedout" || message === "[504] - Lambda timeout.")
    return { kind: "timeout" };
  // AWS says the same as an error of the runtime in some versions.
  if (/Task timed out after [\d.]+ seconds$/.test(message)) return { kind: "timeout" };
  if (errorType === "Runtime.ExitError") return { kind: "instanceLost", message };
  return { kind: "functionError", errorType, message };
}
