/**
 * @module What one action of a transaction would make of one item, without making it.
 *
 * dynalite's own code decides, on a table that holds nothing else: conditions and updates then mean the same
 * inside and outside of transactions.
 */
import deleteItem from "dynalite/actions/deleteItem.js";
import putItem from "dynalite/actions/putItem.js";
import updateItem from "dynalite/actions/updateItem.js";
import database from "dynalite/db/index.js";
import deleteRules from "dynalite/validations/deleteItem.js";
import validations from "dynalite/validations/index.js";
import putRules from "dynalite/validations/putItem.js";
import updateRules from "dynalite/validations/updateItem.js";
import { ApiError, type CancellationReason, type Json } from "./api-error.ts";

export type Item = Readonly<Record<string, Json>>;

export interface Table {
  readonly TableName: string;
  readonly KeySchema: readonly { readonly AttributeName: string }[];
}

export const actionKinds = ["ConditionCheck", "Delete", "Put", "Update"] as const;

export interface Action {
  readonly kind: (typeof actionKinds)[number];
  readonly body: Json;
}

export type Evaluated =
  /** `item` is what is there afterwards; undefined: nothing. */
  | { readonly kind: "done"; readonly item: Item | undefined; readonly changes: boolean }
  | { readonly kind: "refused"; readonly reason: CancellationReason };

/** How dynalite says no. */
interface Refusal extends Error {
  readonly body?: Json;
  readonly statusCode?: number;
}

const maxItemBytes = 409_600;

const rules = {
  ConditionCheck: { act: deleteItem, rule: deleteRules },
  Delete: { act: deleteItem, rule: deleteRules },
  Put: { act: putItem, rule: putRules },
  Update: { act: updateItem, rule: updateRules },
} as const;

/** @throws ApiError when the action can mean nothing, whatever the item is */
export function evaluate(
  { kind, body }: Action,
  table: Table,
  existing: Item | undefined,
): Evaluated {
  const { ReturnValuesOnConditionCheckFailure: returned, ...asked } = body;
  const { act, rule } = rules[kind];
  const cell: { item: Item | undefined; error: { body?: Json } | undefined } = {
    item: existing,
    error: undefined,
  };
  const store = holding(table, cell);
  let data: Json;
  try {
    data = validations.checkTypes(structuredClone(asked), rule.types);
    validations.checkValidations(data, rule.types, rule.custom, store);
  } catch (error) {
    const { body: answer, statusCode, message } = error as Refusal;
    if (answer === undefined || statusCode === undefined) throw error;
    if (!/size has exceeded/i.test(message)) throw new ApiError(statusCode, answer);
    return { kind: "refused", reason: { Code: "ValidationError", Message: message } };
  }
  act(store, data, (error) => {
    cell.error = error ?? undefined;
  });
  if (cell.error === undefined)
    return kind === "ConditionCheck"
      ? { kind: "done", item: existing, changes: false }
      : { kind: "done", item: cell.item, changes: true };
  const { __type: type, message } = cell.error.body ?? {};
  const isCondition = String(type).endsWith("ConditionalCheckFailedException");
  return {
    kind: "refused",
    reason: {
      Code: isCondition ? "ConditionalCheckFailed" : "ValidationError",
      Message: String(message),
      ...(isCondition && returned === "ALL_OLD" && existing !== undefined && { Item: existing }),
    },
  };
}

/** By the service's own way of counting. */
export function sizeOf(item: Item | undefined): number {
  return item === undefined ? 0 : database.itemSize(item);
}

/** A store as those actions use it; everything is done when they return. */
function holding(table: Table, cell: { item: Item | undefined }) {
  return {
    options: { maxItemSize: maxItemBytes },
    getTable: (_name: string, then: (error: null, found: Table) => void) => {
      then(null, table);
    },
    getItemDb: () => ({
      lock: (_key: string, work: (release: (done: unknown) => unknown) => void) => {
        work((done) => done);
      },
      get: (_key: string, then: (error: Error | null, item?: Item) => void) => {
        if (cell.item !== undefined) then(null, structuredClone(cell.item));
        else then(Object.assign(new Error("no such item"), { name: "NotFoundError" }));
      },
      put: (_key: string, item: Item, then: (error: null) => void) => {
        cell.item = item;
        then(null);
      },
      del: (_key: string, then: (error: null) => void) => {
        cell.item = undefined;
        then(null);
      },
    }),
  };
}
