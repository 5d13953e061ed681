/**
 * @module DynamoDB's transactions in front of a store that has none (dynalite): what the service documents
 * about TransactWriteItems and TransactGetItems, and about plain calls while one is under way.
 *
 *   X1  At most 100 actions, of 4 MB with what they write, no two of one item.
 *   X2  All conditions are judged before anything is written; one that fails cancels all, with a reason for
 *       each action, in order.
 *   X3  Conflicts as in `item-locks.ts`, client request tokens as in `tokens.ts`.
 *
 * Atomic for whoever comes through here, as long as this process lives; all is in memory anyway. Not
 * modelled: capacity and throttling, indexes, item collections, several accounts and regions.
 */
import type { Clock } from "#kit/clock.ts";
import {
  type ApiError,
  canceled,
  type CancellationReason,
  invalid,
  type Json,
} from "./api-error.ts";
import { ItemLocks } from "./item-locks.ts";
import {
  type Action,
  actionKinds,
  evaluate,
  type Evaluated,
  type Item,
  sizeOf,
  type Table,
} from "./one-item.ts";
import { RequestTokens } from "./tokens.ts";

/** The store behind; rejects with `ApiError` where it refuses. */
export type CallStore = (operation: string, body: Json) => Promise<Json>;

const mostActions = 100;
const mostBytes = 4 * 1_048_576;
const batchWriteItems = 25;

interface Planned extends Action {
  readonly table: Table;
  readonly key: Item;
  readonly id: string;
}

export class Transactions {
  readonly #call: CallStore;
  readonly #locks = new ItemLocks();
  readonly #tokens: RequestTokens;
  readonly #tables = new Map<string, Promise<Table>>();

  constructor(ports: { readonly call: CallStore; readonly clock: Clock }) {
    this.#call = ports.call;
    this.#tokens = new RequestTokens(ports.clock);
  }

  /** Any operation of the API. Rejects with `ApiError`. */
  async perform(operation: string, body: Json): Promise<Json> {
    switch (operation) {
      case "TransactWriteItems":
        return this.#write(body);
      case "TransactGetItems":
        return this.#get(body);
      case "PutItem":
      case "UpdateItem":
      case "DeleteItem": {
        const { id } = await this.#locate(body);
        return this.#locks.write([id], () => this.#call(operation, body));
      }
      case "BatchWriteItem":
        return this.#batchWrite(body);
      case "DeleteTable":
        this.#tables.delete(String(body["TableName"]));
        return this.#call(operation, body);
      default:
        return this.#call(operation, body);
    }
  }

  async #write(body: Json): Promise<Json> {
    const { TransactItems: given, ClientRequestToken: token } = body;
    const planned = await this.#plan(given, actionKinds);
    if (typeof token !== "string") return this.#writeOnce(planned);
    if (this.#tokens.begin(token, given) === "done") return {};
    try {
      const answer = await this.#writeOnce(planned);
      this.#tokens.end(token, "done");
      return answer;
    } catch (error) {
      this.#tokens.end(token, "cancelled");
      throw error;
    }
  }

