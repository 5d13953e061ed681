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

  constructor({ engine, clock, prng }: Parameters<typeof createDirectSystem>[0]) {
    this.#engine = engine;
    this.#clock = clock;
    this.#prng = prng;
  }

  begin({ requestId }: { readonly requestId: string }): StateSession {
    return new DirectSession(this.#engine, requestId, createUuid(this.#clock.nowMs(), this.#prng));
  }

  resume({ requestId, transactionId }: StateContext): StateSession {
    return new DirectSession(this.#engine, requestId, transactionId);
  }

  outcomeOf(): Promise<CommitOutcome> {
    return Promise.resolve({ kind: "unknown", reason: "plain storage records no outcomes" });
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}

class DirectSession implements StateSession {
  readonly transactionId: string;
  readonly #engine: StorageEngine;
  readonly #requestId: string;

  constructor(engine: StorageEngine, requestId: string, transactionId: string) {
    this.#engine = engine;
    this.#requestId = requestId;
    this.transactionId = transactionId;
  }

  get(key: string): Promise<Bytes | undefined> {
    return asState(this.#engine.get(nameOf(key)));
  }

  getMany(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    return asState(this.#engine.multiGet(keys.map(nameOf)));
  }

  put(key: string, value: Bytes): Promise<void> {
    return asState(this.#engine.put(nameOf(key), value));
  }

  putMany(entries: readonly (readonly [key: string, value: Bytes])[]): Promise<void> {
    return asState(
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
}

function nameOf(key: string): StorageKey {
  return storageKey(`direct/v/${key}`);
}

async function asState<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    const { code, disposition, message } = error;
    throw new StateError({ code, disposition, message, cause: error });
  }
}
