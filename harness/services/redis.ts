/** @module A private redis-server: loopback or a Unix socket, a directory of its own, no snapshots. */
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { makeOwnDirectory } from "#kit/node/own-directory.ts";
import { NotAvailableError } from "#kit/errors.ts";
import { type Child, programPid, ServiceStartError, startProgram } from "./child.ts";
import { freePort } from "./free-port.ts";
import type { StorageService } from "./port.ts";

const run = promisify(execFile);
const installCommand = "apt-get install redis-server";
/** A port found free may be taken before the server binds it. */
const portAttempts = 5;
/** A cluster's nodes talk to each other on a port so much higher. */
const busOffset = 10_000;
const pingEveryMs = 20;
const pingAttempts = 400;

export interface RedisOptions {
  readonly transport?: "tcp" | "unix";
  /** Append-only file, flushed at every write or never written. Default: none. */
  readonly appendOnly?: "always" | "everysec" | "none";
  /** Cluster mode, for `redis-cluster.ts`. */
  readonly clusterEnabled?: boolean;
}

export interface RedisService extends StorageService {
  /** `redis://127.0.0.1:PORT` or `unix:PATH`. */
  readonly url: string;
  readonly port: number;
  /** SIGKILL; `restart` brings it back on the same directory and address. */
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** The version of the installed server; `undefined` when there is none. */
export async function redisVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await run("redis-server", ["--version"]);
    return /v=(\S+)/.exec(stdout)?.[1] ?? "unknown";
  } catch {
    return undefined;
  }
}

/** Rejects with `NotAvailableError` when redis-server is not installed. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisService> {
  const version = await redisVersion();
  if (version === undefined)
    throw new NotAvailableError({ what: "redis-server", get: installCommand });
  const directory = makeOwnDirectory("redis");
  try {
    return await startIn({ directory, version, options });
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(settings: {
  readonly directory: string;
  readonly version: string;
  readonly options: RedisOptions;
}): Promise<RedisService> {
  const { directory, version, options } = settings;
  const { transport = "tcp", appendOnly = "none", clusterEnabled = false } = options;
  const socket = join(directory, "redis.sock");

  const launch = async (port: number): Promise<Child> => {
    const child = await startProgram({
      name: "redis-server",
      program: "redis-server",
      args: serverArguments({ directory, port, socket, transport, appendOnly, clusterEnabled }),
    });
    try {
      await waitForPing(transport === "unix" ? { path: socket } : { port }, child);
      return child;
    } catch (error) {
      await child.stop();
      throw error;
    }
  };

  let started: { child: Child; port: number } | undefined;
  let failure: unknown;
  for (let attempt = 0; attempt < portAttempts && started === undefined; attempt += 1) {
    const port = transport === "unix" ? 0 : await freePort(clusterEnabled ? busOffset : 0);
    try {
      started = { child: await launch(port), port };
    } catch (error) {
      failure = error;
    }
  }
  if (started === undefined) throw failure;
  const { port } = started;
  let { child } = started;
  let pids = serverPids(child);
  const url = transport === "unix" ? `unix:${socket}` : `redis://127.0.0.1:${port}`;

  return {
    name: "redis",
    url,
    port,
    target: { engine: "redis", urls: [url], cluster: false },
    get pids() {
      return pids;
    },
    description: {
      server: `redis-server ${version}`,
      transport,
      persistence: appendOnly === "none" ? "none" : `appendonly, appendfsync ${appendOnly}`,
    },
    kill: async () => {
      for (const pid of pids) process.kill(pid, "SIGKILL");
      await child.exited;
    },
    restart: async () => {
      await child.stop();
      child = await launch(port);
      pids = serverPids(child);
    },
    stop: async () => {
      await child.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function serverArguments(options: {
  readonly directory: string;
  readonly port: number;
  readonly socket: string;
  readonly transport: "tcp" | "unix";
  readonly appendOnly: "always" | "everysec" | "none";
  readonly clusterEnabled: boolean;
}): string[] {
  const { directory, port, socket, transport, appendOnly, clusterEnabled } = options;
  return [
    "--dir",
    directory,
    "--save",
    "",
    "--bind",
    "127.0.0.1",
    "--port",
    String(port),
    ...(transport === "unix" ? ["--unixsocket", socket, "--unixsocketperm", "700"] : []),
    "--appendonly",
    appendOnly === "none" ? "no" : "yes",
    ...(appendOnly === "none" ? [] : ["--appendfsync", appendOnly]),
    ...(clusterEnabled ? ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"] : []),
  ];
}

function serverPids(child: Child): number[] {
  const pid = programPid(child);
  return pid === undefined ? [] : [pid];
}

async function waitForPing(
  address: { readonly port: number } | { readonly path: string },
  child: Child,
): Promise<void> {
  let ended = false;
  void child.exited.then(() => {
    ended = true;
  });
  for (let attempt = 0; attempt < pingAttempts; attempt += 1) {
    if (ended) throw new ServiceStartError("redis-server", "it ended at once (port taken?)");
    const client = new Redis({
      host: "127.0.0.1",
      ...address,
      lazyConnect: true,
      retryStrategy: () => null,
    });
    client.on("error", () => {});
    try {
      await client.connect();
      await client.ping();
      return;
    } catch {
      await new Promise((resolve) => {
        setTimeout(resolve, pingEveryMs);
      });
    } finally {
      client.disconnect();
    }
  }
  throw new ServiceStartError("redis-server", "it never answered PING");
}
