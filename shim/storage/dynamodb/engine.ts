/**
 * @module DynamoDB through the AWS SDK: one table, consistent reads, batches until they are done.
 *
 * Layout: partition key `p` = hash of the key over 16 shards behind its first two name parts, sort
 * key `k` = the key, value `v`. A listing queries the shards of its prefix and merges them in order,
 * without a table scan; the price is that one prefix spreads over 16 partitions, no more.
 */
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  waitUntilTableExists,
  type AttributeValue,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import { type Clock, delay } from "#kit/clock.ts";
import type { Bytes } from "#kit/bytes.ts";
import {
  StorageClosedError,
  StorageError,
  StorageLimitError,
  type StorageOperation,
  StorageUnavailableError,
} from "../errors.ts";
import type {
  ListCursor,
  ListOptions,
  ListPage,
  SealedWrite,
  SealOutcome,
  StorageCapabilities,
  StorageEngine,
  StorageEntry,
  StorageKey,
} from "../port.ts";
import { sealInTwoSteps } from "../seal-in-two-steps.ts";
import type { StorageTarget } from "../target.ts";

export type DynamodbTarget = Extract<StorageTarget, { engine: "dynamodb" }>;

const shards = 16;
const maxItemBytes = 400 * 1_024;
/** Name, shard and attribute overhead of an item, taken off what a value may have. */
const itemOverheadBytes = 2_600;
const batchWriteItems = 25;
const batchGetItems = 100;
/** Rounds for what a batch left unprocessed; pauses double from 20 ms to 1 s: about 10 s in all. */
const maxRounds = 15;

const capabilities: StorageCapabilities = {
  maxBatch: batchWriteItems,
  maxValueBytes: maxItemBytes - itemOverheadBytes,
  maxKeyBytes: 1_024,
  atomicMultiPut: false,
  orderedPipeline: false,
  conditionalPut: true,
  consistentRead: true,
  transactions: true,
  orderedList: true,
  shared: true,
  durability: "replicated",
  durabilityNote: "DynamoDB's own; an emulator's is its process's",
};

/** Opens a table that exists; `createTable` makes one. */
export async function openDynamodbEngine(
  target: DynamodbTarget,
  clock: Clock,
): Promise<StorageEngine> {
  const client = createClient(target);
  const engine = new DynamodbEngine(client, target.table, clock);
  try {
    await engine.get("aft-bench/probe" as StorageKey);
  } catch (error) {
    await engine.close();
    throw error;
  }
  return engine;
}

/** Creates the table with on-demand capacity and waits until it can be used. */
export async function createTable(target: DynamodbTarget): Promise<void> {
  const client = createClient(target);
  try {
    await client.send(
      new CreateTableCommand({
        TableName: target.table,
        KeySchema: [
          { AttributeName: "p", KeyType: "HASH" },
          { AttributeName: "k", KeyType: "RANGE" },
        ],
        AttributeDefinitions: [
          { AttributeName: "p", AttributeType: "S" },
          { AttributeName: "k", AttributeType: "S" },
        ],
        BillingMode: "PAY_PER_REQUEST",
      }),
    );
    await waitUntilTableExists(
      { client, maxWaitTime: 60, minDelay: 1, maxDelay: 2 },
      { TableName: target.table },
    );
  } finally {
    client.destroy();
  }
}

export function createClient({ region, endpoint }: DynamodbTarget): DynamoDBClient {
  return new DynamoDBClient({
    region,
    // Throttling and lost connections: three attempts. Every write of ours is idempotent or conditional
    // on absence; for the latter `putIfAbsent` looks at what won.
    maxAttempts: 3,
    requestHandler: { requestTimeout: 5_000, connectionTimeout: 3_000 },
    ...(endpoint !== undefined && {
      endpoint,
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    }),
  });
}

class DynamodbEngine implements StorageEngine {
  readonly name = "dynamodb";
  readonly capabilities = capabilities;
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #clock: Clock;
  #closed = false;

  constructor(client: DynamoDBClient, table: string, clock: Clock) {
    this.#client = client;
    this.#table = table;
    this.#clock = clock;
  }

