/**
 * @module Process entry of the broker that holds transactions between functions: configuration from the
 * environment, one JSON line on stdout when it serves, gone when whoever started it is.
 *
 * No function could do this: a connection does not outlive an invocation. It is here to show what would be
 * possible if it did.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { describeError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { Database } from "../database.ts";
import { readPostgresOptions } from "../options.ts";
import { HeldTransactions } from "./held-transactions.ts";
import type { HeldRequest } from "./messages.ts";

try {
  await serve();
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(1);
}

async function serve(): Promise<void> {
  const clock = createSystemClock();
  const configured: unknown = JSON.parse(process.env["AFT_BENCH_BROKER"] ?? "{}");
  const settings = readPostgresOptions("postgres-held", configured as Record<string, unknown>);
  const database = await Database.open(settings, clock);
  const { idleInTransactionMs: idleMs } = settings;
  const transactions = new HeldTransactions({ database, clock, idleMs });
  const server = createServer((request, response) => {
    void answer(transactions, request, response);
  });
  // Functions keep their connections for as long as they live.
  server.keepAliveTimeout = 0;
  const end = (): void => {
    process.exit(0);
  };
  process.stdin.on("end", end).on("error", end).resume();
  process.on("SIGTERM", end);
  process.on("SIGINT", () => {
    // Ctrl-C reaches the whole group; the parent stops its children in order.
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("the broker has no port");
    process.stdout.write(`${JSON.stringify({ endpoint: `http://127.0.0.1:${address.port}` })}\n`);
  });
}

async function answer(
  transactions: HeldTransactions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const asked = JSON.parse(Buffer.concat(parts).toString()) as HeldRequest;
    const body = JSON.stringify(await transactions.answer(asked));
    response.setHeader("content-length", Buffer.byteLength(body)).end(body);
  } catch (error) {
    response.statusCode = 400;
    response.end(JSON.stringify({ error: describeError(error) }));
  }
}
