/**
 * @module One object for each key, as products with stateful objects recommend it for what is independent: each
 * does one thing at a time, and remembers which writes of which requests it has done.
 *
 * Gives     each write of a request once, whether attempts follow one another, overlap, or are copies of one.
 *           Of one key every read sees what was acknowledged before it began.
 * Gives not anything over several keys: these products have no transaction over several objects. Writes are
 *           visible one by one, while the request is under way and after an attempt has died (torn reads); abort
 *           undoes nothing; two requests that read and write the same key lose updates, and one may read
 *           another's write where it has written itself.
 * Demands   deterministic functions: the same writes of the same keys in the same order. The values may differ:
 *           the first one stays. What was read is not repeated: a later attempt reads what is there then.
 * Kept      for `retentionMs` after a write. An attempt after that is a new request.
 * Ending    there is nothing to commit: what was acknowledged is done. The author of a request is whoever did
 *           its last write.
 * Not shown a user may also have the whole request run by the product (a workflow, a handler that calls others),
 *           or keep what belongs together in one object. Here functions stay where the platform runs them and keys
 *           are independent, as for all other systems.
 */
import type { Bytes } from "#kit/bytes.ts";
import type { Clock } from "#kit/clock.ts";
import type { Prng } from "#kit/prng.ts";
import { createUuid } from "#kit/uuid.ts";
import { createAttemptId, tagOf } from "#shim/state/ids.ts";
import type {
  CommitOutcome,
  StateContext,
  StateCounters,
  StateSession,
  StateSystem,
} from "#shim/state/port.ts";
import type { ObjectStore } from "./store.ts";

export interface ObjectPorts {
  readonly name: string;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly prng: Prng;
}

/** Closing the system closes the store. */
export function createObjectSystem(ports: ObjectPorts): StateSystem {
  return new ObjectSystem(ports);
}

class ObjectSystem implements StateSystem {
  readonly name: string;
  readonly #ports: ObjectPorts;

  constructor(ports: ObjectPorts) {
    this.name = ports.name;
    this.#ports = ports;
  }

  begin({ requestId }: { readonly requestId: string }): StateSession {
    const transactionId = createAttemptId(requestId, this.#ports);
    return this.resume({ system: this.name, requestId, transactionId, carried: {} });
  }

  resume(context: StateContext): StateSession {
    return new ObjectSession(this.#ports, context);
  }

  outcomeOf(): Promise<CommitOutcome> {
    return Promise.resolve({
      kind: "unknown",
      reason: "objects know their own writes and no requests; what is done stays done",
    });
  }

  counters(): StateCounters {
    return this.#ports.store.counters();
  }

  close(): Promise<void> {
    this.#ports.store.close();
    return Promise.resolve();
  }
}

const stepsField = "steps";
const authorField = "author";

class ObjectSession implements StateSession {
  readonly transactionId: string;
  readonly #requestId: string;
  readonly #ports: ObjectPorts;
  /** Writes of this request, in this and the earlier functions. */
  #steps: number;
  /** Who did the last of them, as far as they were answered. */
  #last: { readonly step: number; readonly author: string } | undefined;
  /** Why a write may not have been done. */
  #failure: string | undefined;
  #ending: Promise<CommitOutcome> | undefined;

  constructor(ports: ObjectPorts, { requestId, transactionId, carried }: StateContext) {
    this.#ports = ports;
    this.#requestId = requestId;
    this.transactionId = transactionId;
    this.#steps = Number(carried[stepsField] ?? 0);
    const author = carried[authorField];
    if (author !== undefined) this.#last = { step: this.#steps, author: String(author) };
  }

  get(key: string): Promise<Bytes | undefined> {
    return this.#ports.store.read(key);
  }

  async getMany(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    const distinct = [...new Set(keys)];
    const values = await Promise.all(distinct.map((key) => this.get(key)));
    const found = new Map(distinct.map((key, index) => [key, values[index]]));
    return keys.map((key) => found.get(key));
  }

  async put(key: string, value: Bytes): Promise<void | "replayed"> {
    return (await this.#write(key, value)) ? undefined : "replayed";
  }

  /** "replayed" only where all were; each is a write of its own. */
  async putMany(
    entries: readonly (readonly [key: string, value: Bytes])[],
  ): Promise<void | "replayed"> {
    // All end before this does: one that goes on by itself could come after its attempt has given up.
    const writes = await Promise.allSettled(entries.map(([key, value]) => this.#write(key, value)));
    const failed = writes.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
    const isReplayed = writes.every((write) => write.status === "fulfilled" && !write.value);
    return isReplayed && writes.length > 0 ? "replayed" : undefined;
  }

  suspend(): Promise<StateContext> {
    const { transactionId } = this;
    const author = this.#last?.author;
    return Promise.resolve({
      system: this.#ports.name,
      requestId: this.#requestId,
      transactionId,
      carried: {
        [stepsField]: this.#steps,
        ...(author !== undefined && { [authorField]: author }),
      },
    });
  }

  commit(): Promise<CommitOutcome> {
    this.#ending ??= Promise.resolve(this.#outcome());
    return this.#ending;
  }

  abort(): Promise<void> {
    this.#ending ??= Promise.resolve({
      kind: "aborted",
      reason: "given up by the function; its writes stay",
    });
    return Promise.resolve();
  }

  #outcome(): CommitOutcome {
    if (this.#failure !== undefined)
      return { kind: "unknown", reason: `a write may not have been done: ${this.#failure}` };
    const author = this.#last?.author ?? this.transactionId;
    return author === this.transactionId
      ? { kind: "committed" }
      : { kind: "committed", committedBy: author };
  }

  /** Whether it was done by this call. Numbered at the call, so that calls may overlap. */
  async #write(key: string, value: Bytes): Promise<boolean> {
    this.#steps += 1;
    const step = this.#steps;
    const { store, clock, prng } = this.#ports;
    const { transactionId: attempt } = this;
    const call = createUuid(clock.nowMs(), prng);
    try {
      const writer = await store.write(
        key,
        { request: tagOf(attempt), step, attempt, call },
        value,
      );
      if (step > (this.#last?.step ?? 0)) this.#last = { step, author: writer.attempt };
      return writer.call === call;
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error);
      throw error;
    }
  }
}
