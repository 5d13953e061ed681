/**
 * @module Exactly-once by logged steps: every read and write of a request is logged under its number in the
 * request, together with its effect. A further attempt repeats the request from the start, reads what was
 * read before, and skips what was written before.
 *
 * Source    the way of Beldi (OSDI '20), Boki (SOSP '21) and Halfmoon (SOSP '23), reduced to what one store
 *           with scripts needs: they log and write in two places, and so also version their writes.
 * Gives     no effect twice, whether attempts follow one another, overlap, or are copies of one; nobody has to
 *           begin anew: a request goes on from its last step.
 * Gives not isolation: writes are visible one by one, while the request is under way and after an attempt has
 *           died, until the next one goes on (torn reads); abort undoes nothing; two transactions that read and
 *           write the same key lose updates.
 * Demands   deterministic functions: the same steps in the same order. Another step under the same number is
 *           an error and not carried out. The values written may differ: the first one stays.
 * Kept      the log of a request under way for `retentionMs` after its last step, its record as long after the
 *           commit, and what it read only `replayMs` after it: an attempt that is later reads what is there
 *           then, and writes nothing. An attempt after `retentionMs` is a new request.
 */
import { hash } from "node:crypto";
import type { Bytes } from "#kit/bytes.ts";
import type { Clock } from "#kit/clock.ts";
import type { Prng } from "#kit/prng.ts";
import { createAttemptId, tagOf } from "#shim/state/ids.ts";
import { checkValue, failedCommit, reasonOf, type RedisServer } from "#shim/redis/server.ts";
import {
  type CommitOutcome,
  StateError,
  type StateContext,
  type StateCounters,
  type StateSession,
  type StateSystem,
} from "#shim/state/port.ts";
import { commitScript, readScript, writeScript } from "./scripts.ts";

export const systemName = "step-log";

interface Ports {
  readonly server: RedisServer;
  readonly clock: Clock;
  readonly prng: Prng;
  readonly retentionMs: number;
  readonly replayMs: number;
}

/** Closing the system closes the server's connection. */
export function createStepLogSystem(ports: Ports): StateSystem {
  return new StepLogSystem(ports);
}

class StepLogSystem implements StateSystem {
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
    return new StepLogSession(this.#ports, context);
  }

  async outcomeOf({ transactionId }: StateContext): Promise<CommitOutcome> {
    try {
      const [author] = await this.#ports.server.getMany([recordOf(transactionId)]);
      if (author !== undefined) return toOutcome(author.toString(), transactionId);
      return { kind: "unknown", reason: "not committed; its steps stay for the next attempt" };
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

const stepsField = "steps";

class StepLogSession implements StateSession {
  readonly transactionId: string;
  readonly #requestId: string;
  readonly #ports: Ports;
  /** Of this request, in this and the earlier functions. */
  #steps: number;
  #ending: Promise<CommitOutcome> | undefined;

  constructor(ports: Ports, { requestId, transactionId, carried }: StateContext) {
    this.#ports = ports;
    this.#requestId = requestId;
    this.transactionId = transactionId;
    this.#steps = Number(carried[stepsField] ?? 0);
  }

  async get(key: string): Promise<Bytes | undefined> {
    const [value] = await this.getMany([key]);
    return value;
  }

  async getMany(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    if (keys.length === 0) return [];
    const { server } = this.#ports;
    const answer = await server.run(readScript, {
      keys: [...this.#places(), ...keys.map(nameOf)],
      args: this.#nextStep("read", keys),
      items: keys.length,
    });
    const [kind, found] = answer as [Buffer, unknown];
    if (String(kind) === "other") throw this.#otherStep();
    const values = (found as (Buffer | null)[]).map((value) => value ?? undefined);
    server.countBytes({ read: values.reduce((sum, value) => sum + (value?.length ?? 0), 0) });
    return values;
  }

  put(key: string, value: Bytes): Promise<void | "replayed"> {
    return this.putMany([[key, value]]);
  }

  async putMany(
    entries: readonly (readonly [key: string, value: Bytes])[],
  ): Promise<void | "replayed"> {
    if (entries.length === 0) return undefined;
    for (const [key, value] of entries) checkValue(key, value);
    const keys = entries.map(([key]) => key);
    const values = entries.map(([, value]) => value);
    const { server } = this.#ports;
    server.countBytes({ written: values.reduce((sum, value) => sum + value.length, 0) });
    const answer = await server.run(writeScript, {
      keys: [...this.#places(), ...keys.map(nameOf)],
      args: [...this.#nextStep("write", keys), this.transactionId, ...values],
      items: keys.length,
    });
    const [kind] = (answer as Buffer[]).map(String);
    if (kind === "other") throw this.#otherStep();
    return kind === "replayed" ? kind : undefined;
  }

  suspend(): Promise<StateContext> {
    const { transactionId } = this;
    const carried = { [stepsField]: this.#steps };
    return Promise.resolve({
      system: systemName,
      requestId: this.#requestId,
      transactionId,
      carried,
    });
  }

  commit(): Promise<CommitOutcome> {
    this.#ending ??= this.#commit();
    return this.#ending;
  }

  abort(): Promise<void> {
    this.#ending ??= Promise.resolve({
      kind: "aborted",
      reason: "given up by the function; its writes stay",
    });
    return Promise.resolve();
  }

  async #commit(): Promise<CommitOutcome> {
    if (this.#steps === 0) return { kind: "committed" };
    const { server, retentionMs, replayMs } = this.#ports;
    try {
      const author = await server.run(commitScript, {
        keys: this.#places(),
        args: [String(retentionMs), String(replayMs)],
        items: 1,
      });
      return author === null
        ? { kind: "committed" }
        : toOutcome((author as Buffer).toString(), this.transactionId);
    } catch (error) {
      return failedCommit(error);
    }
  }

  #places(): [log: string, record: string] {
    return [`${systemName}/log/${tagOf(this.transactionId)}`, recordOf(this.transactionId)];
  }

  /** Numbered at the call, so that calls which overlap have the same numbers in every attempt. */
  #nextStep(kind: "read" | "write", keys: readonly string[]): [string, string, string] {
    this.#steps += 1;
    const digest = hash("sha256", JSON.stringify(keys), { outputEncoding: "base64url" });
    return [String(this.#steps), `${kind} ${digest.slice(0, 22)}`, String(this.#ports.retentionMs)];
  }

  #otherStep(): StateError {
    return new StateError({
      code: "not_deterministic",
      disposition: "bug",
      message:
        `a step of request ${JSON.stringify(this.#requestId)} is not what it was in an earlier attempt: ` +
        "functions must read and write the same keys in the same order whenever they are tried again",
    });
  }
}

/** The author's writes were the last that were done; the other attempts only repeated steps. */
function toOutcome(author: string, transactionId: string): CommitOutcome {
  return author === transactionId
    ? { kind: "committed" }
    : { kind: "committed", committedBy: author };
}

function nameOf(key: string): string {
  return `${systemName}/v/${key}`;
}

function recordOf(transactionId: string): string {
  return `${systemName}/request/${tagOf(transactionId)}`;
}
