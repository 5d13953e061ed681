/** @module For tests of servers: what they listen on and have left, as the kernel and the file system have it. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { StorageServiceName } from "../registry.ts";

const holder = fileURLToPath(import.meta.resolve("./hold-service.ts"));

/** Addresses on which something listens at a port, as the kernel has it. */
export function listening(port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  return ["tcp", "tcp6"].flatMap((protocol) =>
    readFileSync(`/proc/net/${protocol}`, "utf8")
      .split("\n")
      .flatMap((line) => {
        const [, local = "", , state] = line.trim().split(/\s+/);
        const [address = "", at] = local.split(":");
        if (at !== wanted || state !== "0A") return [];
        return [address === "0100007F" ? "127.0.0.1" : address];
      }),
  );
}

export function bindable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

/** The temporary folder that a server was started in: of its arguments, not of the program, which may be in one too. */
export function directoryOf(pid: number): string {
  const [, ...args] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  return /\/.*\/aft-bench-\w+(?:-\d+)*-\w{6}/.exec(args.join("\n"))?.[0] ?? "";
}

/** A process that has started a service is killed; all that it started must end with it. */
export async function endsWithParent(name: StorageServiceName): Promise<void> {
  const parent = spawn(process.execPath, [holder, name], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const line = await new Promise<string>((resolve, reject) => {
      createInterface({ input: parent.stdout }).once("line", resolve);
      parent.once("exit", (code) => {
        reject(new Error(`it ended with ${code}`));
      });
    });
    const { pids } = JSON.parse(line) as { pids: number[] };
    // The server itself; processes that it has for connections come and go.
    expect(isThere(pids[0] ?? 0)).toBe(true);
    const directory = directoryOf(pids[0] ?? 0);
    parent.kill("SIGKILL");
    await expect.poll(() => pids.filter(isThere), { timeout: 10_000 }).toEqual([]);
    // Nobody was left who could have removed it.
    expect(existsSync(directory)).toBe(true);
    rmSync(directory, { recursive: true });
  } finally {
    // Also where something above failed: it would keep the test's process from ending.
    parent.kill("SIGKILL");
  }
}

/** Dead and not yet waited for by whoever inherited it is gone. */
function isThere(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
