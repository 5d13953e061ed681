/**
 * Goal    The transactions before dynalite do what AWS documents of DynamoDB's.
 * Method  The AWS SDK against both over HTTP. Tests name the clause: API reference (TransactWriteItems,
 *         TransactGetItems, TransactionCanceledException) and Developer Guide ("Managing complex workflows with
 *         DynamoDB transactions").
 */
import {
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  TransactGetItemsCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startDynalite } from "../aws-emulators.ts";
import type { StorageService } from "../port.ts";
import { startTransactionFront } from "./start.ts";

let store: StorageService;
let front: StorageService;
let client: DynamoDBClient;
let table = "";

beforeAll(async () => {
  store = await startDynalite();
  if (store.target.engine !== "dynamodb") throw new Error("dynalite is a DynamoDB");
  front = await startTransactionFront(store.target);
  const { target } = front;
  if (target.engine !== "dynamodb" || target.endpoint === undefined) throw new Error("no endpoint");
  table = target.table;
  client = new DynamoDBClient({
    region: target.region,
    endpoint: target.endpoint,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    maxAttempts: 1,
  });
});
afterAll(async () => {
  client.destroy();
  await front.stop();
  await store.stop();
});

let names = 0;
const fresh = (): string => `item-${(names += 1)}`;
const keyOf = (name: string) => ({ p: { S: name }, k: { S: name } });
const put = (name: string, n: number, condition: Partial<TransactWriteItem["Put"]> = {}) => ({
  Put: { TableName: table, Item: { ...keyOf(name), n: { N: String(n) } }, ...condition },
});
const write = (TransactItems: TransactWriteItem[], ClientRequestToken?: string) =>
  client.send(
    new TransactWriteItemsCommand({
      TransactItems,
      ...(ClientRequestToken !== undefined && { ClientRequestToken }),
    }),
  );
const read = async (name: string): Promise<number | undefined> => {
  const { Item } = await client.send(
    new GetItemCommand({ TableName: table, Key: keyOf(name), ConsistentRead: true }),
  );
  return Item === undefined ? undefined : Number(Item["n"]?.N);
};
const readTogether = (all: readonly string[]) =>
  client.send(
    new TransactGetItemsCommand({
      TransactItems: all.map((name) => ({ Get: { TableName: table, Key: keyOf(name) } })),
    }),
  );
const fails = async (call: Promise<unknown>): Promise<Record<string, unknown>> => {
  try {
    await call;
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error("it was accepted");
};
const codesOf = (error: Record<string, unknown>): unknown[] =>
  (error["CancellationReasons"] as { Code: string }[]).map(({ Code }) => Code);
const onlyNew = { ConditionExpression: "attribute_not_exists(p)" };

describe("TransactWriteItems", () => {
  it("completes all actions or none: Put, Update, Delete, ConditionCheck", async () => {
    const [a, b, c, d] = [fresh(), fresh(), fresh(), fresh()];
    await write([put(b, 1), put(c, 1), put(d, 1)]);
    await write([
      put(a, 1, onlyNew),
      {
        Update: {
          TableName: table,
          Key: keyOf(b),
          UpdateExpression: "ADD n :one",
          ExpressionAttributeValues: { ":one": { N: "1" } },
        },
      },
      { Delete: { TableName: table, Key: keyOf(c) } },
      {
        ConditionCheck: {
          TableName: table,
          Key: keyOf(d),
          ConditionExpression: "n = :one",
          ExpressionAttributeValues: { ":one": { N: "1" } },
        },
      },
    ]);
    expect(await Promise.all([a, b, c, d].map(read))).toEqual([1, 2, undefined, 1]);
  });

  it("cancels when a condition is not met, with a reason for each action in order, and writes nothing", async () => {
    const [there, other] = [fresh(), fresh()];
    await write([put(there, 1)]);
    const error = await fails(
      write([
        put(other, 1),
        put(there, 2, { ...onlyNew, ReturnValuesOnConditionCheckFailure: "ALL_OLD" }),
      ]),
    );
    expect(error["name"]).toBe("TransactionCanceledException");
    expect(codesOf(error)).toEqual(["None", "ConditionalCheckFailed"]);
    expect(error["CancellationReasons"]).toMatchObject([{}, { Item: { n: { N: "1" } } }]);
    expect(await Promise.all([there, other].map(read))).toEqual([1, undefined]);
  });

  it("groups up to 100 actions; no two of one item", async () => {
    const all = Array.from({ length: 101 }, fresh);
    const actions = all.map((name) => put(name, 1));
    expect((await fails(write(actions)))["name"]).toBe("ValidationException");
    await write(actions.slice(1));
    expect((await readTogether(all.slice(1))).Responses).toHaveLength(100);
    expect(await read(all[0] ?? "")).toBeUndefined();
    const name = fresh();
    const twice = await fails(write([put(name, 1), put(name, 2)]));
    expect(twice["message"]).toMatch(/multiple operations on one item/);
  });

  it("has at most 4 MB, of items of 400 KB at most", async () => {
    const big = (name: string, bytes: number) => ({
      Put: { TableName: table, Item: { ...keyOf(name), v: { B: Buffer.alloc(bytes, 1) } } },
    });
    const oversize = await fails(write([put(fresh(), 1), big(fresh(), 410_000)]));
    expect(codesOf(oversize)).toEqual(["None", "ValidationError"]);
    const [first, ...others] = Array.from({ length: 11 }, fresh);
    const tooMuch = await fails(write([first ?? "", ...others].map((name) => big(name, 400_000))));
    expect(tooMuch["name"]).toBe("ValidationException");
    expect(await read(first ?? "")).toBeUndefined();
  });

  it("conflicts with another one under way: cancelled with TransactionConflict, and one of them succeeds", async () => {
    const name = fresh();
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_unused, n) => write([put(fresh(), n), put(name, n)])),
    );
    const failed = results.flatMap((result) =>
      result.status === "rejected" ? [result.reason as Record<string, unknown>] : [],
    );
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.length).toBeLessThan(8);
    for (const error of failed) expect(codesOf(error)).toEqual(["None", "TransactionConflict"]);
  });

  it("refuses a plain write of its items meanwhile with TransactionConflictException; reads go on", async () => {
    const names100 = Array.from({ length: 100 }, fresh);
    const [name = ""] = names100;
    const plain: ((n: number) => Promise<unknown>)[] = [
      (n) => client.send(new PutItemCommand({ TableName: table, Item: put(name, n).Put.Item })),
      () => client.send(new DeleteItemCommand({ TableName: table, Key: keyOf(name) })),
      () => client.send(new UpdateItemCommand({ TableName: table, Key: keyOf(name) })),
    ];
    for (const call of plain) {
      const seen = await meanwhile(write(names100.map((one) => put(one, 7))), () => call(7));
      expect(seen).toContain("TransactionConflictException");
    }
    const reads = await meanwhile(write(names100.map((one) => put(one, 8))), () => read(name));
    expect(new Set(reads)).toEqual(new Set(["ok"]));
  });
});

