/**
 * @module What many write by hand: writes are kept and passed from function to function, and one MULTI …
 * EXEC writes them all at the end.
 *
 * Gives     all writes of a transaction at once or none, no effects of what was given up, own writes.
 * Gives not reads that fit together: between two of them others commit (torn reads); updates under two
 *           transactions that read and write the same key; a request once: where the answer of EXEC is
 *           lost, the next attempt writes again.
 *
 * EXEC also counts the commits (INCR, in the same round trip): the place of a transaction in the order of
 * versions, which the record needs because nothing else tells when kept writes became visible.
 */
import type { Bytes } from "#kit/bytes.ts";
import type { Clock } from "#kit/clock.ts";
import type { Prng } from "#kit/prng.ts";
import { createUuid } from "#kit/uuid.ts";
import { orderText } from "#shim/state/ids.ts";
import { checkValue, failedCommit, type RedisServer } from "#shim/redis/server.ts";
import type { WriteBuffer } from "#shim/state/carried.ts";
import { type KeptWritesPart, KeptWritesSession } from "#shim/state/kept-writes.ts";
import type {
  CommitOutcome,
  StateContext,
  StateCounters,
  StateSession,
  StateSystem,
} from "#shim/state/port.ts";

export const systemName = "redis-multi";

interface Ports {
  readonly server: RedisServer;
  readonly clock: Clock;
  readonly prng: Prng;
  readonly maxContextBytes: number;
}

/** Closing the system closes the server's connection. */
export function createMultiSystem(ports: Ports): StateSystem {
  return new MultiSystem(ports);
}

class MultiSystem implements StateSystem {
  readonly name = systemName;
  readonly #ports: Ports;
  readonly #part: MultiPart;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#part = new MultiPart(ports.server);
  }

  begin({ requestId }: { readonly requestId: string }): StateSession {
    const { clock, prng, maxContextBytes } = this.#ports;
    const transactionId = createUuid(clock.nowMs(), prng);
    const identity = { system: systemName, requestId, transactionId, maxContextBytes };
    return new KeptWritesSession(identity, this.#part);
  }

  resume(context: StateContext): StateSession {
    const { maxContextBytes } = this.#ports;
    return new KeptWritesSession({ ...context, maxContextBytes }, this.#part);
  }

  outcomeOf(): Promise<CommitOutcome> {
    return Promise.resolve({ kind: "unknown", reason: "redis-multi records no outcomes" });
  }

  counters(): StateCounters {
    return this.#ports.server.counters();
  }

  close(): Promise<void> {
    return this.#ports.server.close();
  }
}

/** Nothing but writes is carried, so all sessions share one. */
class MultiPart implements KeptWritesPart {
  readonly checkValue = checkValue;
  readonly #server: RedisServer;

  constructor(server: RedisServer) {
    this.#server = server;
  }

  fetch(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    return this.#server.getMany(keys.map(nameOf));
  }

  carried(): Readonly<Record<string, never>> {
    return {};
  }

  async commit(writes: WriteBuffer): Promise<CommitOutcome> {
    if (writes.size === 0) return { kind: "committed" };
    try {
      const count = await this.#server.setAll(named(writes), orderKey);
      return { kind: "committed", commitOrder: orderText(count) };
    } catch (error) {
      return failedCommit(error);
    }
  }
}

const orderKey = `${systemName}/order`;

function nameOf(key: string): string {
  return `${systemName}/v/${key}`;
}

function* named(writes: WriteBuffer): Generator<readonly [string, Bytes]> {
  for (const [key, value] of writes.entries()) yield [nameOf(key), value];
}
