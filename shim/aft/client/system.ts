/** @module AFT as a state system: what a function imports. */
import { ConfigError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { createUuid } from "#kit/uuid.ts";
import type { CommitOutcome, StateContext, StateSession, StateSystem } from "#shim/state/port.ts";
import type { StateSystemModule } from "#shim/state/registry.ts";
import { toStateError } from "./connection.ts";
import { AftPool } from "./pool.ts";
import { AftSession, askOutcome } from "./session.ts";

/** Sessions beyond so many share connections. */
const defaultMaxConnections = 64;

/** Options: `{ endpoint: "127.0.0.1:PORT" | "unix:PATH", password?, timeoutMs?, maxConnections? }`. */
export const stateSystem: StateSystemModule = {
  name: "aft",
  // The last one is more than the paper promises, and holds on one replica (Deviations, 5).
  promises: ["read-atomic", "read-your-writes", "repeatable-read", "session-order"],
  open: async (options) => {
    const { endpoint, password, timeoutMs, maxConnections } = options;
    if (typeof endpoint !== "string") {
      const hint = "127.0.0.1:PORT or unix:PATH";
      throw new ConfigError([{ where: "aft", what: "needs an endpoint", hint }]);
    }
    const pool = await AftPool.open(
      {
        endpoint,
        ...(typeof password === "string" && { password }),
        ...(typeof timeoutMs === "number" && { timeoutMs }),
      },
      typeof maxConnections === "number" ? maxConnections : defaultMaxConnections,
    );
    return createAftSystem(pool);
  },
};

function createAftSystem(pool: AftPool): StateSystem {
  const clock = createSystemClock();
  // Ids must differ between all clients of a replica, so this seed is not a run's.
  const prng = createPrng(crypto.getRandomValues(new Int32Array(1))[0] ?? 0);
  return {
    name: "aft",
    begin: ({ requestId }): StateSession => {
      const transactionId = createUuid(clock.nowMs(), prng);
      return new AftSession(pool, clock, {
        requestId,
        transactionId,
        writes: 0,
        begun: false,
      });
    },
    resume: ({ requestId, transactionId, carried }): StateSession =>
      new AftSession(pool, clock, {
        requestId,
        transactionId,
        writes: Number(carried["writes"] ?? 0),
        begun: carried["begun"] === 1,
      }),
    outcomeOf: async ({ transactionId }: StateContext): Promise<CommitOutcome> => {
      try {
        return await askOutcome(pool.take(), transactionId);
      } catch (error) {
        return { kind: "unknown", reason: toStateError(error).message };
      }
    },
    close: () => {
      pool.close();
      return Promise.resolve();
    },
  };
}
