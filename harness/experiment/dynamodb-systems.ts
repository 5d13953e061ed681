/** @module DynamoDB's transactions as a system: over AWS as it is, over dynalite with ours before it. */
import { DynamoDBServiceException, TransactGetItemsCommand } from "@aws-sdk/client-dynamodb";
import { ConfigError } from "#kit/errors.ts";
import { describePackages } from "#kit/node/optional-package.ts";
import { startTransactionFront } from "#harness/services/dynamodb-transactions/start.ts";
import { needs } from "#shim/powertools-idempotency/library.ts";
import {
  defaultExpiresAfterSeconds,
  defaultFunctionTimeoutMs,
} from "#shim/powertools-idempotency/system.ts";
import { createClient } from "#shim/storage/dynamodb/engine.ts";
import type { StorageSpec, StorageTarget } from "#shim/storage/target.ts";
import type { Scope } from "./scope.ts";
import type { RunningSystem } from "./systems.ts";

/** Rejects with `ConfigError` in front of another store. */
export async function bringUpDynamodbTxn(options: {
  readonly storage: StorageSpec;
  readonly scope: Scope;
}): Promise<RunningSystem> {
  const { storage, scope } = options;
  const { target } = storage;
  const system = "dynamodb-txn";
  if (target.engine !== "dynamodb" || storage.emulation !== undefined) {
    const what = "runs on DynamoDB or an emulator of its API";
    throw new ConfigError([{ where: system, what, hint: "--only storage:dynamodb" }]);
  }
  const kind = "writes kept in the context, TransactWriteItems at the end";
  if (await knowsTransactions(target))
    return { spec: { system, options: { storage } }, pids: {}, description: { kind } };
  const front = scope.own(await startTransactionFront(target));
  return {
    spec: { system, options: { storage: { target: front.target } } },
    pids: { "dynamodb-transactions": front.pids },
    description: { kind, durability: "none: in memory", transactions: front.description },
  };
}

/** Functions over the table as it is, each wrapped by the library. Rejects with `ConfigError` in front of another store. */
export function bringUpIdempotency({
  storage,
}: {
  readonly storage: StorageSpec;
}): Promise<RunningSystem> {
  const { target } = storage;
  const system = "powertools-idempotency";
  if (target.engine !== "dynamodb" || storage.emulation !== undefined) {
    const what = "runs on DynamoDB or an emulator of its API";
    return Promise.reject(
      new ConfigError([{ where: system, what, hint: "--only storage:dynamodb" }]),
    );
  }
  return Promise.resolve({
    spec: { system, options: { storage } },
    pids: {},
    description: {
      kind: "each function under makeIdempotent, its values written as it writes them",
      requests:
        `results of functions are remembered for ${defaultExpiresAfterSeconds} s; one that dies may be done again ` +
        `after ${defaultFunctionTimeoutMs} ms, from its first write on`,
      durability: target.endpoint === undefined ? "DynamoDB's own" : "none: in memory",
      packages: describePackages(needs),
    },
  });
}

type DynamodbTarget = Extract<StorageTarget, { engine: "dynamodb" }>;

/** Asks for an item that is not there; other failures are for the system to report. */
async function knowsTransactions(target: DynamodbTarget): Promise<boolean> {
  const client = createClient(target);
  const Key = { p: { S: "dynamodb-txn/probe" }, k: { S: "v" } };
  try {
    await client.send(
      new TransactGetItemsCommand({ TransactItems: [{ Get: { TableName: target.table, Key } }] }),
    );
    return true;
  } catch (error) {
    return !(
      error instanceof DynamoDBServiceException && error.name === "UnknownOperationException"
    );
  } finally {
    client.destroy();
  }
}
