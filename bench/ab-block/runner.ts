/** @module A block runner as seen by whoever interleaves: a process of one revision, told what to run. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ConfigError, ProjectError } from "#kit/errors.ts";
import {
  type BlockAnswer,
  blockProtocol,
  type BlockRunnerConfig,
  blockRunnerPath,
} from "./protocol.ts";

export interface BlockRunner {
  run(block: number, durationMs: number): Promise<BlockAnswer>;
  stop(): Promise<void>;
}

/** How long a runner may take beyond the block it was told to run, and to be ready. */
const patienceMs = 30_000;
const keptErrorCharacters = 4_000;

/** A runner ended or fell silent. */
export class BlockRunnerFailedError extends ProjectError {
  readonly code = "ab_runner_failed";
  readonly disposition = "abort";
}

/**
 * Starts the runner of the checkout at `root`.
 *
 * Rejects with `ConfigError` when that revision has none, and with `BlockRunnerFailedError`.
 */
export async function startBlockRunner(options: {
  readonly name: string;
  readonly root: string;
  readonly config: Omit<BlockRunnerConfig, "protocol">;
}): Promise<BlockRunner> {
  const { name, root, config } = options;
  // A package holds it as JavaScript.
  const paths = [blockRunnerPath, blockRunnerPath.replace(/\.ts$/, ".js")];
  const modulePath = paths.map((path) => join(root, path)).find(existsSync);
  if (modulePath === undefined) {
    const hint = "compare with a revision that ships the block runner";
    throw new ConfigError([{ where: name, what: `has no ${blockRunnerPath}`, hint }]);
  }
  const { NODE_OPTIONS: _dropped, ...environment } = process.env;
  const child = spawn(process.execPath, [modulePath], {
    cwd: root,
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...environment, AFT_AB_BLOCK: JSON.stringify({ ...config, protocol: blockProtocol }) },
  });
  const talk = conversation(name, child);
  try {
    await talk.next(patienceMs);
  } catch (error) {
    await talk.stop();
    throw error;
  }
  return {
    run: async (block, durationMs) => {
      child.stdin.write(`${JSON.stringify({ run: "block", block, durationMs })}\n`);
      return (await talk.next(durationMs + patienceMs)) as BlockAnswer;
    },
    stop: () => talk.stop(),
  };
}

function conversation(
  name: string,
  child: ChildProcess,
): { next(withinMs: number): Promise<unknown>; stop(): Promise<void> } {
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-keptErrorCharacters);
  });
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
  const lines: string[] = [];
  let wake = (): void => {};
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines.push(line);
      wake();
    });
  const next = async (withinMs: number): Promise<unknown> => {
    let timer: NodeJS.Timeout | undefined;
    const line = new Promise<void>((resolve) => {
      wake = resolve;
      if (lines.length > 0) resolve();
    });
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs);
    });
    await Promise.race([line, late, exited]);
    clearTimeout(timer);
    const text = lines.shift();
    if (text !== undefined) return JSON.parse(text) as unknown;
    const why = errors === "" ? `no answer within ${withinMs} ms` : errors.trim();
    throw new BlockRunnerFailedError(`the block runner of ${name} failed: ${why}`);
  };
  const stop = async (): Promise<void> => {
    child.stdin?.end();
    const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
    await exited;
    clearTimeout(timer);
  };
  return { next, stop };
}
