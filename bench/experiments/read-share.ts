/**
 * @module Ten operations in two functions, from all writes to all reads (Fig. 5).
 *
 * Reads as   one bar per share of reads: flat, because writes wait until commit and leave together.
 * Not shown  read-only transactions as the paper runs them: ours write no commit record.
 */
import { defineExperiment, type CellPlan, type ProfileName } from "#harness/experiment/define.ts";
import { closedLoad } from "#harness/loadgen/load.ts";
import { emulatedStores, type StorageLevel } from "./axes.ts";
import { oneReplicaCell } from "./one-replica.ts";

const operations = 10;
const functions = 2;
const shares = [0, 20, 40, 60, 80, 100];

export const readShare = defineExperiment({
  id: "read-share",
  title: "Share of reads in a transaction",
  question: "Does it matter how many of ten operations are reads?",
  reproduces: {
    source: "AFT (EuroSys '20) §6.3, Fig. 5",
    deviations: [
      "services and invocations emulated from the paper's own medians and p99s",
      "a transaction of reads alone writes no commit record",
    ],
  },
  notShown: "S3, which the paper leaves out here too.",
  cells: (profile) =>
    emulatedStores
      .filter(({ emulation }) => emulation !== "s3")
      .flatMap((level) => shares.map((share) => planCell(level, share, profile))),
});

function planCell(level: StorageLevel, share: number, profile: ProfileName): CellPlan {
  const perFunction = operations / functions;
  const reads = (perFunction * share) / 100;
  const { load, ...cell } = oneReplicaCell({
    level,
    profile,
    factor: { readPercent: share },
    operations: {
      functions,
      readsPerFunction: reads,
      writesPerFunction: perFunction - reads,
    },
    millisecondsEach: level.estimatedMs,
  });
  return { ...cell, load: closedLoad(load) };
}
