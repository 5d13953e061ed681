/**
 * @module Error classes shared by every layer.
 *
 * Expected outcomes are values, not exceptions; what is thrown extends `ProjectError`. Callers
 * branch on class or `disposition`, never on message text. `cause` is always passed on.
 */

/** What a caller may do about an error; the only thing callers branch on. */
export type Disposition = "retry" | "abort" | "bug";

/** Root of every error this project throws on purpose. Catch this, never `Error`. */
export abstract class ProjectError extends Error {
  /** Stable, greppable, snake_case; written to run manifests. Never renamed. */
  abstract readonly code: string;
  abstract readonly disposition: Disposition;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A broken invariant: a mistake in this project. Never caught. */
export class AssertionError extends ProjectError {
  readonly code = "assertion_failed";
  readonly disposition = "bug";
}

/** One thing wrong with what the user asked for, and what to do about it. */
export interface ConfigProblem {
  /** Flag, variable or file position, for instance `--only`. */
  readonly where: string;
  readonly what: string;
  readonly hint?: string;
}

/** Bad flags, files or combinations; lists every problem at once. */
export class ConfigError extends ProjectError {
  readonly code = "bad_config";
  readonly disposition = "abort";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    const lines = problems.map(
      ({ where, what, hint }) => `${where}: ${what}${hint === undefined ? "" : ` (${hint})`}`,
    );
    super(lines.join("\n"), options);
    this.problems = problems;
  }
}

/** Something needed is not installed or not reachable here; `get` says how to have it. */
export class NotAvailableError extends ProjectError {
  readonly code = "not_available";
  readonly disposition = "abort";
  readonly what: string;
  /** As a sentence without its full stop. */
  readonly why: string;
  readonly get: string;

  constructor(options: { what: string; why?: string; get: string; cause?: unknown }) {
    const { what, why, get, cause } = options;
    const reason = why === undefined ? "" : ` (${why})`;
    super(`${what} is not available here${reason}; get it with: ${get}`, { cause });
    this.what = what;
    this.why = why ?? `${what} is not installed`;
    this.get = get;
  }
}

/** Text for a log line or a person: the message and, behind it, the chain of causes. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message === "" ? error.name : error.message;
  return error.cause === undefined ? own : `${own}: ${describeError(error.cause)}`;
}
