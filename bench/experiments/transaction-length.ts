/**
 * @module From one function to ten, three operations each (Fig. 6).
 *
 * Reads as   one bar per length, growing by the same amount a function.
 * Not shown  functions that run beside each other: a chain is one after another.
 */
import { defineExperiment, type CellPlan, type ProfileName } from "#harness/experiment/define.ts";
import { closedLoad } from "#harness/loadgen/load.ts";
import { emulatedStores, type StorageLevel } from "./axes.ts";
import { oneReplicaCell } from "./one-replica.ts";

const lengths = [1, 2, 4, 6, 8, 10];
/** One invocation and three operations, roughly. */
const millisecondsAFunction = 28;

export const transactionLength = defineExperiment({
  id: "transaction-length",
  title: "Length of a transaction",
  question: "How does a transaction's time grow with the number of its functions?",
  reproduces: {
    source: "AFT (EuroSys '20) §6.4, Fig. 6",
    deviations: ["services and invocations emulated from the paper's own medians and p99s"],
  },
  notShown: "S3, which the paper leaves out here too.",
  cells: (profile) =>
    emulatedStores
      .filter(({ emulation }) => emulation !== "s3")
      .flatMap((level) => lengths.map((length) => planCell(level, length, profile))),
});

function planCell(level: StorageLevel, functions: number, profile: ProfileName): CellPlan {
  const { load, ...cell } = oneReplicaCell({
    level,
    profile,
    factor: { functions },
    operations: { functions, readsPerFunction: 2, writesPerFunction: 1 },
    millisecondsEach: functions * millisecondsAFunction,
  });
  return { ...cell, load: closedLoad(load) };
}
