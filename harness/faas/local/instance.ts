/**
 * @module Process entry of one function instance: loads the module once, then one invocation at a
 * time, until it is killed or its front end is gone.
 */
import { pathToFileURL } from "node:url";
import { createSystemClock } from "#kit/node/system-clock.ts";
import type { FunctionHandler } from "../port.ts";
import {
  type InstanceConfig,
  type InstanceMessage,
  type InvokeMessage,
  instanceConfigVariable,
} from "./messages.ts";

const clock = createSystemClock();
const config = JSON.parse(process.env[instanceConfigVariable] ?? "{}") as InstanceConfig;

function send(message: InstanceMessage): void {
  process.send?.(message);
}

process.on("disconnect", () => {
  process.exit(0);
});
process.on("SIGINT", () => {
  // Ctrl-C reaches the whole group; the front end decides when instances end.
});

let handler: FunctionHandler | undefined;
try {
  const loaded = (await import(pathToFileURL(config.modulePath).href)) as Record<string, unknown>;
  const exported = loaded[config.exportName];
  if (typeof exported !== "function")
    throw new TypeError(`${config.modulePath} exports no function "${config.exportName}"`);
  handler = exported as FunctionHandler;
  send({ kind: "ready" });
} catch (error) {
  const { name, message } = asError(error);
  send({ kind: "unusable", errorType: name, message });
}

process.on("message", (message) => {
  void run(message as InvokeMessage);
});

async function run(invoke: InvokeMessage): Promise<void> {
  const endsAtUs = clock.monotonicUs() + invoke.timeoutMs * 1_000;
  try {
    const payload: unknown = invoke.payload === "" ? null : JSON.parse(invoke.payload);
    const result = await handler?.(payload, {
      functionName: config.functionName,
      awsRequestId: invoke.awsRequestId,
      instanceId: config.instanceId,
      coldStart: invoke.coldStart,
      environment: config.environment,
      ...forArchives(endsAtUs),
      remainingTimeMs: () => Math.max(0, (endsAtUs - clock.monotonicUs()) / 1_000),
      // A kill may come at any time here; nothing needs to be asked.
      checkpoint: () => Promise.resolve(),
      // The front end kills: words and death arrive in this order, and nothing here can clean up.
      die: (lastWords) => {
        send({ kind: "dying", lastWords });
        return new Promise<never>(() => {});
      },
    });
    send({ kind: "result", body: JSON.stringify(result ?? null) });
  } catch (error) {
    const { name, message, stack = "" } = asError(error);
    const trace = stack.split("\n").slice(1, 9);
    send({ kind: "error", errorType: name, message, trace: trace.map((line) => line.trim()) });
  }
}

/** What a function from an archive calls the same thing, as on Lambda. */
function forArchives(endsAtUs: number): { getRemainingTimeInMillis: () => number } {
  return {
    getRemainingTimeInMillis: () => Math.max(0, (endsAtUs - clock.monotonicUs()) / 1_000),
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
