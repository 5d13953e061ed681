/**
 * @module What PostgreSQL offers as isolation, as systems to choose from.
 *
 * A connection cannot travel, so each function has a transaction of its own, and a request of several
 * functions is torn between them at every level. What a level forbids within one function:
 *
 *   postgres-rc   reads of what is not committed; nothing else (lost updates happen)
 *   postgres-rr   also everything that one snapshot and first-updater-wins forbid (write skew happens)
 *   postgres-ser  everything: serializable
 */
export const isolationOf = {
  "postgres-rc": "READ COMMITTED",
  "postgres-rr": "REPEATABLE READ",
  "postgres-ser": "SERIALIZABLE",
} as const;

export type PostgresSystemName = keyof typeof isolationOf;
export type Isolation = (typeof isolationOf)[PostgresSystemName];
