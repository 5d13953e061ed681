/** @module `aft-bench/workload`: what a workload of your own is made of. Exported as `workload`. */
export { createPrng, type Prng } from "#kit/prng.ts";
export { createZipf } from "#workloads/keys/zipf.ts";
export type { PlannedOperation, PlannedRequest, Workload } from "#workloads/port.ts";
export type { WorkloadModule } from "#workloads/registry.ts";
