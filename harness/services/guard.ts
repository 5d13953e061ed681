/**
 * @module Runs one program and ends it when the parent is gone, however it went.
 *
 *   node guard.ts [--uid=N --gid=N] [--end-with=SIGNAL] -- PROGRAM ARG…
 *
 * The parent holds this process's standard input open; its end, also by SIGKILL, is an end of
 * file here. Programs that are not ours (redis-server) cannot watch for it themselves.
 *
 * It ends its program by SIGKILL, or first by SIGNAL where the program has something to take away.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { parseArgs } from "node:util";

/** Shorter than the patience of whoever stops the guard. */
const endWithinMs = 4_000;

const separator = process.argv.indexOf("--");
const [program, ...args] = process.argv.slice(separator + 1);
if (separator < 0 || program === undefined) {
  process.stderr.write("usage: guard.ts [--uid=N --gid=N] [--end-with=SIGNAL] -- PROGRAM ARG…\n");
  process.exit(2);
}
const { values } = parseArgs({
  args: process.argv.slice(2, separator),
  options: {
    uid: { type: "string" },
    gid: { type: "string" },
    "end-with": { type: "string", default: "SIGKILL" },
  },
});
const { uid, gid, "end-with": endWith } = values;

let child: ChildProcess | undefined;
const end = (): void => {
  if (child === undefined) process.exit(0);
  child.kill(endWith as NodeJS.Signals);
  setTimeout(() => child?.kill("SIGKILL"), endWithinMs).unref();
};
// Before the program starts: a signal in between would end this process and leave the program alone.
process.on("SIGTERM", end);
process.on("SIGINT", () => {
  // Ctrl-C reaches the whole group; the parent decides when this one ends.
});

child = spawn(program, args, {
  stdio: ["ignore", "inherit", "inherit"],
  ...(uid !== undefined && { uid: Number(uid) }),
  ...(gid !== undefined && { gid: Number(gid) }),
});
process.stdout.write(`${JSON.stringify({ guarded: child.pid ?? null })}\n`);
child.on("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(127);
});
child.on("exit", (code, signal) => {
  process.exit(code ?? (signal === null ? 1 : 128));
});
process.stdin.on("end", end);
process.stdin.on("error", end);
process.stdin.resume();
