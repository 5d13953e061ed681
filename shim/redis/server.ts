/**
 * @module One Redis server as the state systems here use it: a few commands, each one round trip, counted,
 * behind an emulated network if the store is.
 *
 * Nothing is repeated behind the caller's back. What a command rejects with is a `StateError`; whether it
 * may have been carried out all the same is what `failedCommit` tells.
 */
import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import type { Bytes } from "#kit/bytes.ts";
import type { Clock } from "#kit/clock.ts";
import { describeError } from "#kit/errors.ts";
import { coalesceWrites } from "#kit/node/coalesce-writes.ts";
import { EncodedCommand } from "#kit/node/encoded-command.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { type CommitOutcome, type StateCounters, StateError } from "#shim/state/port.ts";
import { createDelays, type Delays } from "#shim/storage/emulated/delays.ts";
import { emulationProfiles } from "#shim/storage/emulated/profiles.ts";
import { createServerClient } from "#shim/storage/redis/connect.ts";
import { toBuffer } from "#shim/storage/redis/values.ts";
import type { RedisSystemOptions } from "./options.ts";

/** A script, known to the server by its digest. */
export interface RedisScript {
  readonly text: string;
  readonly sha1: string;
}

/** What one run of a script is about. */
export interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly (string | Bytes)[];
  /** Values it reads and writes: what an emulated service would take time for. */
  readonly items: number;
  /** A script that only reads, for the emulation. */
  readonly reads?: boolean;
}

const maxValueBytes = 512 * 1_048_576;

/** Replies with which Redis refuses a command, or a whole MULTI or script, before doing anything. */
const refusedBefore =
  /^(OOM|READONLY|MISCONF|EXECABORT|NOAUTH|LOADING|MASTERDOWN|NOREPLICAS|BUSY|NOSCRIPT)\b/;
/** Replies that stay the same however often one asks. */
const pointless = /^(NOAUTH|NOPERM|WRONGPASS|WRONGTYPE|ERR)\b/;

export function createScript(text: string): RedisScript {
  return { text, sha1: createHash("sha1").update(text).digest("hex") };
}

export class RedisServer {
  readonly #client: Redis;
  readonly #beforeWrite: () => void;
  readonly #delays: Delays | undefined;
  readonly #counts = { calls: 0, bytesRead: 0, bytesWritten: 0 };
  #closed = false;

  private constructor(client: Redis, delays: Delays | undefined) {
    this.#client = client;
    this.#delays = delays;
    this.#beforeWrite = coalesceWrites(client);
  }

  /** Rejects with a `StateError` when the server cannot be reached. */
  static async open({ url, timeoutMs, emulation }: RedisSystemOptions): Promise<RedisServer> {
    const client = createServerClient(url, timeoutMs);
    try {
      await client.connect();
      await client.ping();
    } catch (error) {
      client.disconnect();
      throw toStateError(error);
    }
    return new RedisServer(client, emulation === undefined ? undefined : delaysOf(emulation));
  }

  counters(): StateCounters {
    return { ...this.#counts };
  }

  /** One MGET: what all keys hold at one instant. `headBytes` in front of each value are not counted. */
  async getMany(keys: readonly string[], headBytes = 0): Promise<(Buffer | undefined)[]> {
    if (keys.length === 0) return [];
    const values = await this.#ask({ items: keys.length, reads: true }, () =>
      this.#client.mgetBuffer(...keys),
    );
    return values.map((value) => {
      this.#counts.bytesRead += value === null ? 0 : value.length - headBytes;
      return value ?? undefined;
    });
  }

  /**
   * MULTI, a SET for each entry, INCR of `counter`, EXEC, sent as one. Resolves with the counter.
   * Others see all of it or nothing; an error of a single command would undo nothing (Redis has no
   * rollback), and counts as not known.
   */
  async setAll(entries: Iterable<readonly [string, Bytes]>, counter: string): Promise<number> {
    const multi = this.#client.multi();
    let items = 0;
    for (const [key, value] of entries) {
      multi.set(key, toBuffer(value));
      this.#counts.bytesWritten += value.length;
      items += 1;
    }
    multi.incr(counter);
    const replies = await this.#ask({ items }, () => multi.exec());
    for (const [error] of replies ?? []) if (error !== null) throw toStateError(error);
    return Number(replies?.at(-1)?.[1]);
  }

