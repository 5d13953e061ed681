/**
 * @module DBOS in this process: launched once, because the library is one of a process, and shared by all who open
 * the system over the same database.
 *
 * Each process is an executor of its own. A workflow whose executor died stays with it until somebody resumes it;
 * only a process that has the function at hand can go on with it, so each listens to a queue of its own and has
 * workflows resumed there. Whoever had the workflow, and is only slow, cannot commit any more: DBOS checks the owner
 * inside the transaction.
 */
import { randomUUID } from "node:crypto";
import { Pool } from "pg";
import type { Clock } from "#kit/clock.ts";
import { ConfigError } from "#kit/errors.ts";
import { Database, type DatabaseSettings } from "#shim/postgres/database.ts";
import type { StateCounters } from "#shim/state/port.ts";
import { dataSourceName, FunctionDataSource } from "./data-source.ts";
import { type Library, loadDbos, type WorkflowHandle } from "./library.ts";
import type { Turn } from "./turn.ts";

/** What somebody else's workflow has come to. */
export type Found =
  | { readonly kind: "done"; readonly text: string }
  /** With an error: its transaction was rolled back. */
  | { readonly kind: "failed" }
  | { readonly kind: "under way" };

const applicationVersion = "1";
const workflowName = "function";
/** Beside the connections of functions: each instance has one function at a time. */
const systemConnections = 4;
const askEveryMs = 20;

export class Runtime {
  readonly database: Database;
  readonly #library: Library;
  /** Of workflows that are about to be run here. */
  readonly #turns = new Map<string, Turn>();
  readonly #workflow: (id: string) => Promise<string>;
  readonly #queueName: string;
  readonly #counts: { readonly calls: number };
  readonly #pool: Pool;
  #queue: Promise<unknown> | undefined;

