/** @module Every statement that is sent: prepared once on each connection, by its name. */
import type { Bytes } from "#kit/bytes.ts";

export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

export const createTables = `
  CREATE TABLE IF NOT EXISTS aft_bench_value (key text COLLATE "C" PRIMARY KEY, value bytea NOT NULL);
  CREATE SEQUENCE IF NOT EXISTS aft_bench_position;
  CREATE TABLE IF NOT EXISTS aft_bench_request (
    tag text COLLATE "C" PRIMARY KEY,
    transaction_id text NOT NULL,
    position bigint NOT NULL DEFAULT nextval('aft_bench_position')
  )`;

/** Two processes that create tables at once are in each other's way, also with IF NOT EXISTS. */
export const lockCreation = "SELECT pg_advisory_xact_lock(7214130650)";
export const areTablesThere = "SELECT to_regclass('aft_bench_request') IS NOT NULL AS there";

export function readOne(key: string): Statement {
  const text = "SELECT value FROM aft_bench_value WHERE key = $1";
  return { name: "aft_bench_read", text, values: [key] };
}

export function readMany(keys: readonly string[]): Statement {
  const text = "SELECT key, value FROM aft_bench_value WHERE key = ANY($1)";
  return { name: "aft_bench_read_many", text, values: [keys] };
}

const replace = "ON CONFLICT (key) DO UPDATE SET value = excluded.value";

export function writeOne(key: string, value: Bytes): Statement {
  const text = `INSERT INTO aft_bench_value (key, value) VALUES ($1, $2) ${replace}`;
  return { name: "aft_bench_write", text, values: [key, toBuffer(value)] };
}

/** In the order of keys: of two that write the same ones, the second waits, and neither for the other. */
export function writeMany(entries: readonly (readonly [key: string, value: Bytes])[]): Statement {
  const ordered = entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = `INSERT INTO aft_bench_value (key, value) SELECT * FROM unnest($1::text[], $2::bytea[]) ${replace}`;
  const values = [ordered.map(([key]) => key), ordered.map(([, value]) => toBuffer(value))];
  return { name: "aft_bench_write_many", text, values };
}

/**
 * The last statement of a transaction, so its position is taken under all its locks: of two transactions
 * that write one key, the later one has the higher position. Fails where the request has one.
 */
export function markRequest(tag: string, transactionId: string): Statement {
  const text =
    "INSERT INTO aft_bench_request (tag, transaction_id) VALUES ($1, $2) RETURNING position";
  return { name: "aft_bench_mark", text, values: [tag, transactionId] };
}

export function readMark(tag: string): Statement {
  const text = "SELECT transaction_id, position FROM aft_bench_request WHERE tag = $1";
  return { name: "aft_bench_read_mark", text, values: [tag] };
}

/** Which of the server's processes a connection has, and since when: together they name one for ever. */
export const ownBackend =
  "SELECT pid, backend_start::text AS since FROM pg_stat_activity WHERE pid = pg_backend_pid()";

/** A row as long as it is there. */
export function endBackend(pid: number, since: string): Statement {
  const text =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2::timestamptz";
  return { name: "aft_bench_end_backend", text, values: [pid, since] };
}

function toBuffer(value: Bytes): Buffer {
  return Buffer.isBuffer(value)
    ? value
    : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
