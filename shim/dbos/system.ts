/**
 * @module DBOS Transact over PostgreSQL: each function of a request is a workflow of one transaction.
 *
 * Gives     a function's writes at once or not at all, and once: what it returned is in the same transaction, and
 *           whoever does it again gets that. A function that died has left nothing, and the next attempt takes its
 *           workflow over. So a request happens once, one function after the other.
 * Gives not a request of several functions at once: others see it between them (torn requests), and what an earlier
 *           function wrote stays when the request is never gone on with. Inside a function, what its isolation gives:
 *           READ COMMITTED unless asked otherwise, where updates are lost.
 * Kept      workflows, their steps and what they returned for ever: DBOS deletes none unless told to.
 */
import type { Clock } from "#kit/clock.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { ConfigError } from "#kit/errors.ts";
import { createPrng } from "#kit/prng.ts";
import type { Isolation } from "#shim/postgres/levels.ts";
import { readPostgresOptions } from "#shim/postgres/options.ts";
import { createAttemptId } from "#shim/state/ids.ts";
import type { StateContext, StateSession, StateSystem } from "#shim/state/port.ts";
import type { StatePromise, StateSystemModule } from "#shim/state/registry.ts";
import { numberOf, rememberedOutcome, RememberingSession } from "#shim/state/remembered.ts";
import { DbosFunction, parseResult } from "./function.ts";
import { needs } from "./library.ts";
import { type Runtime, shareRuntime } from "./runtime.ts";

export const systemName = "dbos";

export const defaultIsolation: Isolation = "READ COMMITTED";
const isolations: readonly Isolation[] = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"];
export const defaultTakeOverMs = 500;
const maxRememberedBytes = 64 * 1_048_576;

const promises: readonly StatePromise[] = ["session-order", "exactly-once"];

/** Options: `{ storage: StorageSpec, isolation?, takeOverMs? }` and those of the systems on PostgreSQL. */
export const stateSystem: StateSystemModule = {
  name: systemName,
  promises,
  promisesWith: (options) =>
    isolationOf(options) === "READ COMMITTED"
      ? promises
      : [...promises, "functions-read-atomic", "functions-keep-updates"],
  needs,
  open: async (options) => {
    const settings = readPostgresOptions(systemName, options);
    const isolation = isolationOf(options);
    const takeOverMs = takeOverOf(options);
    const clock = createSystemClock();
    const { runtime, release } = await shareRuntime(settings, clock);
    const { timeoutMs } = settings;
    return createSystem({ runtime, clock, isolation, takeOverMs, timeoutMs }, release);
  },
};

function createSystem(
  ports: {
    readonly runtime: Runtime;
    readonly clock: Clock;
    readonly isolation: Isolation;
    readonly takeOverMs: number;
    readonly timeoutMs: number;
  },
  release: () => Promise<void>,
): StateSystem {
  const { runtime, clock } = ports;
  const ids = { clock, prng: createPrng(crypto.getRandomValues(new Int32Array(1))[0] ?? 0) };
  let closed = false;
  const all = { ...ports, isClosed: () => closed };
  const resume = (context: StateContext): StateSession =>
    new RememberingSession(context, {
      function: new DbosFunction(all, nameOf(context)),
      maxRememberedBytes,
    });
  return {
    name: systemName,
    visibleAtEnd: true,
    begin: ({ requestId }) => {
      const transactionId = createAttemptId(requestId, ids);
      return resume({ system: systemName, requestId, transactionId, carried: {} });
    },
    resume,
    outcomeOf: (context) =>
      rememberedOutcome(context, async () => {
        for (let number = 0; ; number += 1) {
          const found = await runtime.look(`${nameOf(context)}/${number}`, 1);
          if (found.kind === "done") return parseResult(found.text);
          if (found.kind === "under way") return undefined;
        }
      }),
    counters: () => runtime.counters(),
    close: () => {
      closed = true;
      return release();
    },
  };
}

function nameOf(context: StateContext): string {
  return `${context.requestId}/${numberOf(context)}`;
}

function isolationOf(options: Readonly<Record<string, unknown>>): Isolation {
  const asked = options["isolation"] ?? defaultIsolation;
  const known = isolations.find((one) => one === asked);
  if (known !== undefined) return known;
  const hint = isolations.join(", ");
  throw new ConfigError([
    { where: `${systemName}.isolation`, what: "is no isolation level", hint },
  ]);
}

function takeOverOf(options: Readonly<Record<string, unknown>>): number {
  const asked = options["takeOverMs"] ?? defaultTakeOverMs;
  if (typeof asked === "number" && Number.isSafeInteger(asked) && asked > 0) return asked;
  throw new ConfigError([
    { where: `${systemName}.takeOverMs`, what: "must be a whole number above 0" },
  ]);
}
