/** @module For tests: what the worker sees of workerd, in this process; a SQLite database for each object, in memory. */
import { DatabaseSync } from "node:sqlite";
import type worker from "../worker.ts";
import { ValueObject } from "../worker.ts";

export type Environment = Parameters<typeof worker.fetch>[1];

/** As much of the runtime as the worker sees. */
export function createRuntime(): Environment {
  const objects = new Map<unknown, ValueObject>();
  return {
    VALUES: {
      idFromName: (name) => name,
      get: (id) => {
        const object = objects.get(id) ?? new ValueObject({ storage: createObjectStorage() });
        objects.set(id, object);
        return object;
      },
    },
  };
}

function createObjectStorage(): ConstructorParameters<typeof ValueObject>[0]["storage"] {
  const database = new DatabaseSync(":memory:");
  return {
    sql: {
      exec: <T>(query: string, ...bindings: unknown[]) => {
        if (bindings.length === 0 && query.includes("CREATE")) {
          database.exec(query);
          return cursor<T>([]);
        }
        return cursor(database.prepare(query).all(...(bindings as string[])) as T[]);
      },
    },
    transactionSync: (work) => {
      database.exec("BEGIN");
      try {
        const result = work();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
  };
}

function cursor<T>(rows: T[]): Iterable<T> & { toArray(): T[] } {
  return Object.assign(rows.values(), { toArray: () => rows });
}
