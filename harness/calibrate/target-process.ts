/**
 * @module Process entry of the servers that the generator is calibrated against; started with
 * `startModule`, listens on loopback, ends with its parent.
 *
 *   node target-process.ts null               answers every request at once, as little HTTP as there is
 *   node target-process.ts delay MS           answers every request after MS
 *   node target-process.ts stall MS AT FOR    as `delay`, and stands still for FOR ms, AT ms after
 *                                             the first request
 *   node target-process.ts silent N           never answers every N-th request
 *
 * Requests must have no body. A server keeps its own times, which are the truth the generator is
 * compared with: `GET /truth` gives them.
 */
import { createServer, type Socket } from "node:net";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { exitWithParent } from "#harness/services/child.ts";

const [mode = "null", first = "0", second = "0", third = "0"] = process.argv.slice(2);
const clock = createSystemClock({ precise: true });
const answer = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok";
const endOfRequest = "\r\n\r\n";

/** Monotonic microseconds. */
const arrivals: number[] = [];
let stall: { startUs: number; endUs: number } | undefined;
const stopped = new Int32Array(new SharedArrayBuffer(4));

const server = createServer({ noDelay: true }, (socket) => {
  let held = "";
  socket.on("data", (chunk: Buffer) => {
    const text = held + chunk.toString("latin1");
    const end = text.lastIndexOf(endOfRequest);
    held = text.slice(end < 0 ? 0 : end + endOfRequest.length);
    if (end < 0) return;
    if (mode === "null") {
      socket.write(answer.repeat(text.slice(0, end).split(endOfRequest).length));
      return;
    }
    for (const request of text.slice(0, end).split(endOfRequest)) handle(socket, request);
  });
  socket.on("error", () => {
    socket.destroy();
  });
});
server.listen({ port: 0, host: "127.0.0.1", backlog: 511 }, () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ port })}\n`);
});
exitWithParent(() => process.exit(0));
process.on("SIGTERM", () => process.exit(0));

function handle(socket: Socket, request: string): void {
  if (request.startsWith("GET /truth ")) {
    const body = JSON.stringify({ arrivals, stall: stall ?? null });
    const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
    socket.write(`${head}\r\n\r\n${body}`);
    return;
  }
  arrivals.push(clock.monotonicUs());
  if (mode === "stall" && arrivals.length === 1) clock.schedule(Number(second) * 1_000, standStill);
  if (mode === "silent" && arrivals.length % Number(first) === 0) return;
  const delayUs = mode === "silent" ? 0 : Number(first) * 1_000;
  if (delayUs === 0) socket.write(answer);
  else clock.schedule(delayUs, () => socket.write(answer));
}

/** Blocks the whole process, as a long collection of garbage or a frozen machine would. */
function standStill(): void {
  const startUs = clock.monotonicUs();
  Atomics.wait(stopped, 0, 0, Number(third));
  stall = { startUs, endUs: clock.monotonicUs() };
}
