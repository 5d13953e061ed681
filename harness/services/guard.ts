/**
 * @module Runs one program and ends it when the parent is gone, however it went.
 *
 *   node guard.ts -- PROGRAM ARG…
 *
 * The parent holds this process's standard input open; its end, also by SIGKILL, is an end of
 * file here. Programs that are not ours (redis-server) cannot watch for it themselves.
 */
import { type ChildProcess, spawn } from "node:child_process";

const separator = process.argv.indexOf("--");
const [program, ...args] = process.argv.slice(separator + 1);
if (separator < 0 || program === undefined) {
  process.stderr.write("usage: guard.ts -- PROGRAM ARG…\n");
  process.exit(2);
}

let child: ChildProcess | undefined;
const end = (): void => {
  if (child === undefined) process.exit(0);
  child.kill("SIGKILL");
};
// Before the program starts: a signal in between would end this process and leave the program alone.
process.on("SIGTERM", end);
process.on("SIGINT", () => {
  // Ctrl-C reaches the whole group; the parent decides when this one ends.
});

child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit"] });
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
