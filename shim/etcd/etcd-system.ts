/**
 * @module A snapshot that travels by value: the first read fixes a revision of the store, every later read of the
 * request, in whichever function, is of that revision; writes are kept, and one transaction writes them all.
 *
 * Gives     snapshot isolation: reads are of one instant, and a transaction commits only if nobody has
 *           changed a key that it writes since then (first committer wins). As `etcd-ser` also only if nobody
 *           has changed a key that it read: serializable. A transaction that wrote before it read anything
 *           has no instant of its own and is not compared.
 * Gives not write skew away as `etcd`: two that read the same keys and write different ones both commit.
 * Once      the same transaction writes a record of the request and compares that there is none, so of
 *           several attempts one is done. Records are kept for ever; etcd has leases, which are not used.
 * Outcome   a lost answer is asked for by sending the same again, which finds the record. `outcomeOf` finds it
 *           too, or puts a fence that keeps the attempt from committing later.
 * Limits    what the server takes in one transaction: operations (128) and bytes (1.5 MiB); what is more is
 *           refused when it is written. A revision that was compacted meanwhile can no longer be read.
 */
import type { Bytes } from "#kit/bytes.ts";
import { type Clock, delay } from "#kit/clock.ts";
import type { Prng } from "#kit/prng.ts";
import { createAttemptId, orderText, tagOf } from "#shim/state/ids.ts";
import type { Carried, WriteBuffer } from "#shim/state/carried.ts";
import { type KeptWritesPart, KeptWritesSession } from "#shim/state/kept-writes.ts";
import type {
  CommitOutcome,
  StateContext,
  StateCounters,
  StateSession,
  StateSystem,
} from "#shim/state/port.ts";
import type { EtcdClient, Snapshot } from "./client.ts";
import { EtcdRefusal, limitExceeded, toStateError } from "./errors.ts";
import {
  absent,
  type Compare,
  decodeBytes,
  encodeBytes,
  encodeText,
  type Operation,
  revisionOf,
  type TxnRequest,
  type TxnResponse,
  unchangedSince,
} from "./protocol.ts";

export interface EtcdLimits {
  /** Of one transaction: comparisons, and operations. */
  readonly maxTxnOps: number;
  readonly maxRequestBytes: number;
  /** A larger context is refused when it would be passed on. */
  readonly maxContextBytes: number;
}

export interface EtcdPorts {
  readonly name: string;
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly prng: Prng;
  readonly limits: EtcdLimits;
  /** Which keys must be unchanged when it commits. */
  readonly compares: "writes" | "reads-and-writes";
}

/** How often and how long a lost answer is asked for. */
const askAgainAttempts = 8;
const askAgainPauseUs = 50_000;
/** Of one write, beside twice its key and its value: tags and lengths. */
const overheadBytes = 64;
/** The record of the request, and the fence that is compared. */
const ownOperations = 2;

/** Closing the system closes the client. */
export function createEtcdSystem(ports: EtcdPorts): StateSystem {
  return new EtcdSystem(ports);
}

class EtcdSystem implements StateSystem {
  readonly name: string;
  readonly #ports: EtcdPorts;

  constructor(ports: EtcdPorts) {
    this.name = ports.name;
    this.#ports = ports;
  }

  begin({ requestId }: { readonly requestId: string }): StateSession {
    const transactionId = createAttemptId(requestId, this.#ports);
    return this.resume({ system: this.name, requestId, transactionId, carried: {} });
  }

  resume(context: StateContext): StateSession {
    const { maxContextBytes } = this.#ports.limits;
    const part = new EtcdPart(this.#ports, context);
    return new KeptWritesSession({ ...context, maxContextBytes }, part);
  }

  async outcomeOf({ transactionId }: StateContext): Promise<CommitOutcome> {
    const record = recordOf(transactionId);
    try {
      const answer = await this.#ports.client.txn({
        compare: [absent(record)],
        success: [{ request_put: { key: fenceOf(transactionId), value: "" } }],
        failure: [{ request_range: { key: record } }],
      });
      return (
        recorded(answer, transactionId) ?? {
          kind: "aborted",
          reason: "not committed, and kept from it now",
        }
      );
    } catch (error) {
      return { kind: "unknown", reason: toStateError(error).message };
    }
  }

  counters(): StateCounters {
    return this.#ports.client.counters();
  }

  close(): Promise<void> {
    this.#ports.client.close();
    return Promise.resolve();
  }
}

const revisionField = "revision";
const readPrefix = "r/";
/** Of what is carried by `WriteBuffer`. */
const writePrefix = "w/";

class EtcdPart implements KeptWritesPart {
  readonly #ports: EtcdPorts;
  readonly #nameOf: (key: string) => string;
  readonly #transactionId: string;
  /** Names of keys that were read, where they are compared. */
  readonly #read = new Set<string>();
  /** Names of keys that were written. */
  readonly #written = new Set<string>();
  #writtenBytes = 0;
  #revision: number | undefined;
  /** The read that fixes the revision. */
  #fixing: Promise<Snapshot> | undefined;

