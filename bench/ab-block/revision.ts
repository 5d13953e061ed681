/** @module A git revision as a checkout of its own, in a temporary directory, with its dependencies. */
import { execFile } from "node:child_process";
import { readFile, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { makeOwnDirectory } from "#kit/node/own-directory.ts";
import { ConfigError } from "#kit/errors.ts";

const run = promisify(execFile);
/** The checkout this code is in. */
export const ownRoot = fileURLToPath(new URL("../..", import.meta.url));

export interface Revision {
  readonly commit: string;
  readonly root: string;
  stop(): Promise<void>;
}

/**
 * Checks `revision` out beside this checkout. Dependencies are shared when the lockfile is the same and
 * installed otherwise. Rejects with `ConfigError` for an unknown revision.
 */
export async function checkOut(revision: string): Promise<Revision> {
  const commit = await resolveRevision(revision);
  const directory = makeOwnDirectory("base");
  const root = join(directory, "checkout");
  const stop = async (): Promise<void> => {
    await run("git", ["worktree", "remove", "--force", root], { cwd: ownRoot }).catch(() => {});
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await run("git", ["worktree", "add", "--detach", "--force", root, commit], { cwd: ownRoot });
    if (await sameLockfile(root)) {
      await symlink(join(ownRoot, "node_modules"), join(root, "node_modules"), "junction");
    } else {
      await run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: root, maxBuffer: 64 * 1_048_576 });
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { commit, root, stop };
}

async function resolveRevision(revision: string): Promise<string> {
  try {
    const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
    const { stdout } = await run("git", args, { cwd: ownRoot });
    return stdout.trim();
  } catch (cause) {
    const hint = "a commit, branch or tag of this repository; is the clone shallow?";
    throw new ConfigError([{ where: "--base", what: `no revision "${revision}"`, hint }], {
      cause,
    });
  }
}

async function sameLockfile(root: string): Promise<boolean> {
  const read = (from: string): Promise<string> =>
    readFile(join(from, "package-lock.json"), "utf8").catch(() => "");
  const [own, other] = await Promise.all([read(ownRoot), read(root)]);
  return own !== "" && own === other;
}
