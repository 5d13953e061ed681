/**
 * @module A PostgreSQL database as the state systems here use it: a bounded pool of connections, the tables,
 * and what became of a request.
 *
 * Every wait has a bound: for a connection, for a statement (the server's), for an answer (ours). A transaction
 * that nobody goes on with is ended by the server, and its connection with it.
 */
import { Pool, type PoolClient, type QueryResult, type QueryResultRow } from "pg";
import { type Clock, delay } from "#kit/clock.ts";
import { ProjectError } from "#kit/errors.ts";
import type { CommitOutcome, StateCounters, StateError } from "#shim/state/port.ts";
import { orderText, tagOf } from "#shim/state/ids.ts";
import { isUnsure, refused, toStateError } from "./errors.ts";
import type { Isolation } from "./levels.ts";
import {
  areTablesThere,
  createTables,
  endBackend,
  lockCreation,
  ownBackend,
  readMark,
  type Statement,
} from "./statements.ts";
import { type Backend, type Counts, type Lease, Transaction } from "./transaction.ts";

export interface DatabaseSettings {
  readonly url: string;
  /** In front of all keys: systems may share a database, and not their values. */
  readonly namespace: string;
  /** Transactions beyond so many at once wait. */
  readonly maxConnections: number;
  /** Longest wait for a connection, and for an answer. */
  readonly timeoutMs: number;
  /** A transaction without a statement for so long is ended. */
  readonly idleInTransactionMs: number;
}

/** An answer that was lost is looked for so often and so far apart. */
const settleAttempts = 8;
const settlePauseUs = 50_000;
/** The end of a server process is waited for so long and looked for so often. */
const endAttempts = 200;
const endPauseUs = 10_000;
/** The server gives up before we do, so that we hear why. */
const answerMarginMs = 1_000;

/** A process of the server that holds an outcome open does not end. */
class BackendStaysError extends ProjectError {
  readonly code = "backend_stays";
  readonly disposition = "retry";
}

class DatabaseClosedError extends ProjectError {
  readonly code = "storage_closed";
  readonly disposition = "abort";
}

// An alias, because only these count as rows of columns.
type BackendRow = { readonly pid: number; readonly since: string };

interface MarkRow {
  readonly transaction_id: string;
  readonly position: string;
}

export class Database {
  readonly #pool: Pool;
  readonly #clock: Clock;
  readonly #namespace: string;
  readonly #counts: Counts = { calls: 0, bytesRead: 0, bytesWritten: 0 };
  /** Taken out of the pool and not given back. */
  readonly #leases = new Set<Lease>();
  #closing: Promise<void> | undefined;

  /** Makes the tables where there are none. Rejects with a `StateError`. */
  static async open(settings: DatabaseSettings, clock: Clock): Promise<Database> {
    const database = new Database(settings, clock);
    try {
      await database.#prepare();
      return database;
    } catch (error) {
      await database.close();
      throw toStateError(error);
    }
  }

