/**
 * @module The AWS Lambda Invoke REST API: what curl, autocannon and the AWS SDK talk to.
 *
 *   POST /2015-03-31/functions/{name}/invocations    Invoke (RequestResponse, Event, DryRun)
 *   GET  /2015-03-31/functions/                       ListFunctions
 *   GET  /2015-03-31/functions/{name}                 GetFunction
 *   GET  /healthz
 *
 * Status codes, headers and error bodies are the service's; see the API reference of Invoke.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AsyncInvocations } from "./async-invocations.ts";
import type { ControlApi, ControlledFunction } from "./control-api.ts";
import { coldStartHeader, instanceHeader } from "./messages.ts";
import type { Executed } from "./pool.ts";

const maxSyncBytes = 6 * 1_048_576;
/** Of an archive in a request, as base64. */
const maxControlBytes = 70 * 1_048_576;
const maxAsyncBytes = 1_048_576;
const version = "$LATEST";

export interface InvokeApi {
  readonly functions: ReadonlyMap<string, ControlledFunction>;
  readonly events: AsyncInvocations;
  readonly changes: ControlApi;
}

interface ServiceError {
  readonly code: number;
  readonly type: string;
  readonly message: string;
  readonly reason?: string;
}

/** Answers one request; never throws. */
export async function handleRequest(
  api: InvokeApi,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const requestId = randomUUID();
  response.setHeader("x-amzn-RequestId", requestId);
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const match = /^\/2015-03-31\/functions(?:\/([^/]*)(\/invocations)?)?\/?$/.exec(pathname);
  if (request.method === "GET" && pathname === "/healthz") return sendJson(response, 200, {});
  const invokes = match?.[2] !== undefined;
  if (request.method !== "GET" && !invokes) return change(api, request, response, pathname);
  if (match === null) return sendError(response, unknownPath(pathname));
  const name = functionName(decodeURIComponent(match[1] ?? ""));
  if (request.method === "GET" && match[2] === undefined) {
    if (name === "") {
      const configurations = [...api.functions.keys()].map((one) => api.changes.describe(one));
      return sendJson(response, 200, { Functions: configurations });
    }
    const found = api.functions.get(name);
    if (found === undefined) return sendError(response, notFound(name));
    const { tags } = found;
    const Configuration = api.changes.describe(name);
    return sendJson(response, 200, { Configuration, ...(tags !== undefined && { Tags: tags }) });
  }
  if (request.method !== "POST" || match[2] === undefined)
    return sendError(response, unknownPath(`${request.method} ${pathname}`));
  const qualifier = searchParams.get("Qualifier");
  const found = api.functions.get(name);
  const isKnown = qualifier === null || qualifier === version || found?.aliases?.has(qualifier);
  if (found === undefined || isKnown !== true) {
    request.resume();
    return sendError(response, notFound(name));
  }
  return invoke({ api, found, request, response, requestId });
}

async function change(
  { changes }: InvokeApi,
  request: IncomingMessage,
  response: ServerResponse,
  pathname: string,
): Promise<void> {
  const body = await readBody(request, maxControlBytes);
  if (body === undefined) return sendError(response, tooLarge(maxControlBytes));
  const done = changes.handle(request.method ?? "", pathname, body);
  if (done === undefined) return sendError(response, unknownPath(`${request.method} ${pathname}`));
  if (done.errorType !== undefined) response.setHeader("x-amzn-ErrorType", done.errorType);
  if (done.body === undefined) response.writeHead(done.status).end();
  else sendJson(response, done.status, done.body);
}

async function invoke(call: {
  readonly api: InvokeApi;
  readonly found: ControlledFunction;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
}): Promise<void> {
  const { api, found, request, response, requestId } = call;
  const type = request.headers["x-amz-invocation-type"] ?? "RequestResponse";
  const limit = type === "Event" ? maxAsyncBytes : maxSyncBytes;
  const body = await readBody(request, limit);
  if (body === undefined) return sendError(response, tooLarge(limit));
  if (body !== "" && !isJson(body)) return sendError(response, notJson());
  switch (type) {
    case "DryRun":
      response.writeHead(204).end();
      return;
    case "Event":
      if (!api.events.accept(found.pool, { payload: body, awsRequestId: requestId }))
        return sendError(response, tooMany("the queue of asynchronous invocations is full"));
      response.writeHead(202).end();
      return;
    case "RequestResponse": {
      const begun = performance.now();
      const executed = await found.pool.execute(body, requestId);
      const durationMs = performance.now() - begun - executed.initMs;
      sendExecuted({ executed, durationMs, found, request, response, requestId });
      return;
    }
    default:
      sendError(response, {
        code: 400,
        type: "InvalidParameterValueException",
        message: `no invocation type "${String(type)}"`,
      });
  }
}

