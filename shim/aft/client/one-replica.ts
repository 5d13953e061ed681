/** @module AFT over one replica, for functions. */
import type { Clock } from "#kit/clock.ts";
import type { Prng } from "#kit/prng.ts";
import { createUuid } from "#kit/uuid.ts";
import type { CommitOutcome, StateContext, StateSession, StateSystem } from "#shim/state/port.ts";
import { taggedId } from "./cluster.ts";
import { toStateError } from "./connection.ts";
import type { Connections } from "./port.ts";
import { AftSession, askOutcome, type SessionSettings } from "./session.ts";

/** `exactlyOnce`: all attempts of a request have at most one effect. */
export function createAftSystem(
  options: SessionSettings & {
    readonly connections: Connections;
    readonly exactlyOnce: boolean;
    readonly clock: Clock;
    readonly prng: Prng;
  },
): StateSystem {
  const { connections, exactlyOnce, clock, prng } = options;
  return {
    name: "aft",
    begin: ({ requestId }): StateSession => {
      const transactionId = exactlyOnce
        ? taggedId(requestId, { clock, prng })
        : createUuid(clock.nowMs(), prng);
      return new AftSession(options, {
        requestId,
        transactionId,
        writes: 0,
        begun: false,
      });
    },
    resume: ({ requestId, transactionId, carried }): StateSession =>
      new AftSession(options, {
        requestId,
        transactionId,
        writes: Number(carried["writes"] ?? 0),
        begun: carried["begun"] === 1,
      }),
    outcomeOf: async ({ transactionId }: StateContext): Promise<CommitOutcome> => {
      try {
        return await askOutcome(connections.forSession(), transactionId);
      } catch (error) {
        return { kind: "unknown", reason: toStateError(error).message };
      }
    },
    close: () => {
      connections.close();
      return Promise.resolve();
    },
  };
}