  private constructor(settings: DatabaseSettings, clock: Clock) {
    const { url, namespace, maxConnections, timeoutMs, idleInTransactionMs } = settings;
    this.#clock = clock;
    this.#namespace = namespace;
    this.#pool = new Pool({
      connectionString: url,
      max: maxConnections,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs + answerMarginMs,
      statement_timeout: timeoutMs,
      idle_in_transaction_session_timeout: idleInTransactionMs,
      // As long as the function's instance lives.
      idleTimeoutMillis: 0,
      allowExitOnIdle: true,
      keepAlive: true,
      pipeline: true,
      application_name: "aft-bench",
    });
    // Of connections that are not in use; the next one to need it makes another.
    this.#pool.on("error", () => {});
  }

  /** Rejects with what the driver says. */
  async begin(isolation: Isolation): Promise<Transaction> {
    return new Transaction(await this.#lease(), {
      isolation,
      namespace: this.#namespace,
      counts: this.#counts,
    });
  }

  /**
   * What became of an attempt, and of its request, as far as it is decided by now: "unknown" where no attempt
   * has committed, because one may be about to. Rejects with what the driver says.
   */
  async outcomeOf(transactionId: string): Promise<CommitOutcome> {
    const { rows } = await this.#query(readMark(tagOf(transactionId)));
    const [mark] = rows as MarkRow[];
    if (mark === undefined) return { kind: "unknown", reason: "no attempt had committed" };
    const { transaction_id: committedBy, position } = mark;
    const commitOrder = orderText(Number(position));
    const isOwn = committedBy === transactionId;
    return { kind: "committed", commitOrder, ...(!isOwn && { committedBy }) };
  }

  /**
   * What became of an attempt whose commit failed. Its request's mark may be there: another attempt's, or its
   * own and the answer was lost. Never rejects.
   */
  async afterFailedCommit(
    transactionId: string,
    failure: StateError,
    backend: Backend | undefined,
  ): Promise<CommitOutcome> {
    const isLost = isUnsure(failure);
    let reason = "";
    for (let attempt = 1; attempt <= settleAttempts; attempt += 1) {
      try {
        // The server's process may be about to commit it still.
        if (isLost && backend !== undefined) await this.end(backend);
        const outcome = await this.outcomeOf(transactionId);
        return outcome.kind === "unknown" ? refused(failure) : outcome;
      } catch (error) {
        if (!isLost) return refused(failure);
        reason = toStateError(error).message;
        await delay(this.#clock, settlePauseUs * attempt);
      }
    }
    return { kind: "unknown", reason };
  }

  /** Ends the server's process and waits until it is gone: what it had not committed it never will. */
  async end({ pid, since }: Backend): Promise<void> {
    for (let attempt = 0; attempt < endAttempts; attempt += 1) {
      const { rowCount } = await this.#query(endBackend(pid, since));
      if (rowCount === 0) return;
      await delay(this.#clock, endPauseUs);
    }
    throw new BackendStaysError(`the server's process ${pid} does not end`);
  }

  counters(): StateCounters {
    return { ...this.#counts };
  }

  /** Transactions that are open end without a commit. Idempotent. */
  close(): Promise<void> {
    for (const lease of this.#leases) lease.end(new DatabaseClosedError("the system was closed"));
    this.#closing ??= this.#pool.end();
    return this.#closing;
  }

  async #prepare(): Promise<void> {
    const { rows } = await this.#query(areTablesThere);
    if (rows[0]?.["there"] === true) return;
    const { client, release } = await this.#lease();
    try {
      await client.query("BEGIN");
      await client.query(lockCreation);
      await client.query(createTables);
      await client.query("COMMIT");
      release("usable");
    } catch (error) {
      release("broken");
      throw error;
    }
  }

  async #query(statement: Statement | string): Promise<QueryResult<QueryResultRow>> {
    const { client, release } = await this.#lease();
    this.#counts.calls += 1;
    try {
      const result = await client.query(
        typeof statement === "string" ? statement : { ...statement, values: [...statement.values] },
      );
      release("usable");
      return result;
    } catch (error) {
      release("broken");
      throw error;
    }
  }

  async #lease(): Promise<Lease> {
    const client = await this.#pool.connect();
    const lease = leaseOf(client, () => this.#leases.delete(lease));
    this.#leases.add(lease);
    try {
      await this.#learnBackend(client);
      return lease;
    } catch (error) {
      lease.release("broken");
      throw error;
    }
  }

  /** Asked once for each connection. */
  async #learnBackend(client: PoolClient): Promise<void> {
    if (backends.has(client)) return;
    this.#counts.calls += 1;
    const { rows } = await client.query<BackendRow>(ownBackend);
    const [backend] = rows;
    if (backend !== undefined) backends.set(client, backend);
  }
}

const backends = new WeakMap<object, Backend>();

/** Without a listener, the end of a connection in use would be thrown. */
function leaseOf(client: PoolClient, onRelease: () => void): Lease {
  let failed: Error | undefined;
  let released = false;
  const release = (how: "usable" | "broken"): void => {
    if (released) return;
    released = true;
    client.release(how === "broken");
    client.off("error", end);
    onRelease();
  };
  const end = (error: Error): void => {
    failed = error;
    release("broken");
  };
  client.on("error", end);
  return { client, backend: () => backends.get(client), failure: () => failed, end, release };
}
