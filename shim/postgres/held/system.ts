/**
 * @module The held-connection ceiling: a request's functions share one SERIALIZABLE transaction, on a connection
 * that a broker process holds from the first function to the last.
 *
 * Not possible across real invocations, where nothing outlives a function that could hold it. It shows what
 * a database would give if functions were one program.
 */
import { ConfigError } from "#kit/errors.ts";
import { JsonClient } from "#kit/node/json-client.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { createAttemptId } from "#shim/state/ids.ts";
import type { CommitOutcome, StateContext } from "#shim/state/port.ts";
import type { StateSystemModule } from "#shim/state/registry.ts";
import { HeldSession, heldSystemName } from "./held-session.ts";
import type { HeldAnswer, HeldRequest } from "./messages.ts";

const timeoutMs = 20_000;
const maxConnections = 64;

/** Options: `{ broker: "http://127.0.0.1:PORT" }`. */
export const stateSystem: StateSystemModule = {
  name: heldSystemName,
  promises: ["read-atomic", "read-your-writes", "repeatable-read", "session-order", "exactly-once"],
  open: ({ broker: origin }) => {
    if (typeof origin !== "string" || !/^http:\/\/[^/]+$/.test(origin)) {
      const what = "needs the address of its broker";
      throw new ConfigError([{ where: heldSystemName, what, hint: "http://127.0.0.1:PORT" }]);
    }
    const clock = createSystemClock();
    const prng = createPrng(crypto.getRandomValues(new Int32Array(1))[0] ?? 0);
    const broker = new JsonClient({ origin, timeoutMs, maxConnections });
    const counts = { calls: 0, bytesRead: 0, bytesWritten: 0 };
    const ports = { broker, clock, counts };
    return Promise.resolve({
      name: heldSystemName,
      begin: ({ requestId }) => {
        const transactionId = createAttemptId(requestId, { clock, prng });
        const context = { system: heldSystemName, requestId, transactionId, carried: {} };
        return new HeldSession(ports, context);
      },
      resume: (context) => new HeldSession(ports, context),
      outcomeOf: (context) => outcomeOf(broker, context),
      counters: () => ({ ...counts }),
      close: () => {
        broker.close();
        return Promise.resolve();
      },
    });
  },
};

async function outcomeOf(
  broker: JsonClient,
  { transactionId }: StateContext,
): Promise<CommitOutcome> {
  const request: HeldRequest = { transactionId, begun: true, step: { kind: "outcome" } };
  try {
    const { body } = await broker.post("/", request);
    const answer = body as HeldAnswer;
    if ("outcome" in answer) return answer.outcome;
    return { kind: "unknown", reason: "error" in answer ? answer.error.message : "no outcome" };
  } catch (error) {
    return { kind: "unknown", reason: error instanceof Error ? error.message : String(error) };
  }
}
