/**
 * @module One function of a request under `makeIdempotent`: what happens between its first operation and its end is
 * the work that the library wraps.
 *
 * The library calls our work only if nobody has done it and nobody is at it; the work says so and then waits for the
 * function to end. So the record is there before the first operation, and the result is in it after the last.
 */
import type { Bytes } from "#kit/bytes.ts";
import { describeError, ProjectError } from "#kit/errors.ts";
import {
  type FunctionResult,
  outcomeUnknown,
  type RememberedFunction,
} from "#shim/state/remembered.ts";
import { StateError } from "#shim/state/port.ts";
import { createPending } from "#shim/state/pending.ts";
import type { PersistenceStore, Powertools } from "./library.ts";
import type { ValueTable } from "./values.ts";

/** In front of all keys of records. */
export const recordPrefix = "aft-bench";

export interface FunctionIdentity {
  readonly request: string;
  readonly function: number;
}

export interface FunctionPorts {
  readonly library: Powertools;
  readonly records: PersistenceStore;
  readonly values: ValueTable;
  /** As long as its function may run; then whoever comes next may do it again. */
  readonly functionTimeoutMs: number;
  readonly expiresAfterSeconds: number;
}

class GivenUpError extends ProjectError {
  readonly code = "given_up";
  readonly disposition = "abort";
}

export class IdempotentFunction implements RememberedFunction {
  readonly #ports: FunctionPorts;
  readonly #identity: FunctionIdentity;
  readonly #end = createPending<string>();
  /** Of the library: the result of this function or of an earlier one. */
  #running: Promise<string> | undefined;

  constructor(ports: FunctionPorts, identity: FunctionIdentity) {
    this.#ports = ports;
    this.#identity = identity;
    // Given up before the library has called us.
    this.#end.promise.catch(() => {});
  }

  async begin(): Promise<FunctionResult | undefined> {
    this.#ports.values.checkOpen();
    const begun = createPending<undefined>();
    this.#running = this.#idempotent(() => {
      begun.resolve(undefined);
      return this.#end.promise;
    });
    try {
      const text = await Promise.race([begun.promise, this.#running]);
      return text === undefined ? undefined : parseResult(text);
    } catch (error) {
      throw toStateError(error);
    }
  }

  read(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    return this.#ports.values.read(keys);
  }

  look(keys: readonly string[]): Promise<(Bytes | undefined)[]> {
    return this.#ports.values.read(keys);
  }

  write(entries: readonly (readonly [key: string, value: Bytes])[]): Promise<void> {
    return this.#ports.values.write(entries);
  }

  async finish(result: FunctionResult): Promise<FunctionResult> {
    this.#end.resolve(JSON.stringify(result));
    try {
      return parseResult((await this.#running) ?? "");
    } catch (error) {
      // All is written; that it was done is not, as far as we know.
      const message = `powertools-idempotency: ${describeError(error)}`;
      const [code, disposition] = [outcomeUnknown, "retry"] as const;
      throw new StateError({ code, disposition, message, cause: error });
    }
  }

  async giveUp(): Promise<void> {
    this.#end.reject(new GivenUpError("given up by the function"));
    // The library removes the record, so that the next attempt need not wait for its time to be over.
    await this.#running?.catch(() => undefined);
  }

  #idempotent(work: () => Promise<string>): Promise<string> {
    const { library, records, functionTimeoutMs, expiresAfterSeconds } = this.#ports;
    const config = new library.IdempotencyConfig({ expiresAfterSeconds });
    config.registerLambdaContext({ getRemainingTimeInMillis: () => functionTimeoutMs });
    const options = { persistenceStore: records, config, keyPrefix: recordPrefix };
    return library.makeIdempotent<FunctionIdentity, string>(work, options)(this.#identity);
  }
}

/** Written by `finish`. */
export function parseResult(text: unknown): FunctionResult {
  return JSON.parse(String(text)) as FunctionResult;
}

/** By name, because the library's classes are not ours to import. */
const retried: Readonly<Record<string, string>> = {
  IdempotencyAlreadyInProgressError: "already_in_progress",
  IdempotencyInconsistentStateError: "inconsistent_state",
  IdempotencyPersistenceLayerError: "storage_unavailable",
};

function toStateError(error: unknown): StateError {
  if (error instanceof StateError) return error;
  const code = error instanceof Error ? retried[error.name] : undefined;
  return new StateError({
    code: code ?? "powertools_failed",
    disposition: code === undefined ? "abort" : "retry",
    message: `powertools-idempotency: ${describeError(error)}`,
    cause: error,
  });
}