function sendExecuted(call: {
  readonly executed: Executed;
  readonly durationMs: number;
  readonly found: ControlledFunction;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
}): void {
  const { executed, durationMs, found, request, response, requestId } = call;
  const { execution, coldStart, instanceId, initMs } = executed;
  if (execution.kind === "throttled") {
    const limit = found.spec.concurrencyLimit;
    sendError(response, tooMany(`Rate Exceeded: ${limit} instances are busy`));
    return;
  }
  response.setHeader("X-Amz-Executed-Version", version);
  response.setHeader(coldStartHeader, coldStart ? "1" : "0");
  response.setHeader(instanceHeader, instanceId);
  if (request.headers["x-amz-log-type"] === "Tail") {
    const init = coldStart ? `\tInit Duration: ${initMs.toFixed(2)} ms` : "";
    const times = `\tDuration: ${durationMs.toFixed(2)} ms\tBilled Duration: ${Math.ceil(durationMs)} ms`;
    const log = `START RequestId: ${requestId} Version: ${version}\nEND RequestId: ${requestId}\nREPORT RequestId: ${requestId}${times}${init}\n`;
    response.setHeader("X-Amz-Log-Result", Buffer.from(log).toString("base64"));
  }
  if (execution.kind === "result") {
    send(response, 200, execution.body);
    return;
  }
  response.setHeader("X-Amz-Function-Error", "Unhandled");
  switch (execution.kind) {
    case "error": {
      const { errorType, message: errorMessage, trace } = execution;
      sendJson(response, 200, { errorType, errorMessage, trace });
      return;
    }
    case "timeout": {
      const seconds = (found.spec.timeoutMs / 1_000).toFixed(2);
      const errorMessage = `${requestId} Task timed out after ${seconds} seconds`;
      sendJson(response, 200, { errorType: "Sandbox.Timedout", errorMessage });
      return;
    }
    case "exited": {
      const errorMessage = `RequestId: ${requestId} Error: Runtime exited with ${execution.how}`;
      sendJson(response, 200, { errorType: "Runtime.ExitError", errorMessage });
      return;
    }
  }
}

/** Name, name:alias, partial or full ARN: the function's name. */
function functionName(text: string): string {
  const parts = text.split(":");
  const position = parts.indexOf("function");
  return (position >= 0 ? parts[position + 1] : parts[0]) ?? "";
}

/** The body as text; `undefined` when it exceeds the limit (the rest is read and dropped). */
async function readBody(request: IncomingMessage, limit: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size <= limit) chunks.push(chunk as Buffer);
  }
  return size > limit ? undefined : Buffer.concat(chunks).toString();
}

/** Cheap for what the suite sends; full parsing is the instance's work. */
function isJson(body: string): boolean {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}

function sendJson(response: ServerResponse, code: number, body: unknown): void {
  send(response, code, JSON.stringify(body));
}

function send(response: ServerResponse, code: number, body: string): void {
  const length = Buffer.byteLength(body);
  response.writeHead(code, { "content-type": "application/json", "content-length": length });
  response.end(body);
}

function sendError(response: ServerResponse, error: ServiceError): void {
  response.setHeader("x-amzn-ErrorType", error.type);
  const { reason } = error;
  sendJson(response, error.code, {
    Type: error.code < 500 ? "User" : "Server",
    message: error.message,
    ...(reason !== undefined && { Reason: reason }),
  });
}

function notFound(name: string): ServiceError {
  const message = `Function not found: arn:aws:lambda:local:000000000000:function:${name}`;
  return { code: 404, type: "ResourceNotFoundException", message };
}

function unknownPath(path: string): ServiceError {
  return { code: 404, type: "ResourceNotFoundException", message: `nothing answers ${path}` };
}

function tooMany(message: string): ServiceError {
  const reason = "ReservedFunctionConcurrentInvocationLimitExceeded";
  return { code: 429, type: "TooManyRequestsException", message, reason };
}

function tooLarge(limit: number): ServiceError {
  const message = `Request must be smaller than ${limit} bytes for the InvokeFunction operation`;
  return { code: 413, type: "RequestTooLargeException", message };
}

function notJson(): ServiceError {
  const message = "Could not parse request body into json";
  return { code: 400, type: "InvalidRequestContentException", message };
}
