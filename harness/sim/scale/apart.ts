/**
 * @module Simulations in processes of their own: as many at once as there are cores, and each with a heap of
 * its own, which hundreds of replicas fill.
 *
 * Adapter: the same configuration gives the same events here as in this process.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ScaleConfig, ScaleResult } from "./scale.ts";

const modulePath = fileURLToPath(import.meta.resolve("#harness/sim/scale/apart-process.ts"));
/** 1,024 replicas that all talk to each other take 10 GiB; what dies young is much, and is not to be copied. */
const nodeArguments = ["--max-old-space-size=16384", "--max-semi-space-size=64"];

type Answer = { readonly result: ScaleResult } | { readonly error: string };

/** Rejects with what the simulation threw, when its process ends early, and with the signal's reason. */
export function simulateApart(config: ScaleConfig, signal: AbortSignal): Promise<ScaleResult> {
  return new Promise((resolve, reject) => {
    const child = fork(modulePath, {
      execArgv: nodeArguments,
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const stop = (): void => {
      child.kill("SIGKILL");
    };
    signal.addEventListener("abort", stop, { once: true });
    child.once("message", (message) => {
      const answer = message as Answer;
      if ("result" in answer) resolve(answer.result);
      else reject(new Error(answer.error));
      stop();
    });
    child.once("error", reject);
    child.once("exit", (code, killedBy) => {
      signal.removeEventListener("abort", stop);
      const how = killedBy ?? `exit code ${code}`;
      reject(new Error(`the simulation of ${config.replicas} replicas ended early: ${how}`));
    });
    child.send(config);
  });
}
