/** @module The admin port: health, readiness and Prometheus metrics over HTTP, on loopback. */
import { createServer } from "node:http";
import { Gauge, Registry } from "prom-client";

export interface AdminServer {
  readonly address: string;
  readonly close: () => Promise<void>;
}

/** `/healthz`: the process answers. `/readyz`: it does its work. `/metrics`: its figures. */
export async function startAdmin(options: {
  readonly port: number;
  /** Default: loopback. Nothing it shows is secret, and nothing can be changed through it. */
  readonly host?: string;
  /** Always with the same names. */
  readonly figures: () => Readonly<Record<string, number>>;
  readonly isReady: () => boolean;
}): Promise<AdminServer> {
  const { port, host = "127.0.0.1", figures, isReady } = options;
  const registry = createRegistry(figures);
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
    server.listen(port, host, resolve);
  });
  const bound = server.address();
  const boundPort = typeof bound === "object" && bound !== null ? bound.port : port;
  return {
    address: `${host}:${boundPort}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

/** One gauge per figure; collected when scraped, free otherwise. */
function createRegistry(figures: () => Readonly<Record<string, number>>): Registry {
  const registry = new Registry();
  for (const figure of Object.keys(figures())) {
    const name = `aft_${figure.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
    registry.registerMetric(
      new Gauge({
        name,
        help: `${figure} of this process`,
        registers: [],
        collect() {
          this.set(figures()[figure] ?? 0);
        },
      }),
    );
  }
  return registry;
}
