/** @module PostgreSQL with a transaction for each function: one system for each isolation level. */
import type { Clock } from "#kit/clock.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng, type Prng } from "#kit/prng.ts";
import { createAttemptId } from "#shim/state/ids.ts";
import type { StateSystem } from "#shim/state/port.ts";
import type { StatePromise, StateSystemModule } from "#shim/state/registry.ts";
import { Database } from "./database.ts";
import { toStateError } from "./errors.ts";
import { FunctionSession, withoutOrder } from "./function-session.ts";
import { isolationOf, type PostgresSystemName } from "./levels.ts";
import { readPostgresOptions } from "./options.ts";

/** Of requests of several functions next to nothing holds at any level: between two of them others commit. */
const promisesOf: Readonly<Record<PostgresSystemName, readonly StatePromise[]>> = {
  "postgres-rc": ["session-order"],
  "postgres-rr": ["session-order", "functions-read-atomic", "functions-keep-updates"],
  "postgres-ser": ["session-order", "functions-read-atomic", "functions-keep-updates"],
};

/** Options: `{ storage: StorageSpec, maxConnections?, timeoutMs?, idleInTransactionMs? }`. */
export function postgresAt(name: PostgresSystemName): { readonly stateSystem: StateSystemModule } {
  return {
    stateSystem: {
      name,
      promises: promisesOf[name],
      open: async (options) => {
        const clock = createSystemClock();
        const database = await Database.open(readPostgresOptions(name, options), clock);
        const seed = crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
        return createPostgresSystem({ name, database, clock, prng: createPrng(seed) });
      },
    },
  };
}

function createPostgresSystem(ports: {
  readonly name: PostgresSystemName;
  readonly database: Database;
  readonly clock: Clock;
  readonly prng: Prng;
}): StateSystem {
  const { name, database, clock, prng } = ports;
  const all = { database, system: name, isolation: isolationOf[name], clock, prng };
  return {
    name,
    visibleAtEnd: true,
    begin: ({ requestId }) => {
      const transactionId = createAttemptId(requestId, { clock, prng });
      return new FunctionSession(all, { requestId, transactionId, hasWritten: false });
    },
    resume: ({ requestId, transactionId, carried }) =>
      new FunctionSession(all, { requestId, transactionId, hasWritten: carried["wrote"] === 1 }),
    outcomeOf: async ({ transactionId }) => {
      try {
        return withoutOrder(await database.outcomeOf(transactionId));
      } catch (error) {
        return { kind: "unknown", reason: toStateError(error).message };
      }
    },
    counters: () => database.counters(),
    close: () => database.close(),
  };
}
