/** @module A private workerd with durable objects: loopback, a directory of its own, storage on disk. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeOwnDirectory } from "#kit/node/own-directory.ts";
import { NotAvailableError } from "#kit/errors.ts";
import {
  findPackage,
  importOptional,
  installCommand,
  missingPackages,
} from "#kit/node/optional-package.ts";
import { workerdPackage } from "#shim/objects/packages.ts";
import { type Child, programPid, startProgram } from "./child.ts";
import { startOnFreePort } from "./free-port.ts";
import { waitUntilAnswers } from "./http-ready.ts";
import type { StorageService } from "./port.ts";

/** What the runtime is to behave like; older than the version above. */
const compatibilityDate = "2026-11-01";
const workerPath = fileURLToPath(import.meta.resolve("#shim/durable-objects/worker.ts"));

export interface WorkerdService extends StorageService {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  readonly port: number;
  /** SIGKILL; `restart` brings it back on the same directory and port. */
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** Rejects with `NotAvailableError` when workerd is not installed. */
export async function startWorkerd(): Promise<WorkerdService> {
  const program = await workerdProgram();
  const directory = makeOwnDirectory("workerd");
  try {
    await mkdir(join(directory, "objects"));
    await writeFile(join(directory, "worker.js"), await bundleWorker());
    return await startIn(directory, program);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** The package's own answer to where its program for this machine is. */
async function workerdProgram(): Promise<string> {
  const missing = missingPackages("workerd", [workerdPackage]);
  if (missing !== undefined) throw missing;
  const { default: program } = await importOptional<{ readonly default: unknown }>(workerdPackage);
  if (typeof program === "string") return program;
  const why = "the npm package workerd names no program for this machine";
  throw new NotAvailableError({ what: "workerd", why, get: installCommand([workerdPackage]) });
}

async function bundleWorker(): Promise<string> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [workerPath],
    bundle: true,
    write: false,
    platform: "neutral",
    format: "esm",
    target: "es2022",
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

async function startIn(directory: string, program: string): Promise<WorkerdService> {
  const launch = async (port: number): Promise<Child> => {
    const config = join(directory, "workerd.capnp");
    await writeFile(config, configuration({ port, objects: join(directory, "objects") }));
    const args = ["serve", "--experimental", config];
    const child = await startProgram({ name: "workerd", program, args });
    try {
      await waitUntilAnswers("workerd", `http://127.0.0.1:${port}/read/ready`, child);
      return child;
    } catch (error) {
      await child.stop();
      throw error;
    }
  };
  const started = await startOnFreePort(async (port) => ({ port, child: await launch(port) }));
  const { port } = started;
  let { child } = started;
  const endpoint = `http://127.0.0.1:${port}`;
  const pids = (): number[] => {
    const pid = programPid(child);
    return pid === undefined ? [] : [pid];
  };
  return {
    name: "workerd",
    endpoint,
    port,
    target: { engine: "workerd", endpoint },
    get pids() {
      return pids();
    },
    description: {
      server: `workerd ${findPackage(workerdPackage)?.version ?? "unknown"}`,
      objects: "one for each key; a SQLite database each",
      transport: "HTTP",
      durability: "every write flushed before it is answered (SQLite on disk, fsync; output gate)",
      limits: "Cloudflare's service refuses rows above 2 MB; this server takes them",
    },
    kill: async () => {
      for (const pid of pids()) process.kill(pid, "SIGKILL");
      await child.exited;
    },
    restart: async () => {
      await child.stop();
      child = await launch(port);
    },
    stop: async () => {
      await child.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** In workerd's own language; a JSON string is a string there. */
function configuration({
  port,
  objects,
}: {
  readonly port: number;
  readonly objects: string;
}): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ( name = "objects", disk = (path = ${JSON.stringify(objects)}, writable = true) ),
    ( name = "main", worker = (
      modules = [( name = "worker", esModule = embed "worker.js" )],
      compatibilityDate = "${compatibilityDate}",
      bindings = [( name = "VALUES", durableObjectNamespace = "ValueObject" )],
      durableObjectNamespaces = [
        ( className = "ValueObject", uniqueKey = "aft-bench-values", enableSql = true )
      ],
      durableObjectStorage = ( localDisk = "objects" ),
    ) ),
  ],
  sockets = [( name = "http", address = "127.0.0.1:${port}", http = (), service = "main" )],
);
`;
}
