/**
 * @module Process entry of a fault manager: configuration from the environment
 * (`config.ts`); on stdout one JSON line
 * when it works, then one for each event; exit 0 after SIGTERM or when the parent is gone.
 */
import { ConfigError, describeError } from "#kit/errors.ts";
import type { Launcher } from "../cluster/port.ts";
import { readManagerConfig } from "./config.ts";
import { endWhenAsked } from "./lifetime.ts";
import { startManager } from "./manager.ts";

/** How often figures are told. */
const statsMs = 1_000;

const say = (event: Readonly<Record<string, unknown>>): void => {
  process.stdout.write(`${JSON.stringify({ ...event, atMs: Date.now() })}\n`);
};

/** The parent hears the event and starts the replica, so that it outlives this process. */
const parentLauncher: Launcher = { launch: () => Promise.resolve() };

try {
  const { config, secrets } = readManagerConfig(process.env);
  const early: Readonly<Record<string, unknown>>[] = [];
  let isReady = false;
  const running = await startManager(config, {
    secrets,
    ...(config.launcher === "parent" && { launcher: parentLauncher }),
    onEvent: (event) => {
      const told =
        event.kind === "failed"
          ? { kind: event.kind, what: event.what, cause: describeError(event.cause) }
          : { ...event };
      if (isReady) say(told);
      else early.push(told);
    },
  });
  const timer = setInterval(() => {
    say({ kind: "stats", ...running.manager.stats() });
  }, statsMs);
  const close = (): Promise<void> => {
    clearInterval(timer);
    return running.close();
  };
  endWhenAsked(close, { standalone: process.env["AFT_STANDALONE"] === "1" });
  say({ ready: true, adminAddress: running.adminAddress });
  isReady = true;
  for (const event of early) say(event);
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(error instanceof ConfigError ? 2 : 1);
}
