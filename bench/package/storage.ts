/** @module `aft-bench/storage`: what a storage engine of your own is made of. Exported as `storageEngine`. */
export type { Bytes } from "#kit/bytes.ts";
export {
  StorageClosedError,
  StorageError,
  type StorageErrorDetails,
  StorageLimitError,
  type StorageOperation,
  StorageUnavailableError,
} from "#shim/storage/errors.ts";
export type { StartedStore, StorageEngineModule } from "#shim/storage/outside.ts";
export {
  type ListCursor,
  type ListOptions,
  type ListPage,
  type SealedWrite,
  type SealOutcome,
  type StorageCapabilities,
  type StorageEngine,
  type StorageEntry,
  type StorageKey,
  storageKey,
} from "#shim/storage/port.ts";
export { sealInTwoSteps } from "#shim/storage/seal-in-two-steps.ts";
