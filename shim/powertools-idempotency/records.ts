/** @module The table of idempotency records, made if it is not there, as the library's guide says. */
import {
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceInUseException,
  ResourceNotFoundException,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import { createClient, type DynamodbTarget } from "#shim/storage/dynamodb/engine.ts";
import type { PersistenceStore, Powertools } from "./library.ts";

/** `onCall`: for every request of the library to the table. */
export async function openRecords(
  target: DynamodbTarget,
  { DynamoDBPersistenceLayer }: Powertools,
  onCall: () => void,
): Promise<{ readonly store: PersistenceStore; readonly close: () => void }> {
  const client = createClient(target);
  const tableName = `${target.table}-idempotency`;
  try {
    if (!(await isThere(client, tableName))) await create(client, tableName);
  } catch (error) {
    client.destroy();
    throw error;
  }
  client.middlewareStack.add(
    (next) => (args) => {
      onCall();
      return next(args);
    },
    { step: "initialize", name: "aft-bench-counts" },
  );
  const store = new DynamoDBPersistenceLayer({ tableName, awsSdkV3Client: client });
  const close = (): void => {
    client.destroy();
  };
  return { store, close };
}

async function isThere(client: DynamoDBClient, TableName: string): Promise<boolean> {
  try {
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    return Table?.TableStatus === "ACTIVE";
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return false;
    throw error;
  }
}

async function create(client: DynamoDBClient, TableName: string): Promise<void> {
  try {
    await client.send(
      new CreateTableCommand({
        TableName,
        KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
        AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
        BillingMode: "PAY_PER_REQUEST",
      }),
    );
  } catch (error) {
    // Another instance is making it.
    if (!(error instanceof ResourceInUseException)) throw error;
  }
  await waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 1, maxDelay: 2 }, { TableName });
}
