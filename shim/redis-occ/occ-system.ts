/**
 * @module Optimistic concurrency control on one Redis server: reads remember versions, and one script at the
 * end checks that all of them are still the newest and writes everything.
 *
 * Gives     committed transactions are serializable, in the order of their commits, which is also real time:
 *           all that was read was still true at the instant of writing. A transaction that only reads is
 *           checked in the same way, unless one command has read everything.
 * Gives not reads that fit together before the end: a function may see what never was at one instant, and
 *           learns it at the commit, which then fails, or at the second read of a key. Its effects never
 *           happen, and what it returned is thrown away with the attempt.
 * Once      the same script writes a record of the request and looks for one first, so of several attempts
 *           one is done, also when the answer of the first was lost. Records are kept for `retentionMs`; an
 *           attempt that comes later is a new request.
 * Outcome   `outcomeOf` finds that record, or puts a fence that keeps the attempt from committing later:
 *           whoever asks about a transaction ends it.
 */
import type { Bytes } from "#kit/bytes.ts";
import type { Clock } from "#kit/clock.ts";
import type { Prng } from "#kit/prng.ts";
import { createAttemptId, orderText, tagOf } from "#shim/state/ids.ts";
import { checkValue, failedCommit, reasonOf, type RedisServer } from "#shim/redis/server.ts";
import type { Carried, WriteBuffer } from "#shim/state/carried.ts";
import { type KeptWritesPart, KeptWritesSession } from "#shim/state/kept-writes.ts";
import {
  type CommitOutcome,
  StateError,
  type StateContext,
  type StateCounters,
  type StateSession,
  type StateSystem,
} from "#shim/state/port.ts";
import { commitScript, outcomeScript, validateScript, versionBytes } from "./scripts.ts";

export const systemName = "redis-occ";

interface Ports {
  readonly server: RedisServer;
  readonly clock: Clock;
  readonly prng: Prng;
  readonly maxContextBytes: number;
  readonly retentionMs: number;
}

/** Closing the system closes the server's connection. */
export function createOccSystem(ports: Ports): StateSystem {
  return new OccSystem(ports);
}