  async #writeOnce(planned: readonly Planned[]): Promise<Json> {
    const ids = planned.map(({ id }) => id);
    const taken = await this.#locks.lock(ids);
    if (taken.size > 0) throw conflict(planned, taken);
    try {
      const existing = await this.#readAll(planned);
      const evaluated = planned.map((action, index) =>
        evaluate(action, action.table, existing[index]),
      );
      refuseIfAny(evaluated);
      const bytes = evaluated.reduce(
        (sum, one) => sum + (one.kind === "done" ? sizeOf(one.item) : 0),
        0,
      );
      if (bytes > mostBytes) throw tooLarge();
      await this.#apply(planned, evaluated);
      return {};
    } finally {
      this.#locks.unlock(ids);
    }
  }

  async #get({ TransactItems: given }: Json): Promise<Json> {
    const planned = await this.#plan(given, ["Get"]);
    const ids = planned.map(({ id }) => id);
    const { result = [], disturbed } = await this.#locks.read(ids, () =>
      Promise.all(
        planned.map(({ body }) => this.#call("GetItem", { ...body, ConsistentRead: true })),
      ),
    );
    if (disturbed.size > 0) throw conflict(planned, disturbed);
    const items = result.map(({ Item: item }) => item as Item | undefined);
    if (items.reduce((sum, item) => sum + sizeOf(item), 0) > mostBytes) throw tooLarge();
    return { Responses: items.map((item) => (item === undefined ? {} : { Item: item })) };
  }

  /** Items in it are refused by nobody: a batch waits, as the service's own retries of a batch would. */
  async #batchWrite(body: Json): Promise<Json> {
    const requests = Object.entries((body["RequestItems"] ?? {}) as Record<string, Json[]>);
    const ids: string[] = [];
    for (const [TableName, writes] of requests)
      for (const write of writes) {
        const { Item: item, Key: key } = (write["PutRequest"] ??
          write["DeleteRequest"] ??
          {}) as Json;
        ids.push((await this.#locate({ TableName, Item: item, Key: key })).id);
      }
    return this.#locks.write(ids, () => this.#call("BatchWriteItem", body));
  }

  /** X1. */
  async #plan(given: unknown, kinds: readonly string[]): Promise<Planned[]> {
    if (!Array.isArray(given) || given.length === 0 || given.length > mostActions)
      throw invalid(
        "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: " +
          `Member must have length between 1 and ${mostActions}`,
      );
    const planned: Planned[] = [];
    for (const entry of given as Json[]) {
      const named = kinds.filter((kind) => entry[kind] !== undefined);
      const [kind] = named;
      if (kind === undefined || named.length > 1)
        throw invalid(`TransactItems can only contain one of ${kinds.join(", ")}`);
      const body = entry[kind] as Json;
      if (kind === "ConditionCheck" && body["ConditionExpression"] === undefined)
        throw invalid("The ConditionExpression of a ConditionCheck must not be null");
      planned.push({ kind: kind as Action["kind"], body, ...(await this.#locate(body)) });
    }
    if (new Set(planned.map(({ id }) => id)).size < planned.length)
      throw invalid("Transaction request cannot include multiple operations on one item");
    return planned;
  }

  async #locate(body: Json): Promise<{ table: Table; key: Item; id: string }> {
    const table = await this.#table(String(body["TableName"]));
    const from = (body["Key"] ?? body["Item"] ?? {}) as Item;
    const names = table.KeySchema.map(({ AttributeName }) => AttributeName);
    const parts = names.flatMap((name): [string, Json][] => {
      const value = from[name];
      return value === undefined ? [] : [[name, value]];
    });
    const key: Item = Object.fromEntries(parts);
    return { table, key, id: JSON.stringify([table.TableName, ...parts]) };
  }

  #table(name: string): Promise<Table> {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const described = this.#call("DescribeTable", { TableName: name }).then(
      ({ Table: table }) => table as Table,
    );
    this.#tables.set(name, described);
    described.catch(() => this.#tables.delete(name));
    return described;
  }

  async #readAll(planned: readonly Planned[]): Promise<(Item | undefined)[]> {
    const answers = await Promise.all(
      planned.map(({ table: { TableName }, key }) =>
        this.#call("GetItem", { TableName, Key: key, ConsistentRead: true }),
      ),
    );
    return answers.map(({ Item: item }) => item as Item | undefined);
  }

  async #apply(planned: readonly Planned[], evaluated: readonly Evaluated[]): Promise<void> {
    const writes = planned.flatMap(({ table, key }, index): [string, Json][] => {
      const one = evaluated[index];
      if (one?.kind !== "done" || !one.changes) return [];
      const request =
        one.item === undefined
          ? { DeleteRequest: { Key: key } }
          : { PutRequest: { Item: one.item } };
      return [[table.TableName, request]];
    });
    for (let start = 0; start < writes.length; start += batchWriteItems) {
      let rest: Json = {};
      for (const [name, request] of writes.slice(start, start + batchWriteItems))
        rest = { ...rest, [name]: [...((rest[name] ?? []) as Json[]), request] };
      while (Object.keys(rest).length > 0) {
        const { UnprocessedItems = {} } = await this.#call("BatchWriteItem", {
          RequestItems: rest,
        });
        rest = UnprocessedItems as Json;
      }
    }
  }
}

/** X2. @throws ApiError */
function refuseIfAny(evaluated: readonly Evaluated[]): void {
  const reasons = evaluated.map((one): CancellationReason =>
    one.kind === "refused" ? one.reason : { Code: "None" },
  );
  if (reasons.some(({ Code }) => Code !== "None")) throw canceled(reasons);
}

function conflict(planned: readonly Planned[], taken: ReadonlySet<string>): ApiError {
  return canceled(
    planned.map(({ id }) =>
      taken.has(id)
        ? { Code: "TransactionConflict", Message: "Transaction is ongoing for the item" }
        : { Code: "None" },
    ),
  );
}

function tooLarge(): ApiError {
  return invalid(
    "Collection size of items in the transaction exceeds the maximum allowed of 4194304 bytes",
  );
}
