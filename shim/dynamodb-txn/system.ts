/** @module DynamoDB's transactions as a state system: its table, clock and randomness are the real ones. */
import { ConfigError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng } from "#kit/prng.ts";
import { defaultMaxContextBytes } from "#shim/state/carried.ts";
import type { StateSystem } from "#shim/state/port.ts";
import type { StateSystemModule } from "#shim/state/registry.ts";
import { createClient } from "#shim/storage/dynamodb/engine.ts";
import type { StorageSpec } from "#shim/storage/target.ts";
import { TransactionTable } from "./table.ts";
import { createTxnSystem, systemName } from "./txn-system.ts";

/**
 * Options: `{ storage: StorageSpec, maxContextBytes? }`; the storage is DynamoDB, or an endpoint that knows
 * transactions, as AWS does and dynalite does not.
 */
export const stateSystem: StateSystemModule = {
  name: systemName,
  promises: ["read-your-writes", "exactly-once"],
  open: (options) => Promise.resolve(options).then(openSystem),
};

/** @throws ConfigError */
function openSystem(options: Readonly<Record<string, unknown>>): StateSystem {
  const storage = options["storage"] as StorageSpec | undefined;
  const where = systemName;
  const hint = "dynamodb:TABLE?region=R";
  if (storage?.target.engine !== "dynamodb")
    throw new ConfigError([{ where, what: "needs a table of DynamoDB", hint }]);
  if (storage.emulation !== undefined)
    throw new ConfigError([{ where, what: "has no emulated latency", hint }]);
  const { maxContextBytes = defaultMaxContextBytes } = options;
  if (typeof maxContextBytes !== "number" || !(maxContextBytes > 0))
    throw new ConfigError([{ where: `${where}.maxContextBytes`, what: "must be above 0" }]);
  const seed = crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
  return createTxnSystem({
    table: new TransactionTable(createClient(storage.target), storage.target.table),
    clock: createSystemClock(),
    prng: createPrng(seed),
    maxContextBytes,
  });
}
