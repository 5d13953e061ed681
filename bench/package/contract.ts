/**
 * @module `aft-bench/contract`: the contracts as data, for tests of your own. `aft-bench contract ./file.ts`
 * judges a module by the same.
 */
export { checkContract, type ClauseResult, type ContractClause } from "#kit/contract.ts";
export { createSystemClock } from "#kit/node/system-clock.ts";
export {
  experimentContract,
  type ExperimentSubject,
} from "#harness/experiment/experiment.contract.ts";
export {
  openPlatformSubject,
  platformContract,
  type PlatformLimits,
  type PlatformSubject,
} from "#harness/faas/platform.contract.ts";
export {
  openStateContract,
  stateContract,
  type StateContractSubject,
  type StateUnderTest,
} from "#shim/state/state.contract.ts";
export {
  type OpenForContract,
  openStorageSubject,
  storageContract,
  type StorageSubject,
} from "#shim/storage/storage.contract.ts";
export { workloadContract, type WorkloadSubject } from "#workloads/workload.contract.ts";
