/**
 * @module Child processes of the suite: started, waited for until they say they are ready, stopped,
 * and gone when this process is gone.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ProjectError } from "#kit/errors.ts";

/** How long a child may take to be ready (on a machine busy with something else), and to end after being asked to. */
const readyWithinMs = 60_000;
const endWithinMs = 5_000;
/** Kept of what a child writes to stderr, for the error message. */
const keptErrorCharacters = 4_000;

/** A child ended or fell silent before it was ready. */
export class ServiceStartError extends ProjectError {
  readonly code = "service_start_failed";
  readonly disposition = "abort";

  constructor(service: string, why: string) {
    super(`${service} did not start: ${why}`);
  }
}

/** Half the CPU time of a start is compiling; a replacement for a dead replica is waited for. */
const compileCache = fileURLToPath(
  new URL("../../node_modules/.cache/aft-bench-compile", import.meta.url),
);

export interface Child {
  readonly pid: number;
  /** The line with which it said that it is ready, parsed. */
  readonly ready: Readonly<Record<string, unknown>>;
  readonly exited: Promise<void>;
  /** The end of what it wrote to stderr. */
  errorOutput(): string;
  /** SIGTERM, and SIGKILL if that does not help. Idempotent. */
  stop(): Promise<void>;
  /** SIGKILL, also of the program behind a guard. */
  readonly kill: () => void;
}

/**
 * Starts a Node module of ours. It must print one JSON line when it is ready and end when its
 * standard input ends.
 */
export async function startModule(options: {
  readonly name: string;
  readonly modulePath: string;
  readonly args?: readonly string[];
  /** For Node itself, in front of the module. */
  readonly nodeArguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Told each line of its standard output behind the first one. */
  readonly onLine?: (line: string) => void;
}): Promise<Child> {
  const { name, modulePath, args = [], nodeArguments = [], environment = {}, onLine } = options;
  const child = spawn(process.execPath, [...nodeArguments, modulePath, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: {
      NODE_COMPILE_CACHE: compileCache,
      ...withoutNodeOptions(process.env),
      ...environment,
    },
  });
  if (onLine !== undefined && child.stdout !== null) {
    let isFirst = true;
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (!isFirst) onLine(line);
      isFirst = false;
    });
  }
  return watch(name, child);
}

/** Starts a program behind the guard; `ready` then is the guard's line. */
export function startProgram(options: {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** As whom it runs. Default: as this process. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** What it is asked to end with, before it is killed. Default: nothing, it is killed. */
  readonly endWith?: NodeJS.Signals;
  readonly environment?: Readonly<Record<string, string>>;
}): Promise<Child> {
  const { name, program, args, user, endWith, environment = {} } = options;
  return startModule({
    name,
    modulePath: fileURLToPath(import.meta.resolve("#harness/services/guard.ts")),
    args: [
      ...(user === undefined ? [] : [`--uid=${user.uid}`, `--gid=${user.gid}`]),
      ...(endWith === undefined ? [] : [`--end-with=${endWith}`]),
      "--",
      program,
      ...args,
    ],
    environment,
  });
}

/** The process id of the program behind a guard: what CPU is accounted to, and what a crash test kills. */
export function programPid({ ready }: Child): number | undefined {
  const { guarded } = ready;
  return typeof guarded === "number" ? guarded : undefined;
}

async function watch(name: string, child: ChildProcess): Promise<Child> {
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-keptErrorCharacters);
  });
  // A child that dies while we write to it must not take us along.
  child.stdin?.on("error", () => {});
  const exited = new Promise<void>((resolve) => {
    child.on("exit", () => {
      resolve();
    });
    child.on("error", (error) => {
      errors += error.message;
      resolve();
    });
  });
  // A guard that is killed can no longer end its program.
  let guarded: unknown;
  const kill = (): void => {
    if (child.exitCode === null && child.signalCode === null && typeof guarded === "number")
      killIfThere(guarded);
    child.kill("SIGKILL");
  };
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    const timer = setTimeout(kill, endWithinMs);
    await exited;
    clearTimeout(timer);
    // Whoever else holds its pipes must not keep this process from ending.
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  try {
    const ready = await firstLine(name, child, () => errors);
    ({ guarded } = ready);
    return {
      pid: child.pid ?? -1,
      ready,
      exited,
      errorOutput: () => errors,
      stop,
      kill,
    };
  } catch (error) {
    // The end of its input is an end of a guard's program, also when the guard has not begun yet.
    child.stdin?.destroy();
    await stop();
    throw error;
  }
}

/** SIGKILL; of no effect on what has ended, as a server's children do without it. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

function firstLine(
  name: string,
  child: ChildProcess,
  errors: () => string,
): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    let text = "";
    const timer = setTimeout(() => {
      reject(new ServiceStartError(name, `not ready after ${readyWithinMs} ms. ${errors()}`));
    }, readyWithinMs);
    const fail = (): void => {
      clearTimeout(timer);
      reject(new ServiceStartError(name, errors() === "" ? "it ended at once" : errors()));
    };
    child.once("exit", fail);
    child.once("error", fail);
    child.stdout?.setEncoding("utf8").on("data", (part: string) => {
      if (!text.includes("\n")) text += part;
      const end = text.indexOf("\n");
      if (end < 0) return;
      clearTimeout(timer);
      child.off("exit", fail);
      try {
        resolve(JSON.parse(text.slice(0, end)) as Record<string, unknown>);
      } catch {
        reject(new ServiceStartError(name, `unexpected first line: ${text.slice(0, end)}`));
      }
    });
  });
}

/** A loader of ours (tsx) must not be inherited: children run TypeScript natively. */
function withoutNodeOptions(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _dropped, ...rest } = environment;
  return rest;
}

/** For modules started by `startModule`: ends this process when the parent is gone. */
export function exitWithParent(end: () => void): void {
  process.stdin.on("end", end);
  process.stdin.on("error", end);
  process.stdin.resume();
  process.on("SIGINT", () => {
    // Ctrl-C reaches the whole group; the parent stops its children in order.
  });
}
