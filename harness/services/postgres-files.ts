/**
 * @module A data directory for a private PostgreSQL server: as `initdb` makes it, with one database of a role
 * that may do nothing else.
 *
 * Making one takes seconds, so the first one of each version is kept, and the next ones are copies. Whoever
 * can connect to loopback may use the database without a password, and nobody is let in as superuser.
 */
import { execFile } from "node:child_process";
import { chown, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ServerUser } from "./postgres-programs.ts";

const run = promisify(execFile);
/** Changes with what `create` does. */
const layout = 1;
const kept = fileURLToPath(
  new URL("../../node_modules/.cache/aft-bench-postgres", import.meta.url),
);

export const databaseName = "aft_bench";
const access = `host ${databaseName} ${databaseName} 127.0.0.1/32 trust\n`;
const bootstrap = `CREATE ROLE ${databaseName} LOGIN;\nCREATE DATABASE ${databaseName} OWNER ${databaseName};\n`;

export interface DataDirectoryPlan {
  /** Of the server's programs. */
  readonly programs: string;
  readonly version: string;
  readonly user: ServerUser | undefined;
  /** An empty folder; `data` is made in it. */
  readonly directory: string;
}

/** Rejects with what a program said. */
export async function createDataDirectory(plan: DataDirectoryPlan): Promise<string> {
  const { version, user, directory } = plan;
  const data = join(directory, "data");
  const template = join(kept, `${version.replaceAll(/[^\w.-]+/g, "-")}-${layout}`);
  if (user !== undefined) await chown(directory, user.uid, user.gid);
  if (await isFile(join(template, "PG_VERSION"))) {
    await run("cp", ["-R", template, data]);
    if (user !== undefined) await run("chown", ["-R", `${user.uid}:${user.gid}`, data]);
    return data;
  }
  await create(plan, data);
  await keep(data, template);
  return data;
}

async function create({ programs, user }: DataDirectoryPlan, data: string): Promise<void> {
  const options = { cwd: "/", ...(user !== undefined && { uid: user.uid, gid: user.gid }) };
  await run(
    join(programs, "initdb"),
    ["-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C", "-A", "reject", "--no-sync"],
    options,
  );
  const single = run(join(programs, "postgres"), ["--single", "-D", data, "postgres"], options);
  single.child.stdin?.end(bootstrap);
  await single;
  await writeFile(join(data, "pg_hba.conf"), access);
}

/** For the next time; whoever was faster, or cannot write here, loses nothing. */
async function keep(data: string, template: string): Promise<void> {
  const copy = `${template}.${process.pid}`;
  try {
    await mkdir(kept, { recursive: true });
    await run("cp", ["-R", data, copy]);
    await rename(copy, template);
  } catch {
    await rm(copy, { recursive: true, force: true });
  }
}

/**
 * Takes away what a server that was killed has left in the kernel: a few bytes of System V shared memory,
 * named in the lock file that it would have removed.
 */
export async function removeSharedMemory(data: string): Promise<void> {
  const lines = await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "");
  const [, segment] = lines.split("\n")[6]?.trim().split(/\s+/) ?? [];
  if (segment !== undefined) await run("ipcrm", ["-m", segment]).catch(() => undefined);
}

async function isFile(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}
