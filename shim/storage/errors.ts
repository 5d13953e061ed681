/** @module What a storage engine throws, and nothing else. */
import { type Disposition, ProjectError, describeError } from "#kit/errors.ts";
import type { StorageKey } from "./port.ts";

export type StorageOperation =
  | "open"
  | "get"
  | "multiGet"
  | "put"
  | "multiPut"
  | "putIfAbsent"
  | "putSealed"
  | "delete"
  | "multiDelete"
  | "list"
  | "close";

/**
 * What is known about a failed write. `none`: surely not done. `unknown`: it may have happened, or
 * may yet happen (a request still in some socket buffer). Reads are always `none`.
 */
export type Effect = "none" | "unknown";

export interface StorageErrorDetails {
  readonly engine: string;
  readonly operation: StorageOperation;
  /** The (first) key concerned, when one can be named. */
  readonly key?: StorageKey | undefined;
  readonly effect: Effect;
  readonly cause?: unknown;
}

/** Root of everything an engine rejects with. */
export abstract class StorageError extends ProjectError {
  /** The same failure where it is known that what matters was not done. */
  abstract withoutEffect(): StorageError;

  readonly engine: string;
  readonly operation: StorageOperation;
  readonly key: StorageKey | undefined;
  readonly effect: Effect;

  constructor(what: string, details: StorageErrorDetails) {
    const key = details.key === undefined ? "" : ` of ${JSON.stringify(details.key)}`;
    const cause = details.cause === undefined ? "" : `: ${describeError(details.cause)}`;
    super(`storage "${details.engine}": ${details.operation}${key} ${what}${cause}`, {
      cause: details.cause,
    });
    this.engine = details.engine;
    this.operation = details.operation;
    this.key = details.key;
    this.effect = details.effect;
  }
}

/** The engine failed, timed out, or could not be reached. */
export class StorageUnavailableError extends StorageError {
  readonly code = "storage_unavailable";
  readonly disposition: Disposition = "retry";

  readonly #details: StorageErrorDetails;

  constructor(details: StorageErrorDetails) {
    super("failed", details);
    this.#details = details;
  }

  override withoutEffect(): StorageError {
    return new StorageUnavailableError({ ...this.#details, effect: "none" });
  }
}

/** A value, key or batch exceeds what the engine can hold; retrying cannot help. */
export class StorageLimitError extends StorageError {
  readonly code = "storage_limit";
  readonly disposition: Disposition = "abort";

  constructor(limit: string, details: Omit<StorageErrorDetails, "effect">) {
    super(`refused, ${limit}`, { ...details, effect: "none" });
  }

  override withoutEffect(): this {
    return this;
  }
}

/** The engine was closed before or during the call. */
export class StorageClosedError extends StorageError {
  readonly code = "storage_closed";
  readonly disposition: Disposition = "abort";

  constructor(details: StorageErrorDetails) {
    super("refused, the engine is closed", details);
  }

  override withoutEffect(): StorageError {
    return this;
  }
}