  static async launch(settings: DatabaseSettings, clock: Clock): Promise<Runtime> {
    const library = await loadDbos();
    const database = await Database.open(settings, clock);
    const executorID = randomUUID();
    const counts = { calls: 0 };
    const pool = countingPool(settings, counts);
    const queueName = `aft-bench-${executorID}`;
    const runtime = new Runtime({ library, database, clock, queueName, counts, pool });
    const quiet = (): void => {};
    const { DBOS } = library;
    DBOS.setConfig({
      name: "aft-bench",
      systemDatabaseUrl: settings.url,
      systemDatabasePool: pool,
      applicationVersion,
      executorID,
      listenQueues: [runtime.#queueName],
      // It waits for no messages and events.
      useListenNotify: false,
      // What goes wrong is the answer of the call that it went wrong in.
      logger: { info: quiet, debug: quiet, warn: quiet, error: quiet },
    });
    try {
      await DBOS.launch();
      return runtime;
    } catch (error) {
      await runtime.close();
      throw error;
    }
  }

  private constructor(of: {
    readonly library: Library;
    readonly database: Database;
    readonly clock: Clock;
    readonly queueName: string;
    readonly counts: { readonly calls: number };
    readonly pool: Pool;
  }) {
    const { library, database, clock, queueName, counts, pool } = of;
    this.#library = library;
    this.database = database;
    this.#counts = counts;
    this.#pool = pool;
    this.#queueName = queueName;
    library.registerDataSource(new FunctionDataSource({ library, database, clock }));
    this.#workflow = library.DBOS.registerWorkflow((id) => this.#perform(id), {
      name: workflowName,
    });
  }

  /** Starts the workflow with this turn; `undefined`: it has been started before, and not with this turn. */
  async start(id: string, turn: Turn): Promise<WorkflowHandle | undefined> {
    if (!this.#offer(id, turn)) return undefined;
    try {
      const options = { workflowID: id, workflowIDReusePolicy: "reject" } as const;
      return await this.#library.DBOS.startWorkflow(this.#workflow, options)(id);
    } catch (error) {
      this.forget(id, turn);
      if (error instanceof Error && error.name === "DBOSWorkflowIDInUseError") return undefined;
      throw error;
    }
  }

  /** Has the workflow run here, with this turn, whoever has it now. */
  async takeOver(id: string, turn: Turn): Promise<void> {
    if (!this.#offer(id, turn)) return;
    this.#queue ??= this.#library.DBOS.registerQueue(this.#queueName);
    await this.#queue;
    await this.#library.DBOS.resumeWorkflow(id, { queueName: this.#queueName });
  }

  /** Waits for what becomes of a workflow, so long. */
  async look(id: string, withinMs: number): Promise<Found> {
    const { DBOS } = this.#library;
    try {
      const options = { timeoutSeconds: withinMs / 1_000, pollingIntervalMs: askEveryMs };
      const text = await DBOS.getResult(id, options);
      return text === null ? { kind: "under way" } : { kind: "done", text };
    } catch (error) {
      // What it has ended with, or no answer of the database; the next question tells.
      const status = await DBOS.getWorkflowStatus(id);
      if (status?.status === "ERROR") return { kind: "failed" };
      throw error;
    }
  }

  /** Whoever has not begun by then does not begin any more. */
  forget(id: string, turn: Turn): void {
    if (this.#turns.get(id) === turn) this.#turns.delete(id);
  }

  /** Of functions and of DBOS itself, what it asks while nobody does anything included. */
  counters(): StateCounters {
    const counters = this.database.counters();
    return { ...counters, calls: counters.calls + this.#counts.calls };
  }

  async close(): Promise<void> {
    await this.#library.DBOS.shutdown({ deregister: true });
    await this.#pool.end();
    await this.database.close();
  }

  /** Whether nobody else in this process waits for the workflow to be run. */
  #offer(id: string, turn: Turn): boolean {
    if (this.#turns.has(id)) return false;
    this.#turns.set(id, turn);
    return true;
  }

  async #perform(id: string): Promise<string> {
    const turn = this.#turns.get(id);
    // A turn is that of one execution: of two, one would commit and the other would have been written in.
    this.#turns.delete(id);
    // Its outcome stays open, for whoever asks for it next.
    if (turn === undefined) throw new this.#library.DBOSWorkflowConflictError(id);
    const options = { dsName: dataSourceName, config: turn };
    return this.#library.runTransaction(() => turn.end.promise, workflowName, options);
  }
}

/** DBOS's own connections, every statement on them counted. */
function countingPool({ url, timeoutMs }: DatabaseSettings, counts: { calls: number }): Pool {
  const pool = new Pool({
    connectionString: url,
    max: systemConnections,
    connectionTimeoutMillis: timeoutMs,
    application_name: "aft-bench dbos",
  });
  pool.on("error", () => {});
  pool.on("connect", (client) => {
    client.on("error", () => {});
    const send = client.query.bind(client) as (...args: unknown[]) => unknown;
    const counted = (...args: unknown[]): unknown => {
      counts.calls += 1;
      return send(...args);
    };
    client.query = counted as typeof client.query;
  });
  return pool;
}

/** As DBOS itself: one of a process. */
let shared:
  { readonly url: string; users: number; readonly launched: Promise<Runtime> } | undefined;
let closing: Promise<void> = Promise.resolve();

/** Launches it for the first who asks; `release` ends it when all have. Rejects with `ConfigError` for another database. */
export async function shareRuntime(
  settings: DatabaseSettings,
  clock: Clock,
): Promise<{ readonly runtime: Runtime; readonly release: () => Promise<void> }> {
  if (shared !== undefined && shared.url !== settings.url) {
    const what = `is open over another database in this process: DBOS has one of a process`;
    throw new ConfigError([{ where: "dbos", what }]);
  }
  shared ??= {
    url: settings.url,
    users: 0,
    launched: closing.then(() => Runtime.launch(settings, clock)),
  };
  const mine = shared;
  mine.users += 1;
  let released: Promise<void> | undefined;
  const release = async (): Promise<void> => {
    mine.users -= 1;
    if (mine.users > 0) return;
    if (shared === mine) shared = undefined;
    closing = mine.launched.then(
      (runtime) => runtime.close(),
      () => undefined,
    );
    await closing;
  };
  try {
    return { runtime: await mine.launched, release: () => (released ??= release()) };
  } catch (error) {
    await release();
    throw error;
  }
}
