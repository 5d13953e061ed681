/** @module `aft-bench/state`: what a state system of your own is made of. Exported as `stateSystem`. */
export type { Bytes } from "#kit/bytes.ts";
export type { Clock } from "#kit/clock.ts";
export { ConfigError, type ConfigProblem, type Disposition } from "#kit/errors.ts";
export { createSystemClock } from "#kit/node/system-clock.ts";
export {
  type CommitOutcome,
  type StateContext,
  StateError,
  type StateSession,
  type StateSystem,
} from "#shim/state/port.ts";
export type { StatePromise, StateSystemModule } from "#shim/state/registry.ts";
export { StorageError } from "#shim/storage/errors.ts";
export { type StorageEngine, storageKey } from "#shim/storage/port.ts";
export { openStorage } from "#shim/storage/registry.ts";
export type { StorageSpec, StorageTarget } from "#shim/storage/target.ts";
