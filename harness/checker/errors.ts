/** @module What makes a history impossible to judge. */
import { ProjectError } from "#kit/errors.ts";

/** Operations that 32-bit codes can name. */
export const maxOperations = 2 ** 29;

/** Two writes of one value to one key: no checker can tell who was read. */
export class DuplicateWriteError extends ProjectError {
  readonly code = "duplicate_write";
  readonly disposition = "abort";
  readonly key: string;
  readonly value: string;
  /** Names of the two writers; equal if one transaction wrote the value twice. */
  readonly transactions: readonly [string, string];

  constructor(options: { key: string; value: string; transactions: readonly [string, string] }) {
    const [first, second] = options.transactions;
    const who =
      first === second ? `twice by transaction ${first}` : `by transactions ${first} and ${second}`;
    super(
      `value ${options.value} of key ${options.key} is written ${who}; ` +
        "values must be unique per key, so that a read tells its writer",
    );
    this.key = options.key;
    this.value = options.value;
    this.transactions = options.transactions;
  }
}

/** More operations or transactions than 32-bit ids can name. */
export class HistoryTooLargeError extends ProjectError {
  readonly code = "history_too_large";
  readonly disposition = "abort";

  constructor(count: number) {
    super(`a history holds at most ${maxOperations} operations; this has ${count}`);
  }
}
