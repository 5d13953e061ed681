/**
 * @module The client's connection to a replica: ioredis, with several commands in one write.
 *
 * Nothing is repeated behind the caller's back after a reconnect; what was sent and not answered
 * rejects, and the session decides what that means.
 */
import type { SecureContextOptions } from "node:tls";
import { Redis } from "ioredis";
import { EncodedCommand } from "#kit/node/encoded-command.ts";
import { coalesceWrites } from "#kit/node/coalesce-writes.ts";
import { StateError } from "#shim/state/port.ts";
import type { Argument, CommandConnection } from "./port.ts";

export interface AftEndpoint {
  /** `127.0.0.1:PORT` or `unix:PATH`. */
  readonly endpoint: string;
  /** Default: `default`. */
  readonly username?: string;
  readonly password?: string;
  /** Absent: unencrypted. Of no effect on a Unix socket. */
  readonly tls?: SecureContextOptions;
  /** A replica silent for so long while an answer is due is given up. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 10_000;

/** Codes the caller can do nothing about by trying again. */
const finalCodes: ReadonlySet<string> = new Set([
  "key_too_large",
  "value_too_large",
  "too_many_keys",
  "storage_limit",
]);

/** Codes that show a mistake in the caller. */
const bugCodes: ReadonlySet<string> = new Set([
  "transaction_committed",
  "transaction_committing",
  "transaction_exists",
]);

export class AftConnection implements CommandConnection {
  readonly #redis: Redis;
  readonly #beforeWrite: () => void;
  private constructor(redis: Redis) {
    this.#redis = redis;
    this.#beforeWrite = coalesceWrites(() => redis.stream);
  }

  /** Connects with the first command, or when `ready` is called. */
  static create(options: AftEndpoint): AftConnection {
    const { endpoint, username, password, tls, timeoutMs = defaultTimeoutMs } = options;
    const at = addressOf(endpoint);
    const redis = new Redis({
      ...at,
      ...(tls !== undefined && !("path" in at) && { tls }),
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      lazyConnect: true,
      noDelay: true,
      // Per socket, not per command: a timer for each command costs more than the command.
      socketTimeout: timeoutMs,
      connectTimeout: timeoutMs,
      enableReadyCheck: false,
      autoResendUnfulfilledCommands: false,
      // With one or more, what was under way when a connection ended would never be answered if the
      // next one opens at once.
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt) => Math.min(20 * 2 ** Math.min(attempt, 6), 1_000),
    });
    // Errors reach callers through their commands.
    redis.on("error", () => {});
    return new AftConnection(redis);
  }

  /** Rejects with a `StateError` when the replica cannot be reached. */
  async ready(): Promise<void> {
    try {
      await this.#redis.connect();
    } catch (error) {
      this.#redis.disconnect();
      throw toStateError(error);
    }
  }

  /**
   * Sends one command, named in lower case, in one write with all others of this turn. Rejects with what ioredis rejects
   * with; see `toStateError`.
   */
  send(command: string, args: Argument[]): Promise<unknown> {
    this.#beforeWrite();
    return this.#redis.sendCommand(new EncodedCommand(command, args)) as Promise<unknown>;
  }

  /** What waits for an answer rejects, and so does all that is sent later. */
  close(): void {
    // Between two attempts to connect ioredis would forget what it has queued, and never answer it.
    if (this.#redis.status === "reconnecting") this.#redis.status = "wait";
    this.#redis.disconnect();
  }
}

/** Whether the replica itself answered with an error; otherwise an answer is missing. */
export function isAnswer(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

export function toStateError(error: unknown): StateError {
  if (error instanceof StateError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (!isAnswer(error)) {
    return new StateError({
      code: "replica_unreachable",
      disposition: "retry",
      message: `no answer from the AFT replica: ${message}`,
      cause: error,
    });
  }
  const [, word = "error", text = message] = /^AFT_([A-Z_]+) (.*)$/.exec(message) ?? [];
  const code = word.toLowerCase();
  const disposition = finalCodes.has(code) ? "abort" : bugCodes.has(code) ? "bug" : "retry";
  return new StateError({ code, disposition, message: text, cause: error });
}

function addressOf(endpoint: string): { path: string } | { host: string; port: number } {
  if (endpoint.startsWith("unix:")) return { path: endpoint.slice("unix:".length) };
  const colon = endpoint.lastIndexOf(":");
  return { host: endpoint.slice(0, colon), port: Number(endpoint.slice(colon + 1)) };
}
