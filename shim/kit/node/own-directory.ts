/**
 * @module Directories of a process below the system's temporary one, and the end of those whose process is gone.
 *
 * Whoever makes one removes it; a process that is killed cannot. So the name says whose it is, and the next
 * process that makes one removes what nobody owns any more.
 */
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const prefix = "aft-bench-";
let hasLooked = false;

/** A new, empty directory, to be removed by the caller. `kind` is in its name. */
export function makeOwnDirectory(kind: string): string {
  if (!hasLooked) {
    hasLooked = true;
    removeAbandoned();
  }
  return mkdtempSync(join(tmpdir(), `${prefix}${kind}-${processNamespace()}-${process.pid}-`));
}

/** Removes directories of processes that are gone; what cannot be removed now is left to the next one. */
function removeAbandoned(): void {
  const namespace = processNamespace();
  for (const name of readdirSync(tmpdir())) {
    const [, of = "", pid = ""] = /^aft-bench-.+-(\d+)-(\d+)-\w{6}$/.exec(name) ?? [];
    // Numbers of processes mean nothing in another container that shares the directory.
    if (of !== namespace || isAlive(Number(pid))) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // A server that was left behind as well is still writing to it, or it is another user's.
    }
  }
}

/** Of processes that see each other; 0 where there is no such thing. */
function processNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
  } catch {
    return "0";
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there and somebody else's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
