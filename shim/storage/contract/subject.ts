/** @module What the storage contract is checked on, and what its clauses share. */
import type { ContractClause } from "#kit/contract.ts";
import type { StorageError } from "../errors.ts";
import type { StorageEngine } from "../port.ts";

/** A store that was opened for the contract. */
export interface OpenedStore {
  readonly engine: StorageEngine;
  /** Opens the same store again, as another process would. */
  readonly again?: () => Promise<StorageEngine>;
  /** Ends the store itself, when every engine over it is closed. */
  readonly cleanUp: () => Promise<void>;
}

/** Opens a store of its own with every call. */
export type OpenForContract = () => Promise<OpenedStore>;

export interface StorageSubject extends OpenedStore {
  readonly open: OpenForContract;
  /** Under which nothing is yet. */
  readonly prefix: () => string;
}

export type StorageClause = ContractClause<StorageSubject>;

export const text = (value: string): Uint8Array => Buffer.from(value);
export const show = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();

export const decidesNothing = ({ engine }: StorageSubject): string | undefined =>
  engine.capabilities.conditionalPut ? undefined : "the engine does not decide conditional puts";

export function anyKeyLength({ engine }: StorageSubject): string | undefined {
  const limit = engine.capabilities.maxKeyBytes;
  return limit > 100_000 ? "no key is too long for this engine" : undefined;
}

/** What it was refused with; rejects when it was not, or with something else. */
export async function refused<E extends StorageError>(
  kind: abstract new (...args: never[]) => E,
  attempt: () => Promise<unknown>,
): Promise<E> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof kind) return error;
    throw new Error(`it failed with something else than ${kind.name}`, { cause: error });
  }
  throw new Error(`it was accepted, where ${kind.name} is due`);
}
