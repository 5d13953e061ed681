/**
 * @module PostgreSQL as a data source of DBOS, through the interface that it has for them: a step that is one
 * transaction, with what it returned in the same transaction.
 *
 *   BEGIN; has this step been done?  →  the function's statements  →  what it returned;
 *   is the workflow still ours?      →  COMMIT
 *
 * The table of finished steps is DBOS's own; its primary key lets one execution of a step commit, whoever else is
 * at it. The data sources that DBOS publishes do the same over other clients.
 */
import { type Clock, delay } from "#kit/clock.ts";
import type { Database } from "#shim/postgres/database.ts";
import { isUnsure, sqlStateOf, toStateError } from "#shim/postgres/errors.ts";
import type { Statement } from "#shim/postgres/statements.ts";
import type { Backend, Transaction } from "#shim/postgres/transaction.ts";
import type { DataSource, Library } from "./library.ts";
import type { Turn } from "./turn.ts";

export const dataSourceName = "aft-bench";

/** An answer that was lost is looked for so often and so far apart. */
const settleAttempts = 8;
const settlePauseUs = 50_000;

export interface DataSourcePorts {
  readonly library: Library;
  readonly database: Database;
  readonly clock: Clock;
}

// An alias, because only these count as rows of columns.
type Recorded = { readonly output: string | null; readonly error: string | null };

interface Step {
  readonly workflow: string;
  readonly number: number;
}

const uniqueViolation = "23505";

export class FunctionDataSource implements DataSource {
  readonly name = dataSourceName;
  readonly #library: Library;
  readonly #database: Database;
  readonly #clock: Clock;

  constructor({ library, database, clock }: DataSourcePorts) {
    this.#library = library;
    this.#database = database;
    this.#clock = clock;
  }

  async initialize(): Promise<void> {
    const transaction = await this.#database.begin("READ COMMITTED");
    try {
      await this.#library.migrateDataSourcePG((sql) =>
        transaction.ask(sql).then((rows) => [...rows]),
      );
      await transaction.commit();
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  }

  /** The database is closed by who has opened it. */
  destroy(): Promise<void> {
    return Promise.resolve();
  }

  async invokeTransactionFunction(
    config: unknown,
    target: unknown,
    work: () => Promise<string>,
  ): Promise<string> {
    const turn = config as Turn;
    const { workflowID: workflow = "", stepID: number = 0 } = this.#library.DBOS;
    const step = { workflow, number };
    const transaction = await this.#database.begin(turn.isolation);
    try {
      const [recorded] = await transaction.ask<Recorded>(readStep(step));
      if (recorded !== undefined) {
        await transaction.rollback();
        return this.#library.replayRecordedStep(recorded);
      }
      turn.begun.resolve(transaction);
      const output = await work.call(target);
      await transaction.ask(recordStep(step, output));
      await this.#library.assertStillOwnsWorkflow(workflow);
      await this.#commit(transaction, step);
      return output;
    } catch (error) {
      await transaction.rollback();
      if (sqlStateOf(error) === uniqueViolation) return this.#replay(step);
      throw error;
    }
  }

  /**
   * Where the answer is lost, what is recorded tells; an error would be remembered as the step's outcome. While nobody
   * can tell, it never settles, as if this process had died here: whoever takes the workflow over will look.
   */
  async #commit(transaction: Transaction, step: Step): Promise<void> {
    const { backend } = transaction;
    try {
      await transaction.commit();
    } catch (cause) {
      if (!isUnsure(toStateError(cause))) throw cause;
      for (let attempt = 1; attempt <= settleAttempts; attempt += 1) {
        const isDone = await this.#isDone(step, backend).catch(() => undefined);
        if (isDone === true) return;
        if (isDone === false) throw cause;
        await delay(this.#clock, settlePauseUs * attempt);
      }
      return new Promise<never>(() => {});
    }
  }

  /** For good: whoever was about to commit it is ended first. */
  async #isDone(step: Step, backend: Backend | undefined): Promise<boolean> {
    if (backend !== undefined) await this.#database.end(backend);
    return (await this.#recorded(step)) !== undefined;
  }

  /** Another execution of the step was faster. */
  async #replay(step: Step): Promise<string> {
    const recorded = await this.#recorded(step);
    if (recorded !== undefined) return this.#library.replayRecordedStep(recorded);
    throw new this.#library.DBOSWorkflowConflictError(step.workflow);
  }

  async #recorded(step: Step): Promise<Recorded | undefined> {
    const transaction = await this.#database.begin("READ COMMITTED");
    try {
      const [recorded] = await transaction.ask<Recorded>(readStep(step));
      await transaction.commit();
      return recorded;
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  }
}

const table = "dbos.transaction_completion";

function readStep({ workflow, number }: Step): Statement {
  const text = `SELECT output, error FROM ${table} WHERE workflow_id = $1 AND function_num = $2`;
  return { name: "aft_bench_dbos_read_step", text, values: [workflow, number] };
}

/** A text as SuperJSON writes it, which is how DBOS reads what is recorded. */
function recordStep({ workflow, number }: Step, output: string): Statement {
  const text = `INSERT INTO ${table} (workflow_id, function_num, output) VALUES ($1, $2, $3)`;
  const values = [workflow, number, JSON.stringify({ json: output })];
  return { name: "aft_bench_dbos_record_step", text, values };
}
