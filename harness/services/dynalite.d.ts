/** dynalite ships no types; this is the part that is used. */
declare module "dynalite" {
  import type { Server } from "node:http";

  /** Makes a server that answers DynamoDB's API from memory. */
  export default function dynalite(options: {
    createTableMs?: number;
    deleteTableMs?: number;
    updateTableMs?: number;
  }): Server;
}

declare module "dynalite/actions/*Item.js" {
  /** Calls back before it returns where its store does. */
  export default function act(
    store: object,
    data: Readonly<Record<string, unknown>>,
    done: (error: { body?: Readonly<Record<string, unknown>> } | null | undefined) => void,
  ): void;
}

declare module "dynalite/validations/*Item.js" {
  const rule: { readonly types: object; readonly custom: unknown };
  export default rule;
}

declare module "dynalite/validations/index.js" {
  type Json = Readonly<Record<string, unknown>>;
  const validations: {
    /** Both throw errors with `statusCode` and `body`. */
    checkTypes(data: Json, types: object): Json;
    checkValidations(data: Json, types: object, custom: unknown, store: object): void;
  };
  export default validations;
}

declare module "dynalite/db/index.js" {
  const database: { itemSize(item: Readonly<Record<string, unknown>>): number };
  export default database;
}
