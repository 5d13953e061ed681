/** @module Where PostgreSQL's server programs are, and as whom they can run. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { NotAvailableError } from "#kit/errors.ts";

export const installPostgres = "apt-get install postgresql";

/** Debian keeps each version's programs in a folder of its own and off the path. */
const debianFolder = "/usr/lib/postgresql";

/** The folder that has both `initdb` and `postgres`: of the path, or Debian's newest. */
export function findPostgres(): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...debianFolders()];
  return folders.find(
    (folder) =>
      folder !== "" && existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")),
  );
}

function debianFolders(): string[] {
  if (!existsSync(debianFolder)) return [];
  return readdirSync(debianFolder)
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(debianFolder, version, "bin"));
}

export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The server refuses to run as root: somebody else, if this process is root's. @throws NotAvailableError */
export function postgresUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of ["postgres", "nobody"]) {
    const [, , uid, gid] = accounts.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
    if (uid !== undefined && gid !== undefined) return { name, uid: Number(uid), gid: Number(gid) };
  }
  throw new NotAvailableError({
    what: "an account for PostgreSQL",
    why: "it refuses to run as root",
    get: "adduser --system postgres",
  });
}