  get(key: StorageKey): Promise<Bytes | undefined> {
    return this.#run("get", [{ key }], async () => {
      const { Item } = await this.#client.send(
        new GetItemCommand({
          TableName: this.#table,
          Key: nameOf(key),
          ConsistentRead: true,
          ProjectionExpression: "v",
        }),
      );
      return valueOf(Item);
    });
  }

  async multiGet(keys: readonly StorageKey[]): Promise<(Bytes | undefined)[]> {
    const items = keys.map((key) => ({ key }));
    return this.#run("multiGet", items, async () => {
      const found = new Map<string, Bytes>();
      const distinct = [...new Set(keys)];
      for (let start = 0; start < distinct.length; start += batchGetItems)
        await this.#getBatch(distinct.slice(start, start + batchGetItems), found);
      return keys.map((key) => found.get(key));
    });
  }

  put(key: StorageKey, value: Bytes): Promise<void> {
    return this.#run("put", [{ key, value }], async () => {
      await this.#client.send(
        new PutItemCommand({ TableName: this.#table, Item: itemOf({ key, value }) }),
      );
    });
  }

  multiPut(entries: readonly StorageEntry[]): Promise<void> {
    return this.#run("multiPut", entries, () =>
      this.#writeAll(
        "multiPut",
        entries.map((entry) => ({ PutRequest: { Item: itemOf(entry) } })),
      ),
    );
  }

  putIfAbsent(key: StorageKey, value: Bytes): Promise<boolean> {
    return this.#run("putIfAbsent", [{ key, value }], async () => {
      try {
        await this.#client.send(
          new PutItemCommand({
            TableName: this.#table,
            Item: itemOf({ key, value }),
            ConditionExpression: "attribute_not_exists(k)",
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    });
  }

  putSealed(groups: readonly SealedWrite[]): Promise<SealOutcome[]> {
    return sealInTwoSteps(this, groups);
  }

  delete(key: StorageKey): Promise<void> {
    return this.#run("delete", [{ key }], async () => {
      await this.#client.send(new DeleteItemCommand({ TableName: this.#table, Key: nameOf(key) }));
    });
  }

  multiDelete(keys: readonly StorageKey[]): Promise<void> {
    const items = keys.map((key) => ({ key }));
    return this.#run("multiDelete", items, () =>
      this.#writeAll(
        "multiDelete",
        [...new Set(keys)].map((key) => ({ DeleteRequest: { Key: nameOf(key) } })),
      ),
    );
  }

  list(prefix: string, options: ListOptions = {}): Promise<ListPage> {
    return this.#run("list", [], async () => {
      const after = options.cursor ?? options.after;
      const limit = options.limit ?? 1_000;
      const pages = await Promise.all(
        partitionsOf(prefix).map((partition) =>
          this.#query({ partition, prefix, limit, ...(after !== undefined && { after }) }),
        ),
      );
      // Beyond the last key of a cut page, other shards may hold keys that come first.
      const horizon = pages
        .filter(({ more }) => more)
        .map(({ keys }) => keys.at(-1) ?? "")
        .toSorted()[0];
      const merged = pages.flatMap(({ keys }) => keys).toSorted();
      const sure = horizon === undefined ? merged : merged.filter((key) => key <= horizon);
      const keys = sure.slice(0, limit);
      const last = keys.at(-1);
      const more = keys.length < merged.length || horizon !== undefined;
      return { keys, ...(more && last !== undefined && { cursor: last as string as ListCursor }) };
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#client.destroy();
    return Promise.resolve();
  }

  async #query(options: {
    readonly partition: string;
    readonly prefix: string;
    readonly limit: number;
    readonly after?: string;
  }): Promise<{ keys: StorageKey[]; more: boolean }> {
    const { partition, prefix, limit, after } = options;
    const { Items = [], LastEvaluatedKey } = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: "p = :p AND begins_with(k, :k)",
        ExpressionAttributeValues: { ":p": { S: partition }, ":k": { S: prefix } },
        ProjectionExpression: "k",
        ConsistentRead: true,
        Limit: limit,
        ...(after?.startsWith(prefix) === true && {
          ExclusiveStartKey: { p: { S: partition }, k: { S: after } },
        }),
      }),
    );
    const keys = Items.map(({ k }) => k?.S as StorageKey);
    return { keys, more: LastEvaluatedKey !== undefined };
  }

  async #getBatch(keys: readonly StorageKey[], found: Map<string, Bytes>): Promise<void> {
    let rest: Record<string, AttributeValue>[] = keys.map(nameOf);
    for (let round = 0; rest.length > 0; round += 1) {
      if (round === maxRounds) throw new Error(`${rest.length} keys were never answered`);
      if (round > 0) await this.#pause(round);
      const { Responses, UnprocessedKeys } = await this.#client.send(
        new BatchGetItemCommand({
          RequestItems: { [this.#table]: { Keys: rest, ConsistentRead: true } },
        }),
      );
      for (const item of Responses?.[this.#table] ?? []) {
        const value = valueOf(item);
        if (item["k"]?.S !== undefined && value !== undefined) found.set(item["k"].S, value);
      }
      rest = UnprocessedKeys?.[this.#table]?.Keys ?? [];
    }
  }

  async #writeAll(operation: StorageOperation, requests: readonly WriteRequest[]): Promise<void> {
    const batches: WriteRequest[][] = [];
    for (let start = 0; start < requests.length; start += batchWriteItems)
      batches.push(requests.slice(start, start + batchWriteItems));
    await Promise.all(batches.map((batch) => this.#writeBatch(operation, batch)));
  }

  /** Until nothing is left unprocessed, or a loud failure: the commit record comes after this. */
  async #writeBatch(operation: StorageOperation, batch: WriteRequest[]): Promise<void> {
    let rest = batch;
    for (let round = 0; rest.length > 0; round += 1) {
      if (round === maxRounds) {
        const key = (rest[0]?.PutRequest?.Item ?? rest[0]?.DeleteRequest?.Key)?.["k"]?.S;
        const cause = new Error(`${rest.length} items were left unprocessed ${maxRounds} times`);
        throw new StorageUnavailableError({
          engine: this.name,
          operation,
          key: key as StorageKey | undefined,
          effect: "unknown",
          cause,
        });
      }
      if (round > 0) await this.#pause(round);
      const { UnprocessedItems } = await this.#client.send(
        new BatchWriteItemCommand({ RequestItems: { [this.#table]: rest } }),
      );
      rest = UnprocessedItems?.[this.#table] ?? [];
    }
  }

  #pause(round: number): Promise<void> {
    return delay(this.#clock, Math.min(10_000 * 2 ** round, 1_000_000));
  }

  async #run<T>(
    operation: StorageOperation,
    items: readonly { readonly key: StorageKey; readonly value?: Bytes }[],
    work: () => Promise<T>,
  ): Promise<T> {
    const engine = this.name;
    const [first] = items;
    if (this.#closed)
      throw new StorageClosedError({ engine, operation, key: first?.key, effect: "none" });
    for (const { key, value } of items) {
      if (Buffer.byteLength(key) > capabilities.maxKeyBytes) {
        const limit = `a key may have ${capabilities.maxKeyBytes} bytes`;
        throw new StorageLimitError(limit, { engine, operation, key });
      }
      if ((value?.length ?? 0) > capabilities.maxValueBytes) {
        const limit = `an item may have 400 KB with its name, so a value ${capabilities.maxValueBytes} bytes`;
        throw new StorageLimitError(limit, { engine, operation, key });
      }
    }
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      const reading = operation === "get" || operation === "multiGet" || operation === "list";
      const effect = reading ? "none" : "unknown";
      throw new StorageUnavailableError({ engine, operation, key: first?.key, effect, cause });
    }
  }
}

function itemOf({ key, value }: StorageEntry): Record<string, AttributeValue> {
  return { ...nameOf(key), v: { B: value } };
}

function nameOf(key: StorageKey): Record<string, AttributeValue> {
  return { p: { S: `${familyOf(key)}#${shardOf(key)}` }, k: { S: key } };
}

function valueOf(item: Record<string, AttributeValue> | undefined): Bytes | undefined {
  return item?.["v"]?.B;
}

/** The first two parts of a name, `aft/d` of `aft/d/key/uuid`: what listings are confined to. */
function familyOf(key: string): string {
  return key.split("/", 2).join("/");
}

/** All partitions that may hold keys with this prefix; it must name the whole family. */
function partitionsOf(prefix: string): string[] {
  const family = familyOf(prefix);
  return Array.from({ length: shards }, (_unused, shard) => `${family}#${shard}`);
}

function shardOf(key: string): number {
  let hash = 0;
  for (let index = 0; index < key.length; index += 1)
    hash = (Math.imul(hash, 31) + key.charCodeAt(index)) | 0;
  return (hash >>> 0) % shards;
}
