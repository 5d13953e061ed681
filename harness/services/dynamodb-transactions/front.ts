/** @module DynamoDB's API over HTTP: transactions are performed here, everything else by the store behind. */
import {
  createServer,
  request as httpRequest,
  Agent,
  type IncomingMessage,
  type Server,
} from "node:http";
import type { Clock } from "#kit/clock.ts";
import { describeError } from "#kit/errors.ts";
import { ApiError, type Json } from "./api-error.ts";
import { type CallStore, Transactions } from "./transactions.ts";

const contentType = "application/x-amz-json-1.0";
/** dynalite looks whether there is one, and not what it says. */
const signature =
  "AWS4-HMAC-SHA256 Credential=local/20200101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0";

/** A server that is not listening yet. `upstream`: where the store answers. */
export function createFront(options: { readonly upstream: string; readonly clock: Clock }): Server {
  const { upstream, clock } = options;
  const agent = new Agent({ keepAlive: true });
  const transactions = new Transactions({ call: storeAt(upstream, agent), clock });
  const server = createServer((incoming, response) => {
    void answer(incoming, transactions).then(({ status, body }) => {
      const text = JSON.stringify(body);
      response.writeHead(status, {
        "content-type": contentType,
        "content-length": Buffer.byteLength(text),
      });
      response.end(text);
    });
  });
  server.on("close", () => {
    agent.destroy();
  });
  return server;
}

async function answer(
  incoming: IncomingMessage,
  transactions: Transactions,
): Promise<{ status: number; body: Json }> {
  try {
    const body = JSON.parse(await textOf(incoming)) as Json;
    const operation = String(incoming.headers["x-amz-target"]).split(".")[1] ?? "";
    return { status: 200, body: await transactions.perform(operation, body) };
  } catch (error) {
    if (error instanceof ApiError) return { status: error.status, body: error.body };
    const type = "com.amazonaws.dynamodb.v20120810#InternalServerError";
    return { status: 500, body: { __type: type, message: describeError(error) } };
  }
}

function storeAt(upstream: string, agent: Agent): CallStore {
  return async (operation, body) => {
    const text = JSON.stringify(body);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = httpRequest(upstream, {
        agent,
        method: "POST",
        headers: {
          "content-type": contentType,
          "content-length": Buffer.byteLength(text),
          "x-amz-target": `DynamoDB_20120810.${operation}`,
          "x-amz-date": "20200101T000000Z",
          authorization: signature,
        },
      });
      asked.on("response", resolve);
      asked.on("error", reject);
      asked.end(text);
    });
    const answered = JSON.parse(await textOf(response)) as Json;
    if (response.statusCode === 200) return answered;
    throw new ApiError(response.statusCode ?? 500, answered);
  };
}

async function textOf(stream: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
