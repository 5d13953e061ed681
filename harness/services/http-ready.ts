import { setTimeout as sleep } from "node:timers/promises";
import { type Child, ServiceStartError } from "./child.ts";

const askEveryMs = 20;
const askTimeoutMs = 2_000;
/** As long as a child may take to be ready. */
const readyWithinMs = 60_000;

/** Waits until a server answers with success. Rejects with `ServiceStartError` when it ends or never does. */
export async function waitUntilAnswers(name: string, url: string, child: Child): Promise<void> {
  let ended = false;
  void child.exited.then(() => {
    ended = true;
  });
  const signal = AbortSignal.timeout(readyWithinMs);
  while (!signal.aborted) {
    if (ended) throw new ServiceStartError(name, child.errorOutput() || "it ended at once");
    try {
      const { ok } = await fetch(url, { signal: AbortSignal.timeout(askTimeoutMs) });
      if (ok) return;
    } catch {
      // It does not listen yet.
    }
    await sleep(askEveryMs);
  }
  throw new ServiceStartError(name, `it never answered at ${url}. ${child.errorOutput()}`);
}
