/** @module Makes refusals: one place for each code's disposition and sentence. */
import { describeError } from "#kit/errors.ts";
import { StorageError, StorageLimitError } from "#shim/storage/errors.ts";
import type { Refusal, RefusalCode } from "./port.ts";

const dispositions: Readonly<Record<RefusalCode, Refusal["disposition"]>> = {
  unknown_transaction: "retry",
  transaction_timeout: "retry",
  transaction_aborted: "retry",
  transaction_committed: "bug",
  transaction_committing: "bug",
  transaction_exists: "bug",
  no_valid_version: "retry",
  writes_missing: "retry",
  key_too_large: "abort",
  value_too_large: "abort",
  too_many_keys: "abort",
  too_many_transactions: "retry",
  write_buffer_full: "retry",
  storage_unavailable: "retry",
  storage_limit: "abort",
  shutting_down: "retry",
  joining: "retry",
  draining: "retry",
};

export function refuse(code: RefusalCode, message: string): Refusal {
  return { kind: "refused", code, message, disposition: dispositions[code] };
}

/** What a failed storage call means to the caller; names engine, key and cause. */
export function refuseForStorage(error: unknown): Refusal {
  const code = error instanceof StorageLimitError ? "storage_limit" : "storage_unavailable";
  return {
    ...refuse(code, describeError(error)),
    ...(error instanceof StorageError && { cause: error }),
  };
}
