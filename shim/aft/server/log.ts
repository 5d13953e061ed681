/**
 * @module The log of a process: JSON lines on stderr.
 *
 * Of an error only kind, message and place are written, not its other fields: an ioredis error carries
 * the command it was an answer to, and that may be AUTH with its password.
 */
import { type Logger, pino } from "pino";
import { describeError } from "#kit/errors.ts";
import { Bursts } from "./access/bursts.ts";

export function createLog(): Logger {
  return pino(
    { name: "aft", level: "warn", serializers: { err: errorFields } },
    pino.destination({ dest: 2, sync: true }),
  );
}

export function errorFields(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { message: String(error) };
  return { type: error.name, message: describeError(error), stack: error.stack };
}

/** Logs, once a burst, that a peer refuses this process or cannot be trusted. */
export function logRefusals(log: Logger): (address: string, error: Error) => void {
  const bursts = new Bursts();
  return (peer, error) => {
    const told = bursts.note(peer, Date.now());
    if (told !== undefined)
      log.warn({ kind: "peer_refused", peer, ...told }, `no talk with a peer: ${error.message}`);
  };
}
