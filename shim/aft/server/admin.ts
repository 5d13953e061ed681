/** @module The admin port: health, readiness and Prometheus metrics over HTTP, on loopback. */
import { createServer } from "node:http";
import { Gauge, Registry } from "prom-client";
import type { Replica } from "../replica/port.ts";

export interface AdminServer {
  readonly address: string;
  readonly close: () => Promise<void>;
}

/** `/healthz`: the process answers. `/readyz`: it serves. `/metrics`: counters of the replica. */
export async function startAdmin(options: {
  readonly replica: Replica;
  readonly port: number;
  readonly isReady: () => boolean;
}): Promise<AdminServer> {
  const { replica, port, isReady } = options;
  const registry = createRegistry(replica);
  const server = createServer((request, response) => {
    const respond = (code: number, body: string, type = "text/plain"): void => {
      response.writeHead(code, { "content-type": type }).end(body);
    };
    switch (request.url ?? "/") {
      case "/healthz":
        respond(200, "ok\n");
        return;
      case "/readyz":
        respond(isReady() ? 200 : 503, isReady() ? "ready\n" : "not ready\n");
        return;
      case "/metrics":
        registry.metrics().then(
          (text) => {
            respond(200, text, registry.contentType);
          },
          () => {
            respond(500, "metrics failed\n");
          },
        );
        return;
      default:
        respond(404, "try /healthz, /readyz or /metrics\n");
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const bound = server.address();
  const boundPort = typeof bound === "object" && bound !== null ? bound.port : port;
  return {
    address: `127.0.0.1:${boundPort}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

/** One gauge per figure of `ReplicaStats`; collected when scraped, free otherwise. */
function createRegistry(replica: Replica): Registry {
  const registry = new Registry();
  const figures = (): Record<string, number> => {
    const { storage, ...stats } = replica.stats();
    const renamed = Object.entries(storage).map(([name, value]) => [`storage_${name}`, value]);
    return { ...stats, ...(Object.fromEntries(renamed) as Record<string, number>) };
  };
  for (const figure of Object.keys(figures())) {
    const name = `aft_${figure.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
    registry.registerMetric(
      new Gauge({
        name,
        help: `${figure} of this replica`,
        registers: [],
        collect() {
          this.set(figures()[figure] ?? 0);
        },
      }),
    );
  }
  return registry;
}
