/** @module ioredis clients with the settings an engine needs: no silent repeats, bounded waits. */
import { Cluster, Redis } from "ioredis";

/** Pauses between attempts to connect again: 50 ms, doubling, at most 2 s; for ever. */
function retryStrategy(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 6), 2_000);
}

function commonOptions(timeoutMs: number) {
  return {
    lazyConnect: true,
    // Per socket, not per command: a timer for each command costs more than the command.
    socketTimeout: timeoutMs,
    connectTimeout: timeoutMs,
    // A write that was sent and not answered may have happened: never send it again unasked.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy,
    noDelay: true,
  } as const;
}

/** `redis://`, `rediss://` or `unix:PATH`. Call `connect()` on it. */
export function createServerClient(url: string, timeoutMs: number): Redis {
  const options = commonOptions(timeoutMs);
  const client = url.startsWith("unix:")
    ? new Redis({ ...options, path: url.slice("unix:".length) })
    : new Redis(url, options);
  return quietened(client);
}

export function createClusterClient(urls: readonly string[], timeoutMs: number): Cluster {
  const nodes = urls.map((url) => {
    const { hostname, port } = new URL(url);
    return { host: hostname, port: Number(port) };
  });
  const first = new URL(urls[0] ?? "redis://127.0.0.1");
  const { lazyConnect: _lazy, retryStrategy: _retry, ...redisOptions } = commonOptions(timeoutMs);
  const client = new Cluster(nodes, {
    lazyConnect: true,
    clusterRetryStrategy: retryStrategy,
    redisOptions: {
      ...redisOptions,
      ...(first.password !== "" && { password: decodeURIComponent(first.password) }),
      ...(first.protocol === "rediss:" && { tls: {} }),
    },
  });
  return quietened(client);
}

/** Connection errors reach callers through their commands; without a listener they would be thrown. */
function quietened<T extends Redis | Cluster>(client: T): T {
  client.on("error", () => {});
  return client;
}
