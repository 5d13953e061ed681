/** @module A private Redis cluster of three shards on loopback. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { NotAvailableError } from "#kit/errors.ts";
import { ServiceStartError } from "./child.ts";
import type { StorageService } from "./port.ts";
import { type RedisService, startRedis } from "./redis.ts";

const run = promisify(execFile);
const shardCount = 3;
const readyAttempts = 300;
const readyEveryMs = 50;

/** Rejects with `NotAvailableError` when redis-server or redis-cli is not installed. */
export async function startRedisCluster(): Promise<StorageService> {
  const nodes: RedisService[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    for (let shard = 0; shard < shardCount; shard += 1)
      nodes.push(await startRedis({ clusterEnabled: true }));
    await join(nodes);
    await Promise.all(nodes.map(waitUntilReady));
  } catch (error) {
    await stop();
    throw error;
  }
  const [first] = nodes;
  return {
    name: "redis-cluster",
    target: { engine: "redis", urls: nodes.map(({ url }) => url), cluster: true },
    pids: nodes.flatMap(({ pids }) => pids),
    description: { ...first?.description, shards: shardCount },
    stop,
  };
}

async function join(nodes: readonly RedisService[]): Promise<void> {
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  try {
    await run("redis-cli", ["--cluster", "create", ...addresses, "--cluster-yes"]);
  } catch (cause) {
    const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    if (missing)
      throw new NotAvailableError({ what: "redis-cli", get: "apt-get install redis-tools", cause });
    throw cause;
  }
}

async function waitUntilReady({ port }: RedisService): Promise<void> {
  const client = new Redis({ host: "127.0.0.1", port });
  client.on("error", () => {});
  try {
    for (let attempt = 0; attempt < readyAttempts; attempt += 1) {
      const info = await client.cluster("INFO");
      if (info.includes("cluster_state:ok")) return;
      await new Promise((resolve) => {
        setTimeout(resolve, readyEveryMs);
      });
    }
    throw new ServiceStartError("redis-cluster", "its state never became ok");
  } finally {
    client.disconnect();
  }
}
