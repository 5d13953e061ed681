/**
 * @module A private PostgreSQL server: loopback, a directory of its own, every commit flushed unless it is
 * asked not to be.
 */
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import { makeOwnDirectory } from "#kit/node/own-directory.ts";
import { describeError, NotAvailableError } from "#kit/errors.ts";
import { type Child, killIfThere, programPid, ServiceStartError, startProgram } from "./child.ts";
import { startOnFreePort } from "./free-port.ts";
import type { StorageService } from "./port.ts";
import { createDataDirectory, databaseName, removeSharedMemory } from "./postgres-files.ts";
import {
  findPostgres,
  installPostgres,
  postgresUser,
  type ServerUser,
} from "./postgres-programs.ts";
import { withChildren } from "./process-tree.ts";

const run = promisify(execFile);
const askEveryMs = 20;
const askAttempts = 500;
const answerWithinMs = 5_000;
/** Each instance of a function has a connection of its own. */
const maxConnections = 300;

export interface PostgresOptions {
  /** Whether a commit is answered only when it is on disk. Default: it is. */
  readonly synchronousCommit?: boolean;
}

export interface PostgresService extends StorageService {
  /** `postgres://aft_bench@127.0.0.1:PORT/aft_bench`. */
  readonly url: string;
  readonly port: number;
  /** SIGKILL, of all its processes; `restart` brings it back on the same directory and port. */
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** Rejects with `NotAvailableError` when PostgreSQL is not installed. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresService> {
  const programs = findPostgres();
  if (programs === undefined)
    throw new NotAvailableError({ what: "PostgreSQL", get: installPostgres });
  const { stdout } = await run(join(programs, "postgres"), ["--version"], { cwd: "/" });
  const version = stdout.replace(/^postgres \(PostgreSQL\) /, "").trim();
  const user = postgresUser();
  const directory = makeOwnDirectory("postgres");
  try {
    const data = await createDataDirectory({ programs, version, user, directory });
    return await startIn({ programs, version, user, directory, data, options });
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error instanceof ServiceStartError
      ? error
      : new ServiceStartError("PostgreSQL", describeError(error));
  }
}

interface Settings {
  readonly programs: string;
  readonly version: string;
  readonly user: ServerUser | undefined;
  readonly directory: string;
  readonly data: string;
  readonly options: PostgresOptions;
}

async function startIn(settings: Settings): Promise<PostgresService> {
  const { version, user, directory, data, options } = settings;
  const started = await startOnFreePort(async (port) => ({
    port,
    child: await launch(settings, port),
  }));
  const { port } = started;
  let { child } = started;
  const url = urlOf(port);
  /** It serves each connection by a process of its own. */
  const pids = (): number[] => withChildren(programPid(child));
  return {
    name: "postgres",
    url,
    port,
    target: { engine: "postgres", url },
    get pids() {
      return pids();
    },
    description: {
      server: `PostgreSQL ${version}`,
      transport: "tcp",
      durability: `fsync on, synchronous_commit ${synchronousCommitOf(options)}`,
      configuration: `as installed, but for max_connections ${maxConnections}`,
      ...(user !== undefined && { runsAs: user.name }),
    },
    kill: async () => {
      for (const pid of pids()) killIfThere(pid);
      await child.exited;
    },
    restart: async () => {
      await child.stop();
      child = await launch(settings, port);
    },
    stop: async () => {
      await child.stop();
      await removeSharedMemory(data);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function synchronousCommitOf({ synchronousCommit = true }: PostgresOptions): "on" | "off" {
  return synchronousCommit ? "on" : "off";
}

function urlOf(port: number): string {
  return `postgres://${databaseName}@127.0.0.1:${port}/${databaseName}`;
}

async function launch(settings: Settings, port: number): Promise<Child> {
  const { programs, user, data, options } = settings;
  const parameters: Readonly<Record<string, string | number>> = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: "",
    max_connections: maxConnections,
    fsync: "on",
    synchronous_commit: synchronousCommitOf(options),
    // In the directory, so that it is gone with it.
    dynamic_shared_memory_type: "mmap",
    // Conflicts are answers here, and a line for each of them would be part of what is measured.
    log_min_messages: "fatal",
  };
  const child = await startProgram({
    name: "PostgreSQL",
    program: join(programs, "postgres"),
    args: ["-D", data, ...Object.entries(parameters).map(([name, value]) => `--${name}=${value}`)],
    ...(user !== undefined && { user }),
    // Without a last flush, but what it holds in the kernel is given back.
    endWith: "SIGQUIT",
  });
  try {
    await waitForAnswer(port, child);
    return child;
  } catch (error) {
    await child.stop();
    throw error;
  }
}

async function waitForAnswer(port: number, child: Child): Promise<void> {
  let ended = false;
  void child.exited.then(() => {
    ended = true;
  });
  for (let attempt = 0; attempt < askAttempts; attempt += 1) {
    if (ended) throw new ServiceStartError("PostgreSQL", child.errorOutput() || "it ended at once");
    const client = new Client({
      connectionString: urlOf(port),
      // Somebody else may have taken the port, and say nothing.
      connectionTimeoutMillis: answerWithinMs,
      query_timeout: answerWithinMs,
    });
    client.on("error", () => {});
    try {
      await client.connect();
      await client.query("SELECT 1");
      return;
    } catch {
      await sleep(askEveryMs);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  throw new ServiceStartError("PostgreSQL", `it never answered. ${child.errorOutput()}`);
}