  /** By digest; with its text only where the server has not seen it since it started. Replies are bytes. */
  async run(
    script: RedisScript,
    { keys, args, items, reads = false }: ScriptCall,
  ): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args.map(toArgument)];
    return this.#ask({ items, reads }, async () => {
      try {
        return await this.#send("evalsha", [script.sha1, ...rest]);
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
        return this.#send("eval", [script.text, ...rest]);
      }
    });
  }

  /** Of values that a script has read or was given, which only its caller can tell. */
  countBytes({
    read = 0,
    written = 0,
  }: {
    readonly read?: number;
    readonly written?: number;
  }): void {
    this.#counts.bytesRead += read;
    this.#counts.bytesWritten += written;
  }

  /** Idempotent. What waits for an answer rejects. */
  close(): Promise<void> {
    this.#closed = true;
    // Between two attempts to connect ioredis would forget what it has queued, and never answer it.
    if (this.#client.status === "reconnecting") this.#client.status = "wait";
    this.#client.disconnect();
    return Promise.resolve();
  }

  #send(command: string, args: (string | Buffer)[]): Promise<unknown> {
    return this.#client.sendCommand(new EncodedCommand(command, args)) as Promise<unknown>;
  }

  async #ask<T>(
    { items, reads = false }: { readonly items: number; readonly reads?: boolean },
    call: () => Promise<T>,
  ): Promise<T> {
    if (this.#closed) throw closedError();
    this.#counts.calls += 1;
    const send = (): Promise<T> => {
      this.#beforeWrite();
      return call();
    };
    try {
      if (this.#delays === undefined) return await send();
      return await this.#delays[reads ? "read" : "write"](Math.max(1, items), send);
    } catch (error) {
      throw toStateError(error);
    }
  }
}

/** Refuses what the server would refuse after it was sent. @throws StateError */
export function checkValue(key: string, value: Bytes): void {
  if (value.length <= maxValueBytes) return;
  throw new StateError({
    code: "storage_limit",
    disposition: "abort",
    message: `a value may have ${maxValueBytes} bytes, that of ${JSON.stringify(key)} has ${value.length}`,
  });
}

/** What a commit that failed has come to: aborted where the server surely did nothing. */
export function failedCommit(error: unknown): CommitOutcome {
  const cause = error instanceof StateError ? (error.cause ?? error) : error;
  const reason = reasonOf(error);
  const isSure =
    cause instanceof Error &&
    (cause.message.startsWith(closedMessage) ||
      (cause.name === "ReplyError" && refusedBefore.test(cause.message)));
  return { kind: isSure ? "aborted" : "unknown", reason };
}

/** What went wrong, for an outcome. A `StateError` says it with its cause already. */
export function reasonOf(error: unknown): string {
  return error instanceof StateError ? error.message : describeError(error);
}

function toStateError(error: unknown): StateError {
  if (error instanceof StateError) return error;
  const isPointless =
    error instanceof Error && error.name === "ReplyError" && pointless.test(error.message);
  return new StateError({
    code: isPointless ? "storage_refused" : "storage_unavailable",
    disposition: isPointless ? "abort" : "retry",
    message: `redis: ${describeError(error)}`,
    cause: error,
  });
}

const closedMessage = "redis: the system is closed";

function closedError(): StateError {
  return new StateError({ code: "storage_closed", disposition: "abort", message: closedMessage });
}

function toArgument(arg: string | Bytes): string | Buffer {
  return typeof arg === "string" ? arg : toBuffer(arg);
}

function delaysOf(emulation: NonNullable<RedisSystemOptions["emulation"]>): Delays {
  const { profile, seed, coarse } = emulation;
  const clock: Clock = createSystemClock({ precise: coarse !== true });
  const prng = createPrng(seed).fork(`storage-${process.pid}`);
  return createDelays({ profile: emulationProfiles[profile], clock, prng });
}
