/** @module `aft-bench/experiment`: what an experiment of your own is made of. Exported as `experiment`. */
export {
  type CellPlan,
  type ClusterPlan,
  defineExperiment,
  type ExperimentDefinition,
  type ProfileName,
  profileNames,
  type WorkloadChoice,
} from "#harness/experiment/define.ts";
export { describeFaultPlan, type FaultPlan, parseFaultPlan } from "#harness/faults/plan.ts";
export { closedLoad, type LoadPlan, openLoad } from "#harness/loadgen/load.ts";
export type { Cell } from "#harness/record/run.ts";
