/** @module A program behind a guard is gone when its guard is, however that one ended. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { startProgram } from "./child.ts";

const hasProc = existsSync("/proc/self/stat");

describe.skipIf(!hasProc)("programs behind a guard (needs /proc)", () => {
  const endings = [
    ["stopped", "stop", "SIGCONT"],
    ["killed", "kill", "SIGCONT"],
    ["killed while it stands still", "kill", "SIGSTOP"],
  ] as const;
  it.each(endings)("are gone once the guard is %s", async (_name, ending, before) => {
    const child = await startProgram({ name: "sleep", program: "sleep", args: ["60"] });
    const { guarded } = child.ready as { guarded: number };
    expect(isThere(guarded)).toBe(true);
    process.kill(child.pid, before);
    await child[ending]();
    await child.exited;
    await expect.poll(() => isThere(guarded)).toBe(false);
  });
});

/** Dead and not yet waited for by whoever inherited it is gone. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