class OccSystem implements StateSystem {
  readonly name = systemName;
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  begin({ requestId }: { readonly requestId: string }): StateSession {
    const transactionId = createAttemptId(requestId, this.#ports);
    return this.resume({ system: systemName, requestId, transactionId, carried: {} });
  }

  resume(context: StateContext): StateSession {
    const { maxContextBytes } = this.#ports;
    const part = new OccPart(this.#ports, context);
    return new KeptWritesSession({ ...context, maxContextBytes }, part);
  }

  async outcomeOf({ transactionId }: StateContext): Promise<CommitOutcome> {
    const { server, retentionMs } = this.#ports;
    try {
      const record = await server.run(outcomeScript, {
        keys: [recordOf(transactionId), fenceOf(transactionId)],
        args: [String(retentionMs)],
        items: 1,
      });
      if (record !== null) return toOutcome((record as Buffer).toString(), transactionId);
      return { kind: "aborted", reason: "not committed, and kept from it now" };
    } catch (error) {
      return { kind: "unknown", reason: reasonOf(error) };
    }
  }

  counters(): StateCounters {
    return this.#ports.server.counters();
  }

  close(): Promise<void> {
    return this.#ports.server.close();
  }
}

const versionPrefix = "v/";
const commandsField = "commands";
/** The version of a key without a value. */
const absent = "";

class OccPart implements KeptWritesPart {
  readonly checkValue = checkValue;
  readonly #ports: Ports;
  readonly #transactionId: string;
  /** Of every key that was read, as it was when it was read first. */
  readonly #versions = new Map<string, string>();
  /** What one command reads is of one instant. */
  #commands: number;

  constructor(ports: Ports, { transactionId, carried }: StateContext) {
    this.#ports = ports;
    this.#transactionId = transactionId;
    this.#commands = Number(carried[commandsField] ?? 0);
    for (const [name, version] of Object.entries(carried))
      if (name.startsWith(versionPrefix))
        this.#versions.set(name.slice(versionPrefix.length), String(version));
  }

  async fetch(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    this.#commands += 1;
    const stored = await this.#ports.server.getMany(keys.map(nameOf), versionBytes);
    return keys.map((key, index) => {
      const { version, value } = split(stored[index]);
      const known = this.#versions.get(key);
      if (known !== undefined && known !== version) throw conflict(key);
      this.#versions.set(key, version);
      return value;
    });
  }

  carried(): Carried {
    const versions = [...this.#versions].map(([key, version]): [string, string] => [
      versionPrefix + key,
      version,
    ]);
    return { ...Object.fromEntries(versions), [commandsField]: this.#commands };
  }

  async commit(writes: WriteBuffer): Promise<CommitOutcome> {
    if (writes.size === 0) return this.#commitReads();
    try {
      return await this.#commitWrites(writes);
    } catch (error) {
      return failedCommit(error);
    }
  }

  /** Without effects there is nothing to be unsure of. */
  async #commitReads(): Promise<CommitOutcome> {
    if (this.#commands <= 1) return { kind: "committed" };
    const keys = [...this.#versions.keys()];
    try {
      const changed = await this.#ports.server.run(validateScript, {
        keys: keys.map(nameOf),
        args: [...this.#versions.values()],
        items: keys.length,
        reads: true,
      });
      const key = keys[Number(changed) - 1];
      return key === undefined ? { kind: "committed" } : aborted(conflict(key));
    } catch (error) {
      return { kind: "aborted", reason: reasonOf(error) };
    }
  }

  async #commitWrites(writes: WriteBuffer): Promise<CommitOutcome> {
    const id = this.#transactionId;
    const { server, retentionMs } = this.#ports;
    const read = [...this.#versions.keys()];
    const names: string[] = [];
    const values: Bytes[] = [];
    let written = 0;
    for (const [key, value] of writes.entries()) {
      names.push(nameOf(key));
      values.push(Buffer.concat([Buffer.from(versionOf(id), "latin1"), value]));
      written += value.length;
    }
    server.countBytes({ written });
    const answer = await server.run(commitScript, {
      keys: [recordOf(id), fenceOf(id), orderKey, ...read.map(nameOf), ...names],
      args: [id, String(retentionMs), String(read.length), ...this.#versions.values(), ...values],
      items: names.length,
    });
    const [kind = "", detail] = (answer as (Buffer | number)[]).map(String);
    switch (kind) {
      case "committed":
        return { kind: "committed", commitOrder: orderText(Number(detail)) };
      case "done":
        return toOutcome(detail ?? "", id);
      case "stale":
        return aborted(conflict(read[Number(detail) - 1] ?? ""));
      default:
        return { kind: "aborted", reason: "somebody asked what became of it, which ended it" };
    }
  }
}

/** A record is the id of the attempt that was done, and its place. */
function toOutcome(record: string, transactionId: string): CommitOutcome {
  const [by = "", count] = record.split(" ");
  const commitOrder = orderText(Number(count));
  if (by === transactionId) return { kind: "committed", commitOrder };
  return { kind: "committed", commitOrder, committedBy: by };
}

function conflict(key: string): StateError {
  const message = `somebody has written ${JSON.stringify(key)} since it was read`;
  return new StateError({ code: "conflict", disposition: "retry", message });
}

/** By its code, so that reasons of retries add up, whatever the key. */
function aborted({ code }: StateError): CommitOutcome {
  return { kind: "aborted", reason: code };
}

function split(stored: Buffer | undefined): { version: string; value: Bytes | undefined } {
  if (stored === undefined) return { version: absent, value: undefined };
  const version = stored.toString("latin1", 0, versionBytes);
  return { version, value: stored.subarray(versionBytes) };
}

/** The uuid in the id of an attempt. */
function versionOf(transactionId: string): string {
  return transactionId.slice(0, versionBytes);
}

const orderKey = `${systemName}/order`;

function nameOf(key: string): string {
  return `${systemName}/v/${key}`;
}

function recordOf(transactionId: string): string {
  return `${systemName}/request/${tagOf(transactionId)}`;
}

function fenceOf(transactionId: string): string {
  return `${systemName}/fence/${versionOf(transactionId)}`;
}
