/** @module The turn of one function: where a workflow's transaction waits until the function has ended. */
import { ProjectError } from "#kit/errors.ts";
import type { Isolation } from "#shim/postgres/levels.ts";
import type { Transaction } from "#shim/postgres/transaction.ts";
import { createPending } from "#shim/state/pending.ts";

export class GivenUpError extends ProjectError {
  readonly code = "given_up";
  readonly disposition = "abort";
}

export class Turn {
  readonly isolation: Isolation;
  /** The transaction is open, and is the function's until its end. */
  readonly begun = createPending<Transaction>();
  /** What the function has returned; rejects when it was given up. */
  readonly end = createPending<string>();

  constructor(isolation: Isolation) {
    this.isolation = isolation;
    // Given up before anybody looked.
    this.end.promise.catch(() => {});
  }
}
