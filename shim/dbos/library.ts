/**
 * @module What is used of DBOS Transact, which is none of our dependencies: its types as far as they matter here,
 * and loading it.
 */
import type { Pool } from "pg";
import { importOptional, type OptionalPackage } from "#kit/node/optional-package.ts";

const library = { name: "@dbos-inc/dbos-sdk", version: "5.3.0" };

export const needs: readonly OptionalPackage[] = [library];

export interface WorkflowHandle {
  getResult(): Promise<string>;
}

type Workflow = (id: string) => Promise<string>;

interface Logger {
  info(entry: unknown): void;
  debug(entry: unknown): void;
  warn(entry: unknown): void;
  error(entry: unknown): void;
}

/** The class whose static members are the library; one of it in a process. */
export interface Dbos {
  setConfig(config: {
    readonly name: string;
    readonly systemDatabaseUrl: string;
    readonly systemDatabasePool: Pool;
    readonly applicationVersion: string;
    readonly executorID: string;
    readonly listenQueues: readonly string[];
    readonly useListenNotify: boolean;
    readonly logger: Logger;
  }): void;
  launch(): Promise<void>;
  shutdown(options: { readonly deregister: boolean }): Promise<void>;
  registerWorkflow(workflow: Workflow, config: { readonly name: string }): Workflow;
  registerQueue(name: string): Promise<unknown>;
  startWorkflow(
    workflow: Workflow,
    options: { readonly workflowID: string; readonly workflowIDReusePolicy: "reject" },
  ): Workflow extends (...args: infer Args) => unknown
    ? (...args: Args) => Promise<WorkflowHandle>
    : never;
  /** `null` when the time is up. Rejects with what the workflow has ended with, and when the database fails. */
  getResult(
    workflowID: string,
    options: { readonly timeoutSeconds: number; readonly pollingIntervalMs: number },
  ): Promise<string | null>;
  getWorkflowStatus(workflowID: string): Promise<{ readonly status: string } | null>;
  /** Takes it from whoever has it; it is run by who listens to the queue. */
  resumeWorkflow(workflowID: string, options: { readonly queueName: string }): Promise<unknown>;
  readonly workflowID: string | undefined;
  readonly stepID: number | undefined;
}

/** What a database must do for the library's transactions. */
export interface DataSource {
  readonly name: string;
  initialize(): Promise<void>;
  destroy(): Promise<void>;
  /** `config`: what the transaction was asked for with. */
  invokeTransactionFunction(
    config: unknown,
    target: unknown,
    work: () => Promise<string>,
  ): Promise<string>;
}

export interface Library {
  readonly DBOS: Dbos;
  /** Leaves a workflow's outcome to whoever has it now. */
  readonly DBOSWorkflowConflictError: new (workflowID: string) => Error;
  registerDataSource(source: DataSource): void;
  /** A step of the workflow that calls it. */
  runTransaction(
    work: () => Promise<string>,
    name: string,
    options: { readonly dsName: string; readonly config: unknown },
  ): Promise<string>;
  /** Brings the table of finished transactions up to date; all in one transaction. */
  migrateDataSourcePG(
    execute: (sql: string) => Promise<readonly Record<string, unknown>[]>,
  ): Promise<void>;
  /** Rejects with `DBOSWorkflowConflictError` where somebody else has the workflow by now. */
  assertStillOwnsWorkflow(workflowID: string): Promise<void>;
  /** Its output; throws its error. */
  replayRecordedStep(recorded: {
    readonly output: string | null;
    readonly error: string | null;
  }): string;
}

/** Rejects with `NotAvailableError` where it is not installed. */
export async function loadDbos(): Promise<Library> {
  const main = await importOptional<Pick<Library, "DBOS" | "DBOSWorkflowConflictError">>(library);
  const source = await importOptional<Omit<Library, "DBOS" | "DBOSWorkflowConflictError">>(
    library,
    { subpath: "/datasource" },
  );
  return { ...source, ...main };
}
