/**
 * @module The table as the system uses it: four calls, counted; what they reject with is a `StateError`, except
 * that `write` answers with what became of it.
 *
 * Layout: values under `<system>/v/KEY`, with the order number of their commit; of every request that wrote a
 * record under `<system>/r/TAG`, with the attempt that did it, in the same transaction.
 */
import { createHash } from "node:crypto";
import {
  type CancellationReason,
  type DynamoDBClient,
  DynamoDBServiceException,
  GetItemCommand,
  TransactGetItemsCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  type AttributeValue,
} from "@aws-sdk/client-dynamodb";
import type { Bytes } from "#kit/bytes.ts";
import { describeError } from "#kit/errors.ts";
import { type StateCounters, StateError } from "#shim/state/port.ts";
import { orderText } from "./attempt-id.ts";

type Item = Record<string, AttributeValue>;

export interface RequestRecord {
  readonly transactionId: string;
  readonly order: bigint;
}

export type Written =
  | { readonly kind: "written" }
  /** An earlier attempt of the request has written, maybe this one. */
  | { readonly kind: "done"; readonly record: RequestRecord }
  /** A value has a later number than ours: somebody's clock is ahead. */
  | { readonly kind: "overtaken"; readonly by: bigint }
  /** Others work on the same items, or the service has no capacity left. */
  | { readonly kind: "busy" }
  /** Surely not done. */
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

const prefix = "dynamodb-txn";
/** Requests are remembered so long, where the table expires items by `x`. */
const retentionMs = 86_400_000;

export class TransactionTable {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #counts = { calls: 0, bytesRead: 0, bytesWritten: 0 };
  #closed = false;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  counters(): StateCounters {
    return { ...this.#counts };
  }

  async get(key: string): Promise<Bytes | undefined> {
    return this.#valueOf(await this.#getItem(valueKey(key)));
  }

  /** All of one instant, or `busy`: somebody was writing one of them. */
  async getTogether(keys: readonly string[]): Promise<(Bytes | undefined)[] | "busy"> {
    const TransactItems = keys.map((key) => ({
      Get: { TableName: this.#table, Key: valueKey(key), ProjectionExpression: "v" },
    }));
    try {
      const { Responses = [] } = await this.#ask(() =>
        this.#client.send(new TransactGetItemsCommand({ TransactItems })),
      );
      return keys.map((_key, index) => this.#valueOf(Responses[index]?.Item));
    } catch (error) {
      if (error instanceof TransactionCanceledException && isBusy(reasonsOf(error))) return "busy";
      throw toStateError(error);
    }
  }

  /** Who has done the request; undefined: nobody so far. */
  async recordOf(tag: string): Promise<RequestRecord | undefined> {
    return toRecord(await this.#getItem(recordKey(tag)));
  }

  /** All values and the record of the request in one transaction. Never rejects. */
  async write(options: {
    readonly entries: readonly (readonly [key: string, value: Bytes])[];
    readonly tag: string;
    readonly transactionId: string;
    readonly order: bigint;
    readonly nowMs: number;
  }): Promise<Written> {
    const { entries, tag, transactionId, order, nowMs } = options;
    const n = { N: String(order) };
    const expiresAt = Math.ceil((nowMs + retentionMs) / 1_000);
    const record: TransactWriteItem = {
      Put: {
        TableName: this.#table,
        Item: { ...recordKey(tag), t: { S: transactionId }, n, x: { N: String(expiresAt) } },
        ConditionExpression: "attribute_not_exists(p)",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      },
    };
    const values = entries.map(([key, value]): TransactWriteItem => {
      this.#counts.bytesWritten += value.length;
      return {
        Put: {
          TableName: this.#table,
          Item: { ...valueKey(key), v: { B: value }, n },
          ConditionExpression: "attribute_not_exists(n) OR n < :n",
          ExpressionAttributeValues: { ":n": n },
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        },
      };
    });
    try {
      await this.#ask(() =>
        this.#client.send(
          new TransactWriteItemsCommand({
            TransactItems: [record, ...values],
            // The SDK may send it again: to the service that is the same transaction. Another try has another
            // number, so it is another one.
            ClientRequestToken: tokenOf(`${transactionId} ${orderText(order)}`),
          }),
        ),
      );
      return { kind: "written" };
    } catch (error) {
      return judge(error);
    }
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#client.destroy();
  }

  async #getItem(Key: Item): Promise<Item | undefined> {
    try {
      const { Item: item } = await this.#ask(() =>
        this.#client.send(
          new GetItemCommand({ TableName: this.#table, Key, ConsistentRead: true }),
        ),
      );
      return item;
    } catch (error) {
      throw toStateError(error);
    }
  }

  #valueOf(item: Item | undefined): Bytes | undefined {
    const value = item?.["v"]?.B;
    this.#counts.bytesRead += value?.length ?? 0;
    return value;
  }

  async #ask<T>(call: () => Promise<T>): Promise<T> {
    if (this.#closed)
      throw new StateError({
        code: "storage_closed",
        disposition: "abort",
        message: "dynamodb-txn: the system is closed",
      });
    this.#counts.calls += 1;
    return call();
  }
}

function valueKey(key: string): Item {
  return { p: { S: `${prefix}/v/${key}` }, k: { S: "v" } };
}

function recordKey(tag: string): Item {
  return { p: { S: `${prefix}/r/${tag}` }, k: { S: "r" } };
}

/** At most 36 characters. */
function tokenOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 36);
}

function toRecord(item: Item | undefined): RequestRecord | undefined {
  const transactionId = item?.["t"]?.S;
  if (transactionId === undefined) return undefined;
  return { transactionId, order: BigInt(item?.["n"]?.N ?? 0) };
}

function judge(error: unknown): Written {
  const reason = describeError(error);
  if (error instanceof StateError) return { kind: "refused", reason };
  if (error instanceof TransactionCanceledException) return judgeCancellation(reasonsOf(error));
  // Parameters, rights, a missing table: the service has not begun.
  const isClients = error instanceof DynamoDBServiceException && error.$fault === "client";
  const isInProgress = error instanceof Error && error.name === "TransactionInProgressException";
  return { kind: isClients && !isInProgress ? "refused" : "unknown", reason };
}

/** The first reason is the record's. */
function judgeCancellation(reasons: readonly CancellationReason[]): Written {
  const [ofRecord, ...ofValues] = reasons;
  const record = ofRecord?.Code === "ConditionalCheckFailed" ? toRecord(ofRecord.Item) : undefined;
  if (record !== undefined) return { kind: "done", record };
  const later = ofValues
    .filter(({ Code }) => Code === "ConditionalCheckFailed")
    .map(({ Item: item }) => BigInt(item?.["n"]?.N ?? 0));
  if (later.length > 0)
    return { kind: "overtaken", by: later.reduce((most, one) => (one > most ? one : most)) };
  if (isBusy(reasons)) return { kind: "busy" };
  const reason = reasons.map(({ Code, Message = "" }) => `${Code} ${Message}`).join(", ");
  return { kind: "refused", reason };
}

const busyCodes = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];

function isBusy(reasons: readonly CancellationReason[]): boolean {
  return reasons.some(({ Code = "" }) => busyCodes.includes(Code));
}

function reasonsOf({ CancellationReasons }: TransactionCanceledException): CancellationReason[] {
  return CancellationReasons ?? [];
}

function toStateError(error: unknown): StateError {
  if (error instanceof StateError) return error;
  return new StateError({
    code: "storage_unavailable",
    disposition: "retry",
    message: `dynamodb-txn: ${describeError(error)}`,
    cause: error,
  });
}