/** What came of one call after the other while `running` was under way. */
async function meanwhile(running: Promise<unknown>, call: () => Promise<unknown>) {
  const seen: string[] = [];
  const state = { isOver: false };
  const over = running
    .catch(() => {})
    .then(() => {
      state.isOver = true;
    });
  while (!state.isOver)
    await call().then(
      () => seen.push("ok"),
      (error: unknown) => seen.push((error as Error).name),
    );
  await over;
  return seen;
}

describe("ClientRequestToken", () => {
  it("makes identical calls one: nothing is done again", async () => {
    const [name, token] = [fresh(), "token-once"];
    await write([put(name, 1)], token);
    await write([put(name, 2)]);
    await write([put(name, 1)], token);
    expect(await read(name)).toBe(2);
  });

  it("with other parameters is refused with IdempotentParameterMismatchException", async () => {
    const [name, token] = [fresh(), "token-mismatch"];
    await write([put(name, 1)], token);
    const error = await fails(write([put(name, 2)], token));
    expect(error["name"]).toBe("IdempotentParameterMismatchException");
    expect(await read(name)).toBe(1);
  });

  it("of a call that was cancelled lets the same call be tried again", async () => {
    const [name, token] = [fresh(), "token-again"];
    await write([put(name, 1)]);
    const call = () => write([put(name, 2, onlyNew)], token);
    expect((await fails(call()))["name"]).toBe("TransactionCanceledException");
    await client.send(new DeleteItemCommand({ TableName: table, Key: keyOf(name) }));
    await call();
    expect(await read(name)).toBe(2);
  });

  it("of a call under way is refused with TransactionInProgressException", async () => {
    const actions = Array.from({ length: 100 }, () => put(fresh(), 1));
    const both = await Promise.allSettled([
      write(actions, "token-busy"),
      write(actions, "token-busy"),
    ]);
    const refusals = both.flatMap((one) =>
      one.status === "rejected" ? [one.reason as Error] : [],
    );
    for (const { name } of refusals) expect(name).toBe("TransactionInProgressException");
    expect(refusals.length).toBeLessThan(2);
  });
});

describe("TransactGetItems", () => {
  it("reads up to 100 items together, in order, missing ones too", async () => {
    const [a, b] = [fresh(), fresh()];
    await write([put(a, 1)]);
    const { Responses } = await readTogether([b, a]);
    expect(Responses?.map(({ Item }) => Item?.["n"]?.N)).toEqual([undefined, "1"]);
    const tooMany = await fails(readTogether(Array.from({ length: 101 }, fresh)));
    expect(tooMany["name"]).toBe("ValidationException");
  });

  it("is cancelled when an item of it is written meanwhile, and never sees half of a transaction", async () => {
    const pair = [fresh(), fresh()];
    await write(pair.map((name) => put(name, 0)));
    const state = { isOver: false };
    const writer = (async () => {
      for (let n = 1; n <= 60; n += 1)
        await write(pair.map((name) => put(name, n))).catch(() => {});
      state.isOver = true;
    })();
    let cancelled = 0;
    while (!state.isOver) {
      const answer = await readTogether(pair).catch((error: unknown) => {
        expect(new Set(codesOf(error as Record<string, unknown>))).toContain("TransactionConflict");
        cancelled += 1;
        return undefined;
      });
      const seen = answer?.Responses?.map(({ Item }) => Item?.["n"]?.N) ?? ["", ""];
      expect(seen[0]).toBe(seen[1]);
    }
    await writer;
    expect(cancelled).toBeGreaterThan(0);
  });
});