  constructor(ports: EtcdPorts, { transactionId, carried }: StateContext) {
    this.#ports = ports;
    // Systems may share a server, and not their values. Names are sent in base64, and counted so.
    this.#nameOf = (key) => encodeText(`aft-bench/${ports.name}/${key}`);
    this.#transactionId = transactionId;
    const revision = carried[revisionField];
    if (revision !== undefined) this.#revision = Number(revision);
    for (const [field, content] of Object.entries(carried)) {
      if (field.startsWith(readPrefix)) this.#read.add(field.slice(readPrefix.length));
      // Base64, as it was carried.
      const bytes = (String(content).length / 4) * 3;
      if (field.startsWith(writePrefix)) this.#count(field.slice(writePrefix.length), bytes);
    }
  }

  async fetch(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    const names = keys.map(this.#nameOf);
    if (this.#ports.compares === "reads-and-writes") {
      for (const name of names) this.#read.add(name);
      this.#checkOperations();
    }
    try {
      const { values } = await this.#readAtRevision(names);
      return [...values];
    } catch (error) {
      throw toStateError(error);
    }
  }

  checkValue(key: string, value: Bytes): void {
    this.#count(key, value.length);
    this.#checkOperations();
    const { maxRequestBytes } = this.#ports.limits;
    if (this.#writtenBytes > maxRequestBytes)
      throw limitExceeded(
        `one transaction takes ${maxRequestBytes} bytes, not ${this.#writtenBytes}: split it`,
      );
  }

  carried(): Carried {
    return {
      ...(this.#revision !== undefined && { [revisionField]: this.#revision }),
      ...Object.fromEntries([...this.#read].map((name) => [readPrefix + name, 1])),
    };
  }

  async commit(writes: WriteBuffer): Promise<CommitOutcome> {
    // What was read is of one instant, and that is where it is in the order.
    if (writes.size === 0) return { kind: "committed" };
    const request = this.#transactionOf(writes);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return this.#outcomeOf(await this.#ports.client.txn(request));
      } catch (error) {
        const { code, message } = toStateError(error);
        // A refusal with a known reason is final; whatever else happened, the record tells.
        if (error instanceof EtcdRefusal && code !== "storage_unavailable")
          return { kind: "aborted", reason: `${code}: ${message}` };
        if (attempt > askAgainAttempts) return { kind: "unknown", reason: message };
        await delay(this.#ports.clock, askAgainPauseUs * attempt);
      }
    }
  }

  #transactionOf(writes: WriteBuffer): TxnRequest {
    const record = recordOf(this.#transactionId);
    const success: Operation[] = [];
    const compared = new Set(this.#read);
    for (const [key, value] of writes.entries()) {
      const name = this.#nameOf(key);
      compared.add(name);
      success.push({ request_put: { key: name, value: encodeBytes(value) } });
    }
    success.push({ request_put: { key: record, value: encodeText(this.#transactionId) } });
    const revision = this.#revision;
    const unchanged: Compare[] =
      revision === undefined ? [] : [...compared].map((name) => unchangedSince(name, revision));
    return {
      compare: [absent(record), absent(fenceOf(this.#transactionId)), ...unchanged],
      success,
      failure: [{ request_range: { key: record } }],
    };
  }

  #outcomeOf(answer: TxnResponse): CommitOutcome {
    if (answer.succeeded === true)
      return { kind: "committed", commitOrder: orderText(revisionOf(answer)) };
    return (
      recorded(answer, this.#transactionId) ?? {
        kind: "aborted",
        // A key was changed since the snapshot, or somebody asked about the attempt, which ends it.
        reason: "write_conflict",
      }
    );
  }

  /** The first read fixes the revision, and reads beside it wait for that. */
  async #readAtRevision(names: readonly string[]): Promise<Snapshot> {
    const { client } = this.#ports;
    if (this.#revision === undefined && this.#fixing === undefined) {
      this.#fixing = client.read(names);
      const snapshot = await this.#fixing;
      this.#revision = snapshot.revision;
      return snapshot;
    }
    this.#revision ??= (await this.#fixing)?.revision;
    return client.read(names, this.#revision);
  }

  /** Again when it is written again: never too little. */
  #count(key: string, bytes: number): void {
    const name = this.#nameOf(key);
    this.#written.add(name);
    this.#writtenBytes += 2 * name.length + bytes + overheadBytes;
  }

  #checkOperations(): void {
    const { maxTxnOps } = this.#ports.limits;
    const count = new Set([...this.#written, ...this.#read]).size + ownOperations;
    if (count > maxTxnOps)
      throw limitExceeded(
        `one transaction takes ${maxTxnOps} operations, ${ownOperations} of them ours, not ${count}: split it`,
      );
  }
}

/** What the record of the request says, if it is in the answer. */
function recorded(answer: TxnResponse, transactionId: string): CommitOutcome | undefined {
  const [record] = answer.responses?.[0]?.response_range?.kvs ?? [];
  if (answer.succeeded === true || record === undefined) return undefined;
  const committedBy = decodeBytes(record.value).toString();
  const commitOrder = orderText(Number(record.mod_revision ?? 0));
  const isOwn = committedBy === transactionId;
  return { kind: "committed", commitOrder, ...(!isOwn && { committedBy }) };
}

function recordOf(transactionId: string): string {
  return encodeText(`aft-bench/request/${tagOf(transactionId)}`);
}

function fenceOf(transactionId: string): string {
  return encodeText(`aft-bench/fence/${transactionId}`);
}
