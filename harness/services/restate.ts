/** @module A private Restate server of one node and the handlers it calls: loopback, a directory of its own. */
import { rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeOwnDirectory } from "#kit/node/own-directory.ts";
import { NotAvailableError } from "#kit/errors.ts";
import { findPackage, installCommand, missingPackages } from "#kit/node/optional-package.ts";
import { restatePackages } from "#shim/objects/packages.ts";
import { type Child, programPid, ServiceStartError, startModule, startProgram } from "./child.ts";
import { freePort, startOnFreePort } from "./free-port.ts";
import { waitUntilAnswers } from "./http-ready.ts";
import type { StorageService } from "./port.ts";

const { server: restateServer, sdk: restateSdk } = restatePackages;
const packages = [restateServer, restateSdk];
const handlersPath = fileURLToPath(import.meta.resolve("#shim/restate/handlers.ts"));
const registerTimeoutMs = 30_000;

export interface RestateService extends StorageService {
  /** Of the ingress: `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  readonly port: number;
  /** All ports that the server listens on. */
  readonly ports: readonly number[];
  /** SIGKILL of the server; `restart` brings it back on the same directory and ports. */
  kill(): Promise<void>;
  restart(): Promise<void>;
}

interface Ports {
  readonly ingress: number;
  readonly admin: number;
  readonly fabric: number;
}

/** Rejects with `NotAvailableError` when its server or its SDK is not installed. */
export async function startRestate(): Promise<RestateService> {
  const program = restateProgram();
  const directory = makeOwnDirectory("restate");
  try {
    return await startIn(directory, program);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** The server itself, not the script that the package has for it, so that it is ours to end. */
function restateProgram(): string {
  const missing = missingPackages("restate", packages);
  if (missing !== undefined) throw missing;
  const directory = findPackage(restateServer)?.directory ?? "";
  const { platform, arch } = process;
  const name = `${restateServer.name}-${platform}-${arch}/bin/restate-server`;
  try {
    return createRequire(join(directory, "package.json")).resolve(name);
  } catch (cause) {
    const why = `${restateServer.name} brings no server for ${platform} on ${arch}`;
    throw new NotAvailableError({ what: "restate", why, get: installCommand(packages), cause });
  }
}

async function startIn(directory: string, program: string): Promise<RestateService> {
  const handlers = await startModule({ name: "restate's handlers", modulePath: handlersPath });
  try {
    const started = await startOnFreePort(async (ingress) => {
      const ports = { ingress, admin: await freePort(), fabric: await freePort() };
      // Where it listens is written down in its data, so each place has data of its own.
      const place = { program, directory: join(directory, String(ingress)), ports };
      return { place, child: await launch(place) };
    });
    const { place } = started;
    let { child } = started;
    await register(place.ports.admin, handlers).catch(async (error: unknown) => {
      await child.stop();
      throw error;
    });
    const { ingress: port } = place.ports;
    const endpoint = `http://127.0.0.1:${port}`;
    const serverPids = (): number[] => {
      const pid = programPid(child);
      return pid === undefined ? [] : [pid];
    };
    return {
      name: "restate",
      endpoint,
      port,
      ports: Object.values(place.ports),
      target: { engine: "restate", endpoint },
      get pids() {
        return [...serverPids(), handlers.pid];
      },
      description: describe(),
      kill: async () => {
        for (const pid of serverPids()) process.kill(pid, "SIGKILL");
        await child.exited;
      },
      restart: async () => {
        await child.stop();
        child = await launch(place);
      },
      stop: async () => {
        await Promise.all([child.stop(), handlers.stop()]);
        await rm(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await handlers.stop();
    throw error;
  }
}

interface Place {
  readonly program: string;
  readonly directory: string;
  readonly ports: Ports;
}

async function launch({ program, directory, ports }: Place): Promise<Child> {
  const config = `${directory}.toml`;
  await writeFile(config, configuration(directory, ports));
  const child = await startProgram({
    name: "restate",
    program,
    args: ["--no-logo", `--config-file=${config}`],
  });
  try {
    await waitUntilAnswers("restate", `http://127.0.0.1:${ports.admin}/health`, child);
    await waitUntilAnswers("restate", `http://127.0.0.1:${ports.ingress}/restate/health`, child);
    return child;
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/** Its defaults, but for where it listens, what it reports to whom, and what must not depend on defaults. */
function configuration(directory: string, { ingress, admin, fabric }: Ports): string {
  return `node-name = "aft-bench"
cluster-name = "aft-bench"
base-dir = ${JSON.stringify(directory)}
listen-mode = "tcp"
bind-ip = "127.0.0.1"
advertised-host = "127.0.0.1"
bind-port = ${fabric}
disable-telemetry = true
log-filter = "error"

[ingress]
bind-port = ${ingress}

[admin]
bind-port = ${admin}
disable-web-ui = true

[log-server]
rocksdb-disable-wal-fsync = false
`;
}

/** Tells the server where its handlers are; it asks them what they have. */
async function register(adminPort: number, handlers: Child): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/deployments`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ uri: handlers.ready["endpoint"] }),
    signal: AbortSignal.timeout(registerTimeoutMs),
  });
  const text = await answer.text();
  if (!answer.ok) throw new ServiceStartError("restate", `it does not take its handlers: ${text}`);
}

function describe(): Readonly<Record<string, unknown>> {
  return {
    server: `restate-server ${findPackage(restateServer)?.version ?? "unknown"} (licence: BSL 1.1)`,
    handlers: `one process, restate-sdk ${findPackage(restateSdk)?.version ?? "unknown"}`,
    nodes: 1,
    transport: "HTTP (the server's ingress)",
    durability:
      "the log of every call flushed before it is answered (fsync of its write-ahead log)",
  };
}
