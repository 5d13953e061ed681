/**
 * @module The baseline: functions call the storage themselves.
 *
 * begin, suspend and commit do nothing; every write is visible at once; abort undoes nothing. It is
 * given no handicap: one call of the engine per operation, and nothing else.
 */
import type { Bytes } from "#kit/bytes.ts";
import type { Clock } from "#kit/clock.ts";
import type { Prng } from "#kit/prng.ts";
import { createUuid } from "#kit/uuid.ts";
import {
  type CommitOutcome,
  type StateCounters,
  StateError,
  type StateContext,
  type StateSession,
  type StateSystem,
} from "#shim/state/port.ts";
import { StorageError } from "#shim/storage/errors.ts";
import { type StorageEngine, type StorageKey, storageKey } from "#shim/storage/port.ts";

/** Over an engine that is open; closing the system closes it. */
export function createDirectSystem(ports: {
  readonly engine: StorageEngine;
  readonly clock: Clock;
  readonly prng: Prng;
}): StateSystem {
  return new DirectSystem(ports);
}

class DirectSystem implements StateSystem {
  readonly name = "direct";
  readonly #engine: StorageEngine;
  readonly #clock: Clock;
  readonly #prng: Prng;
  readonly #counts: Counts = { calls: 0, bytesRead: 0, bytesWritten: 0 };

  constructor({ engine, clock, prng }: Parameters<typeof createDirectSystem>[0]) {
    this.#engine = engine;
    this.#clock = clock;
    this.#prng = prng;
  }

  begin({ requestId }: { readonly requestId: string }): StateSession {
    return this.#session(requestId, createUuid(this.#clock.nowMs(), this.#prng));
  }

  resume({ requestId, transactionId }: StateContext): StateSession {
    return this.#session(requestId, transactionId);
  }

  #session(requestId: string, transactionId: string): StateSession {
    return new DirectSession({ engine: this.#engine, requestId, transactionId }, this.#counts);
  }

  outcomeOf(): Promise<CommitOutcome> {
    return Promise.resolve({ kind: "unknown", reason: "plain storage records no outcomes" });
  }

  counters(): StateCounters {
    return { ...this.#counts };
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}

/** Counted here and not by a wrapped engine, whose promise for each call would be a handicap. */
type Counts = { -readonly [Name in keyof StateCounters]: number };

class DirectSession implements StateSession {
  readonly transactionId: string;
  readonly #engine: StorageEngine;
  readonly #requestId: string;
  readonly #counts: Counts;

  constructor(
    of: {
      readonly engine: StorageEngine;
      readonly requestId: string;
      readonly transactionId: string;
    },
    counts: Counts,
  ) {
    this.#engine = of.engine;
    this.#requestId = of.requestId;
    this.transactionId = of.transactionId;
    this.#counts = counts;
  }

  async get(key: string): Promise<Bytes | undefined> {
    this.#counts.calls += 1;
    try {
      const value = await this.#engine.get(nameOf(key));
      this.#counts.bytesRead += value?.length ?? 0;
      return value;
    } catch (error) {
      throw toStateError(error);
    }
  }

  async getMany(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    this.#counts.calls += 1;
    try {
      const values = await this.#engine.multiGet(keys.map(nameOf));
      for (const value of values) this.#counts.bytesRead += value?.length ?? 0;
      return values;
    } catch (error) {
      throw toStateError(error);
    }
  }

  put(key: string, value: Bytes): Promise<void> {
    this.#counts.bytesWritten += value.length;
    return this.#write(this.#engine.put(nameOf(key), value));
  }

  putMany(entries: readonly (readonly [key: string, value: Bytes])[]): Promise<void> {
    for (const [, value] of entries) this.#counts.bytesWritten += value.length;
    return this.#write(
      this.#engine.multiPut(entries.map(([key, value]) => ({ key: nameOf(key), value }))),
    );
  }

  suspend(): Promise<StateContext> {
    return Promise.resolve({
      system: "direct",
      requestId: this.#requestId,
      transactionId: this.transactionId,
      carried: {},
    });
  }

  commit(): Promise<CommitOutcome> {
    return Promise.resolve({ kind: "committed" });
  }

  abort(): Promise<void> {
    return Promise.resolve();
  }

  async #write(call: Promise<void>): Promise<void> {
    this.#counts.calls += 1;
    try {
      await call;
    } catch (error) {
      throw toStateError(error);
    }
  }
}

function nameOf(key: string): StorageKey {
  return storageKey(`direct/v/${key}`);
}

function toStateError(error: unknown): unknown {
  if (!(error instanceof StorageError)) return error;
  const { code, disposition, message } = error;
  return new StateError({ code, disposition, message, cause: error });
}
