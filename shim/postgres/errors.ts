/** @module What PostgreSQL and its driver reject with, as errors of the state seam. */
import { describeError, type Disposition } from "#kit/errors.ts";
import { type CommitOutcome, StateError } from "#shim/state/port.ts";

type Meaning = readonly [code: string, disposition: Disposition];

/** By SQLSTATE. */
const meanings: Readonly<Record<string, Meaning>> = {
  "23505": ["already_committed", "retry"],
  "25P03": ["transaction_timeout", "retry"],
  "40001": ["serialization_failure", "retry"],
  "40P01": ["deadlock", "retry"],
  "53300": ["too_many_connections", "retry"],
  "54000": ["limit_exceeded", "abort"],
  "55P03": ["lock_timeout", "retry"],
  "57014": ["statement_timeout", "retry"],
};
/** By class of SQLSTATE: connection, resources, operator intervention, system. */
const unavailable: ReadonlySet<string> = new Set(["08", "53", "57", "58"]);

/** Of a `DatabaseError`; undefined: the driver's own error, so there was no answer. */
export function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string")
    return undefined;
  // Errors of sockets have codes too (ECONNRESET).
  return "severity" in error ? error.code : undefined;
}

export function toStateError(error: unknown): StateError {
  if (error instanceof StateError) return error;
  const [code, disposition] = meaningOf(sqlStateOf(error));
  return new StateError({
    code,
    disposition,
    message: `PostgreSQL: ${describeError(error)}`,
    cause: error,
  });
}

function meaningOf(sqlState: string | undefined): Meaning {
  if (sqlState === undefined) return ["storage_unavailable", "retry"];
  const known = meanings[sqlState];
  if (known !== undefined) return known;
  if (unavailable.has(sqlState.slice(0, 2))) return ["storage_unavailable", "retry"];
  return [`postgres_${sqlState}`, "abort"];
}

/** Two transactions were in each other's way, and this one was chosen to give in. */
export function isConflict({ code }: StateError): boolean {
  return code === "serialization_failure" || code === "deadlock";
}

/** No answer, or the news that the server goes down: what was asked for may have happened. */
export function isUnsure({ code }: StateError): boolean {
  return code === "storage_unavailable";
}

/** As the end of a transaction. Conflicts are counted by their reason, so it is the same each time. */
export function refused(failure: StateError): CommitOutcome {
  const { code, message } = failure;
  return { kind: "aborted", reason: isConflict(failure) ? code : `${code}: ${message}` };
}
