/**
 * @module Process entry of the local platform's front end: owns the instances, answers the Lambda
 * API on loopback, takes deployments from its parent, and ends with it.
 *
 * A process of its own, so that a measured platform does not share the load generator's loop.
 */
import { createServer } from "node:http";
import { AsyncInvocations } from "./async-invocations.ts";
import { ControlApi, type ControlledFunction } from "./control-api.ts";
import { handleRequest } from "./invoke-api.ts";
import type { ControlReply, ControlRequest } from "./messages.ts";
import { InstancePool, type PoolCounters } from "./pool.ts";

const retryPausesMs = (process.env["AFT_BENCH_EVENT_RETRY_MS"] ?? "60000,120000")
  .split(",")
  .map(Number);
const counters: PoolCounters = {
  invocations: 0,
  coldStarts: 0,
  throttled: 0,
  timeouts: 0,
  functionErrors: 0,
  instancesLost: 0,
};
const functions = new Map<string, ControlledFunction>();
const changes = new ControlApi(functions, counters);
const events = new AsyncInvocations(retryPausesMs);

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  handleRequest({ functions, events, changes }, request, response).catch(() => {
    response.destroy();
  });
});
server.listen({ port: 0, host: "127.0.0.1", backlog: 511 }, () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  process.send?.({ endpoint: `http://127.0.0.1:${port}` });
});

process.on("message", (message) => {
  process.send?.(control(message as ControlRequest));
});
process.on("disconnect", end);
process.on("SIGTERM", end);
process.on("SIGINT", () => {
  // Ctrl-C reaches the whole group; the parent decides when this ends.
});

function control(request: ControlRequest): ControlReply {
  const { id } = request;
  switch (request.kind) {
    case "deploy":
      for (const spec of request.functions) {
        functions.get(spec.name)?.pool.close();
        functions.set(spec.name, { spec, pool: new InstancePool(spec, counters) });
      }
      return { id, done: true };
    case "kill": {
      let killed = 0;
      for (const { pool } of functions.values()) killed += pool.killBusy(request.count - killed);
      return { id, killed };
    }
    case "stats": {
      let instancesAlive = 0;
      for (const { pool } of functions.values()) instancesAlive += pool.alive;
      return { id, stats: { ...counters, instancesAlive } };
    }
  }
}

function end(): void {
  events.close();
  changes.close();
  process.exit(0);
}
