/**
 * @module Redis through ioredis: one server (TCP, TLS or Unix socket) or a cluster.
 *
 * Sealing on one server: one MSETNX for all groups, which does all or nothing; where a name exists
 * already (a seal of somebody else, data that was spilled or sent before), a script that looks at
 * each group on its own (seal-script.ts).
 *
 * Sealing on a cluster: keys live on different servers, so data first, then seals (two trips).
 *
 * Writes are never repeated behind the caller's back: a command that was sent and not answered
 * rejects with effect "unknown".
 */
import { Cluster, type Command, type Redis } from "ioredis";
import type { Bytes } from "#kit/bytes.ts";
import { coalesceWrites } from "#kit/node/coalesce-writes.ts";
import { CommandBuffer } from "#kit/node/command-buffer.ts";
import { EncodedCommand } from "#kit/node/encoded-command.ts";
import {
  type Effect,
  StorageClosedError,
  StorageError,
  StorageLimitError,
  type StorageOperation,
  StorageUnavailableError,
} from "../errors.ts";
import type {
  ListCursor,
  ListOptions,
  ListPage,
  SealedWrite,
  SealOutcome,
  StorageCapabilities,
  StorageEngine,
  StorageEntry,
  StorageKey,
} from "../port.ts";
import { sealInTwoSteps } from "../seal-in-two-steps.ts";
import type { StorageTarget } from "../target.ts";
import { sealArguments, sealRefused, sealScript } from "./seal-script.ts";
import { toBuffer } from "./values.ts";
import { createClusterClient, createServerClient } from "./connect.ts";

type Client = Redis | Cluster;

const scanCount = 1_000;
const maxValueBytes = 512 * 1_048_576;
/** Commands per pipeline; larger batches are cut so that no answer is awaited for too long. */
const maxBatch = 1_000;

/** Memory of commands that is kept for the next ones. */
const maxSpareBuffers = 4;

/** Error replies with which Redis refuses a command before doing anything. */
const refusedWithoutEffect =
  /^(OOM|READONLY|MISCONF|EXECABORT|NOAUTH|NOPERM|LOADING|CLUSTERDOWN|MASTERDOWN|NOREPLICAS|WRONGTYPE|ERR)\b/;

export type RedisTarget = Extract<StorageTarget, { engine: "redis" }>;

/** Opens a store; rejects with `StorageUnavailableError` when it cannot be reached. */
export async function openRedisEngine(
  target: RedisTarget,
  options: RedisEngineOptions = {},
): Promise<StorageEngine> {
  const timeoutMs = options.commandTimeoutMs ?? 5_000;
  const client = target.cluster
    ? createClusterClient(target.urls, timeoutMs)
    : createServerClient(target.urls[0] ?? "redis://127.0.0.1:6379", timeoutMs);
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    client.disconnect();
    throw new StorageUnavailableError({
      engine: "redis",
      operation: "open",
      effect: "none",
      cause: error,
    });
  }
  return new RedisEngine(client, target.cluster);
}

export interface RedisEngineOptions {
  /** A command not answered within this time rejects with effect "unknown". */
  readonly commandTimeoutMs?: number;
}

class RedisEngine implements StorageEngine {
  readonly name = "redis";
  readonly capabilities: StorageCapabilities;
  readonly #client: Client;
  readonly #cluster: boolean;
  readonly #beforeWrite: () => void;
  readonly #spareBuffers: CommandBuffer[] = [];
  #closed = false;

  constructor(client: Client, cluster: boolean) {
    this.#client = client;
    this.#cluster = cluster;
    this.#beforeWrite = client instanceof Cluster ? () => {} : coalesceWrites(client);
    this.capabilities = {
      maxBatch,
      maxValueBytes,
      maxKeyBytes: maxValueBytes,
      atomicMultiPut: false,
      orderedPipeline: !cluster,
      conditionalPut: true,
      consistentRead: true,
      transactions: !cluster,
      orderedList: false,
      shared: true,
      durability: "process-crash",
      durabilityNote: "as the server's appendonly and appendfsync settings say",
    };
  }

  get(key: StorageKey): Promise<Bytes | undefined> {
    return this.#send("get", key, new EncodedCommand("get", [key])) as Promise<Bytes | undefined>;
  }

