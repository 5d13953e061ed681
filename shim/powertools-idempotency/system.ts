/**
 * @module Powertools for AWS Lambda: functions over plain DynamoDB, each under `makeIdempotent`.
 *
 * Gives     a function that has returned is not done again for its request: later attempts get what it returned, for
 *           as long as records are kept (an hour, its default). Attempts at the same time are refused while one is
 *           at it, and told to come again.
 * Gives not atomicity of any kind: values are written to the table when a function writes them. A function that dies
 *           after its first write leaves that write, its record keeps others away until the function's time is over,
 *           and then it is done again, from its first write on; one that is only slow is then done twice at once.
 *           So "exactly once" is not promised.
 * Layout    values as plain storage has them; records in a table of their own, `<table>-idempotency`, made if it is
 *           not there, with the library's attributes.
 */
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { ConfigError } from "#kit/errors.ts";
import { createAttemptId } from "#shim/state/ids.ts";
import type { StateContext, StateSession, StateSystem } from "#shim/state/port.ts";
import type { StateSystemModule } from "#shim/state/registry.ts";
import { numberOf, rememberedOutcome, RememberingSession } from "#shim/state/remembered.ts";
import { openStorage } from "#shim/storage/registry.ts";
import type { StorageSpec } from "#shim/storage/target.ts";
import {
  type FunctionIdentity,
  type FunctionPorts,
  IdempotentFunction,
  parseResult,
  recordPrefix,
} from "./function.ts";
import { loadPowertools, needs } from "./library.ts";
import { openRecords } from "./records.ts";
import { ValueTable } from "./values.ts";

export const systemName = "powertools-idempotency";

/** That of a Lambda function whose author has not chosen one. */
export const defaultFunctionTimeoutMs = 3_000;
/** The library's own. */
export const defaultExpiresAfterSeconds = 3_600;
/** A record is an item of 400 KB at most, and base64 takes a third more. */
const maxRememberedBytes = 131_072;

/** Options: `{ storage: StorageSpec, functionTimeoutMs?, expiresAfterSeconds? }`; the storage is a DynamoDB table. */
export const stateSystem: StateSystemModule = {
  name: systemName,
  promises: [],
  needs,
  open: async (options) => {
    const { storage, target, functionTimeoutMs, expiresAfterSeconds } = readOptions(options);
    const library = await loadPowertools();
    const clock = createSystemClock();
    const values = new ValueTable(await openStorage(storage, { clock }));
    const { store, close } = await openRecords(target, library, () => {
      values.countCall();
    });
    const config = new library.IdempotencyConfig({ expiresAfterSeconds });
    store.configure({ config, keyPrefix: recordPrefix });
    const ports = { library, records: store, values, functionTimeoutMs, expiresAfterSeconds };
    const ids = { clock, prng: createPrng(crypto.getRandomValues(new Int32Array(1))[0] ?? 0) };
    return createSystem(ports, {
      createId: (requestId) => createAttemptId(requestId, ids),
      close: async () => {
        close();
        await values.close();
      },
    });
  },
};

function createSystem(
  ports: FunctionPorts,
  own: { readonly createId: (requestId: string) => string; readonly close: () => Promise<void> },
): StateSystem {
  const resume = (context: StateContext): StateSession =>
    new RememberingSession(context, {
      function: new IdempotentFunction(ports, identityOf(context)),
      maxRememberedBytes,
    });
  return {
    name: systemName,
    begin: ({ requestId }) => {
      const transactionId = own.createId(requestId);
      return resume({ system: systemName, requestId, transactionId, carried: {} });
    },
    resume,
    outcomeOf: (context) =>
      rememberedOutcome(context, async () => {
        const record = await ports.records.getRecord(identityOf(context));
        return record.getStatus() === "COMPLETED" ? parseResult(record.getResponse()) : undefined;
      }),
    counters: () => ports.values.counters(),
    close: own.close,
  };
}

function identityOf(context: StateContext): FunctionIdentity {
  return { request: context.requestId, function: numberOf(context) };
}

function readOptions(options: Readonly<Record<string, unknown>>) {
  const storage = options["storage"] as StorageSpec | undefined;
  const where = systemName;
  if (storage?.target.engine !== "dynamodb" || storage.emulation !== undefined)
    throw new ConfigError([
      { where, what: "needs a table of DynamoDB", hint: "--only storage:dynamodb" },
    ]);
  const number = (name: string, usual: number): number => {
    const value = options[name] ?? usual;
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
    throw new ConfigError([{ where: `${where}.${name}`, what: "must be a whole number above 0" }]);
  };
  return {
    storage,
    target: storage.target,
    functionTimeoutMs: number("functionTimeoutMs", defaultFunctionTimeoutMs),
    expiresAfterSeconds: number("expiresAfterSeconds", defaultExpiresAfterSeconds),
  };
}
