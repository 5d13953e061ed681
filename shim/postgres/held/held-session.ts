/**
 * @module A function's part of a transaction that the broker holds: every call is one to the broker, and its to
 * the server.
 */
import type { Bytes } from "#kit/bytes.ts";
import { type Clock, delay } from "#kit/clock.ts";
import { describeError } from "#kit/errors.ts";
import type { JsonClient } from "#kit/node/json-client.ts";
import {
  type CommitOutcome,
  type StateContext,
  StateError,
  type StateSession,
} from "#shim/state/port.ts";
import { refused } from "../errors.ts";
import type { HeldAnswer, HeldStep } from "./messages.ts";

export const heldSystemName = "postgres-held";

/** How often and how long a lost answer is asked for. */
const askAgainAttempts = 8;
const askAgainPauseUs = 50_000;

export interface HeldPorts {
  readonly broker: JsonClient;
  readonly clock: Clock;
  readonly counts: { calls: number; bytesRead: number; bytesWritten: number };
}

export class HeldSession implements StateSession {
  readonly transactionId: string;
  readonly #ports: HeldPorts;
  readonly #requestId: string;
  /** The first step must be answered before the next one is sent. */
  #tail: Promise<unknown> = Promise.resolve();
  #begun: boolean;
  #hasWritten: boolean;
  #failure: StateError | undefined;
  #ending: Promise<CommitOutcome> | undefined;

  constructor(ports: HeldPorts, { requestId, transactionId, carried }: StateContext) {
    this.#ports = ports;
    this.#requestId = requestId;
    this.transactionId = transactionId;
    this.#begun = carried["begun"] === 1;
    this.#hasWritten = carried["wrote"] === 1;
  }

  async get(key: string): Promise<Bytes | undefined> {
    const [value] = await this.getMany([key]);
    return value;
  }

  async getMany(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    if (keys.length === 0) return [];
    const answer = await this.#step({ kind: "read", keys });
    if (!("values" in answer)) throw unexpected();
    return answer.values.map((text) => {
      if (text === null) return undefined;
      const value = Buffer.from(text, "base64");
      this.#ports.counts.bytesRead += value.length;
      return value;
    });
  }

  put(key: string, value: Bytes): Promise<void> {
    return this.putMany([[key, value]]);
  }

  async putMany(entries: readonly (readonly [key: string, value: Bytes])[]): Promise<void> {
    if (entries.length === 0) return;
    for (const [, value] of entries) this.#ports.counts.bytesWritten += value.length;
    this.#hasWritten = true;
    await this.#step({
      kind: "write",
      entries: entries.map(([key, value]) => [key, toText(value)]),
    });
  }

  async suspend(): Promise<StateContext> {
    await this.#tail;
    if (this.#failure !== undefined) throw this.#failure;
    return {
      system: heldSystemName,
      requestId: this.#requestId,
      transactionId: this.transactionId,
      carried: { begun: this.#begun ? 1 : 0, wrote: this.#hasWritten ? 1 : 0 },
    };
  }

  commit(): Promise<CommitOutcome> {
    this.#ending ??= this.#commit();
    return this.#ending;
  }

  abort(): Promise<void> {
    this.#ending ??= this.#abort();
    return this.#ending.then(() => undefined);
  }

  async #commit(): Promise<CommitOutcome> {
    await this.#tail;
    if (!this.#begun) return { kind: "committed" };
    if (this.#failure !== undefined) return refused(this.#failure);
    const { clock } = this.#ports;
    let step: HeldStep = { kind: "commit", hasWritten: this.#hasWritten };
    let reason = "";
    for (let attempt = 1; attempt <= askAgainAttempts; attempt += 1) {
      try {
        const answer = await this.#send(step);
        return "outcome" in answer ? answer.outcome : refused(unexpected());
      } catch (error) {
        // The broker refused; without its answer, it tells what became of it.
        if (error instanceof StateError && error.cause === undefined) return refused(error);
        reason = describeError(error);
        step = { kind: "outcome" };
        await delay(clock, askAgainPauseUs * attempt);
      }
    }
    return { kind: "unknown", reason };
  }

  async #abort(): Promise<CommitOutcome> {
    await this.#tail;
    // What nobody goes on with is rolled back, also without this.
    if (this.#begun) await this.#send({ kind: "abort" }).catch(() => undefined);
    return { kind: "aborted", reason: "given up by the function" };
  }

  #step(step: HeldStep): Promise<HeldAnswer> {
    const result = this.#tail.then(async () => {
      if (this.#failure !== undefined) throw this.#failure;
      try {
        const answer = await this.#send(step);
        this.#begun = true;
        return answer;
      } catch (error) {
        // Sent, and perhaps begun.
        this.#begun = true;
        this.#failure = toFailure(error);
        throw this.#failure;
      }
    });
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** Rejects with the broker's `StateError`, which has no cause, or with `JsonCallError`. */
  async #send(step: HeldStep): Promise<HeldAnswer> {
    const { broker, counts } = this.#ports;
    counts.calls += 1;
    const { transactionId } = this;
    const { body } = await broker.post("/", { transactionId, begun: this.#begun, step });
    const answer = body as HeldAnswer;
    if ("error" in answer) throw new StateError(answer.error);
    return answer;
  }
}

function toFailure(error: unknown): StateError {
  if (error instanceof StateError) return error;
  return new StateError({
    code: "storage_unavailable",
    disposition: "retry",
    message: `the broker: ${describeError(error)}`,
    cause: error,
  });
}

function unexpected(): StateError {
  const message = "the broker answered something else";
  return new StateError({ code: "bad_answer", disposition: "bug", message });
}

function toText(value: Bytes): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
}