  async multiGet(keys: readonly StorageKey[]): Promise<(Bytes | undefined)[]> {
    return this.#guard("multiGet", keys[0], async () => {
      const values: (Bytes | undefined)[] = [];
      for (let start = 0; start < keys.length; start += maxBatch) {
        const part = keys.slice(start, start + maxBatch);
        for (const value of await this.#getPart(part)) values.push(value ?? undefined);
      }
      return values;
    });
  }

  async put(key: StorageKey, value: Bytes): Promise<void> {
    this.#checkSize("put", [{ key, value }]);
    await this.#send("put", key, new EncodedCommand("set", [key, toBuffer(value)]));
  }

  async multiPut(entries: readonly StorageEntry[]): Promise<void> {
    this.#checkSize("multiPut", entries);
    for (let start = 0; start < entries.length; start += maxBatch) {
      const part = entries.slice(start, start + maxBatch);
      await this.#bySlot("multiPut", part, (items) => this.#client.mset(...flat(items)));
    }
  }

  async putIfAbsent(key: StorageKey, value: Bytes): Promise<boolean> {
    this.#checkSize("putIfAbsent", [{ key, value }]);
    const reply = await this.#guard("putIfAbsent", key, () =>
      this.#client.set(key, toBuffer(value), "NX"),
    );
    return reply === "OK";
  }

  putSealed(groups: readonly SealedWrite[]): Promise<SealOutcome[]> {
    if (this.#cluster) return sealInTwoSteps(this, groups);
    for (const group of groups)
      if (this.#refusal(group) !== undefined) return this.#sealAllowed(groups);
    return this.#sealOnServer(groups);
  }

  async #sealAllowed(groups: readonly SealedWrite[]): Promise<SealOutcome[]> {
    const refusals = groups.map((group) => this.#refusal(group));
    const sendable = groups.filter((_group, index) => refusals[index] === undefined);
    const outcomes = sendable.length === 0 ? [] : await this.#sealOnServer(sendable);
    let next = 0;
    return refusals.map((refusal) => {
      if (refusal !== undefined) return { kind: "failed", error: refusal };
      const outcome = outcomes[next];
      next += 1;
      return outcome ?? this.#failed("putSealed", undefined, new Error("no answer for a group"));
    });
  }

  async delete(key: StorageKey): Promise<void> {
    await this.#guard("delete", key, () => this.#client.del(key));
  }

  async multiDelete(keys: readonly StorageKey[]): Promise<void> {
    for (let start = 0; start < keys.length; start += maxBatch) {
      const part = keys.slice(start, start + maxBatch).map((key) => ({ key }));
      await this.#bySlot("multiDelete", part, (items) =>
        this.#client.unlink(...items.map(({ key }) => key)),
      );
    }
  }

  /** SCAN, server after server; the cursor names the server and the position on it. */
  async list(prefix: string, options: ListOptions = {}): Promise<ListPage> {
    return this.#guard("list", undefined, async () => {
      const servers = this.#servers();
      const [server = 0, position = "0"] = parseCursor(options.cursor);
      const node = servers[server];
      if (node === undefined) return { keys: [] };
      const count = Math.max(10, options.limit ?? scanCount);
      const pattern = `${escapeGlob(prefix)}*`;
      const [next, keys] = await node.scan(position, "MATCH", pattern, "COUNT", count);
      const cursor = nextCursor({ server, next, servers: servers.length });
      return { keys: keys as StorageKey[], ...(cursor !== undefined && { cursor }) };
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#client.disconnect();
    return Promise.resolve();
  }

  /** All groups in one command: one reply to wait for, and one allocation where MULTI needs four. */
  async #sealOnServer(groups: readonly SealedWrite[]): Promise<SealOutcome[]> {
    this.#beforeWrite();
    let replies: unknown;
    try {
      // Native code moves the values once; a script would copy and hash each of them for Lua.
      if (haveDistinctSeals(groups) && (await this.#setAllNew(groups)))
        return groups.map(() => sealed);
      replies = await this.#runSeal(sealArguments(groups));
    } catch (error) {
      return groups.map(({ seal }) => this.#failed("putSealed", seal.key, error));
    }
    if (!Array.isArray(replies) || replies.length !== groups.length) {
      const cause = new Error("the script answered something else");
      return groups.map(({ seal }) => this.#failed("putSealed", seal.key, cause));
    }
    return replies.map((reply) => (reply === 1 ? sealed : { kind: "alreadySealed" }));
  }

  async #setAllNew(groups: readonly SealedWrite[]): Promise<boolean> {
    const buffer = this.#spareBuffers.pop() ?? new CommandBuffer();
    let count = 0;
    for (const { entries } of groups) count += entries.length + 1;
    buffer.begin("msetnx", 2 * count);
    for (const { entries, seal } of groups) {
      for (const { key, value } of entries) {
        buffer.text(key);
        buffer.bytes(value);
      }
      buffer.text(seal.key);
      buffer.bytes(seal.value);
    }
    const reply = await this.#client.sendCommand(buffer.command());
    // Answered, so all of it was sent. After a failure it may still wait for that: the buffer is left to it.
    if (buffer.isWorthKeeping && this.#spareBuffers.length < maxSpareBuffers)
      this.#spareBuffers.push(buffer);
    return reply === 1;
  }

  /** By digest; with its text only where the server has not seen it since it started. */
  async #runSeal(args: ReturnType<typeof sealArguments>): Promise<unknown> {
    try {
      return await this.#client.evalsha(sealScript.sha1, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return this.#client.eval(sealScript.text, ...args);
    }
  }

  #refusal({ entries, seal }: SealedWrite): StorageError | undefined {
    if (this.#closed) return this.#closedError("putSealed", seal.key);
    const isLarge = ({ value }: StorageEntry): boolean => value.length > maxValueBytes;
    const large = isLarge(seal) ? seal : entries.find(isLarge);
    return large === undefined ? undefined : this.#tooLarge("putSealed", large);
  }

  #failed(operation: StorageOperation, key: StorageKey | undefined, cause: unknown): SealOutcome {
    return { kind: "failed", error: this.#error(operation, key, cause) };
  }

  async #getPart(keys: readonly StorageKey[]): Promise<(Bytes | null)[]> {
    if (keys.length === 0) return [];
    if (!this.#cluster) return this.#client.mgetBuffer(...keys);
    // A cluster refuses MGET over several slots.
    return Promise.all(keys.map((key) => this.#client.getBuffer(key)));
  }

  /** One command for all on one server; on a cluster, where slots differ, one for each. */
  async #bySlot<T extends { readonly key: StorageKey }>(
    operation: StorageOperation,
    items: readonly T[],
    send: (items: readonly T[]) => Promise<unknown>,
  ): Promise<void> {
    if (items.length === 0) return;
    const parts = this.#cluster ? items.map((item) => [item]) : [items];
    const sent = parts.map((part) => this.#guard(operation, part[0]?.key, () => send(part)));
    // All are awaited: what fails first must not leave others running unseen.
    for (const outcome of await Promise.allSettled(sent))
      if (outcome.status === "rejected") throw outcome.reason;
  }

  /** For single commands, of which there are many: no method of ioredis, which goes about it in more steps. */
  async #send(operation: StorageOperation, key: StorageKey, command: Command): Promise<unknown> {
    if (this.#closed) throw this.#closedError(operation, key);
    this.#beforeWrite();
    try {
      return (await this.#client.sendCommand(command)) ?? undefined;
    } catch (error) {
      throw this.#error(operation, key, error);
    }
  }

  async #guard<T>(
    operation: StorageOperation,
    key: StorageKey | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    if (this.#closed) throw this.#closedError(operation, key);
    this.#beforeWrite();
    try {
      return await work();
    } catch (error) {
      if (error instanceof StorageError) throw error;
      throw this.#error(operation, key, error);
    }
  }

  #error(operation: StorageOperation, key: StorageKey | undefined, cause: unknown): StorageError {
    if (this.#closed) return this.#closedError(operation, key);
    const effect = effectOf(operation, cause);
    return new StorageUnavailableError({ engine: this.name, operation, key, effect, cause });
  }

  #closedError(operation: StorageOperation, key: StorageKey | undefined): StorageClosedError {
    return new StorageClosedError({ engine: this.name, operation, key, effect: "unknown" });
  }

  #checkSize(operation: StorageOperation, entries: readonly StorageEntry[]): void {
    const large = entries.find(({ value }) => value.length > maxValueBytes);
    if (large !== undefined) throw this.#tooLarge(operation, large);
  }

  #tooLarge(operation: StorageOperation, { key, value }: StorageEntry): StorageLimitError {
    const limit = `a value may have ${maxValueBytes} bytes, not ${value.length}`;
    return new StorageLimitError(limit, { engine: this.name, operation, key });
  }

  #servers(): readonly Redis[] {
    return this.#client instanceof Cluster ? this.#client.nodes("master") : [this.#client];
  }
}

/** Whether a failed command was surely not carried out. */
function effectOf(operation: StorageOperation, cause: unknown): Effect {
  if (operation === "get" || operation === "multiGet" || operation === "list") return "none";
  const message = cause instanceof Error ? cause.message : "";
  const refused = operation === "putSealed" ? sealRefused : refusedWithoutEffect;
  if (refused.test(message)) return "none";
  // ioredis says so itself when it never wrote the command to a socket.
  return /enableOfflineQueue|Connection is closed\./.test(message) && !/flush/.test(message)
    ? "none"
    : "unknown";
}

const sealed: SealOutcome = { kind: "sealed" };

/** Two attempts of one request have the same seal, and MSETNX would let the last one have it. */
function haveDistinctSeals(groups: readonly SealedWrite[]): boolean {
  return groups.length === 1 || new Set(groups.map(({ seal }) => seal.key)).size === groups.length;
}

function flat(entries: readonly StorageEntry[]): (string | Buffer)[] {
  const args: (string | Buffer)[] = [];
  for (const { key, value } of entries) args.push(key, toBuffer(value));
  return args;
}

function escapeGlob(text: string): string {
  return text.replaceAll(/[*?[\]\\]/g, (character) => `\\${character}`);
}

function parseCursor(cursor: ListCursor | undefined): [number, string] | [] {
  if (cursor === undefined) return [];
  const [server = "0", position = "0"] = cursor.split(":");
  return [Number(server), position];
}

function nextCursor(options: {
  readonly server: number;
  readonly next: string;
  readonly servers: number;
}): ListCursor | undefined {
  const { server, next, servers } = options;
  if (next !== "0") return `${server}:${next}` as ListCursor;
  return server + 1 < servers ? (`${server + 1}:0` as ListCursor) : undefined;
}
