/** @module A private etcd of one member: loopback, a directory of its own, every commit flushed. */
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { makeOwnDirectory } from "#kit/node/own-directory.ts";
import { NotAvailableError } from "#kit/errors.ts";
import { type Child, programPid, ServiceStartError, startProgram } from "./child.ts";
import { freePort, startOnFreePort } from "./free-port.ts";
import type { StorageService } from "./port.ts";

const run = promisify(execFile);
export const installEtcd = "apt-get install etcd-server";
const askEveryMs = 20;
const askAttempts = 500;
const askTimeoutMs = 2_000;
/** Old revisions are kept until somebody compacts, so a run must not fill it. */
const quotaBytes = 8 * 1_024 ** 3;
/** On ARM, version 3.4 starts only when it is told that this is known to be unsupported. */
const environment: Readonly<Record<string, string>> =
  process.arch === "arm64" ? { ETCD_UNSUPPORTED_ARCH: "arm64" } : {};

export interface EtcdService extends StorageService {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  readonly port: number;
  /** SIGKILL; `restart` brings it back on the same directory and ports. */
  kill(): Promise<void>;
  restart(): Promise<void>;
}

interface Place {
  /** Where it listens is written down in its data, so each place has data of its own. */
  readonly data: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
}

/** Rejects with `NotAvailableError` when etcd is not installed. */
export async function startEtcd(): Promise<EtcdService> {
  const version = await etcdVersion();
  if (version === undefined) throw new NotAvailableError({ what: "etcd", get: installEtcd });
  const directory = makeOwnDirectory("etcd");
  try {
    return await startIn(directory, version);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function etcdVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await run("etcd", ["--version"], {
      env: { ...process.env, ...environment },
    });
    return /etcd Version: (\S+)/.exec(stdout)?.[1] ?? "unknown";
  } catch {
    return undefined;
  }
}

async function startIn(directory: string, version: string): Promise<EtcdService> {
  const started = await startOnFreePort(async (port) => {
    const place = {
      data: join(directory, String(port)),
      clientUrl: `http://127.0.0.1:${port}`,
      peerUrl: `http://127.0.0.1:${await freePort()}`,
    };
    return { port, place, child: await launch(place) };
  });
  const { port, place } = started;
  let { child } = started;
  const pids = (): number[] => {
    const pid = programPid(child);
    return pid === undefined ? [] : [pid];
  };
  return {
    name: "etcd",
    endpoint: place.clientUrl,
    port,
    target: { engine: "etcd", endpoint: place.clientUrl },
    get pids() {
      return pids();
    },
    description: {
      server: `etcd ${version}`,
      members: 1,
      transport: "JSON over HTTP (the server's gRPC gateway)",
      durability: "every commit flushed before it is answered (no unsafe-no-fsync)",
      compaction: "none: all revisions are kept",
    },
    kill: async () => {
      for (const pid of pids()) process.kill(pid, "SIGKILL");
      await child.exited;
    },
    restart: async () => {
      await child.stop();
      child = await launch(place);
    },
    stop: async () => {
      await child.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function launch({ data, clientUrl, peerUrl }: Place): Promise<Child> {
  const settings: Readonly<Record<string, string | number>> = {
    name: "aft-bench",
    "data-dir": data,
    "listen-client-urls": clientUrl,
    "advertise-client-urls": clientUrl,
    "listen-peer-urls": peerUrl,
    "initial-advertise-peer-urls": peerUrl,
    "initial-cluster": `aft-bench=${peerUrl}`,
    "quota-backend-bytes": quotaBytes,
    logger: "zap",
    "log-level": "error",
  };
  const child = await startProgram({
    name: "etcd",
    program: "etcd",
    args: Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
    environment,
  });
  try {
    await waitUntilHealthy(clientUrl, child);
    return child;
  } catch (error) {
    await child.stop();
    throw error;
  }
}

async function waitUntilHealthy(clientUrl: string, child: Child): Promise<void> {
  let ended = false;
  void child.exited.then(() => {
    ended = true;
  });
  for (let attempt = 0; attempt < askAttempts; attempt += 1) {
    if (ended) throw new ServiceStartError("etcd", child.errorOutput() || "it ended at once");
    try {
      const signal = AbortSignal.timeout(askTimeoutMs);
      const answer = await fetch(`${clientUrl}/health`, { signal });
      if ((await answer.text()).includes('"true"')) return;
    } catch {
      // It does not listen yet.
    }
    await sleep(askEveryMs);
  }
  throw new ServiceStartError("etcd", `it never became healthy. ${child.errorOutput()}`);
}
