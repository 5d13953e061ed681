/**
 * @module What goes wrong without atomicity: transactions with anomalies, by store (Table 2).
 *
 * Reads as   transactions with a proven anomaly per 10,000, with an upper bound where none was seen.
 * Not shown  how stale the versions are that were read; that is no anomaly at read atomicity.
 */
import { defineExperiment, type CellPlan, type ProfileName } from "#harness/experiment/define.ts";
import { describeFaultPlan, type FaultPlan } from "#harness/faults/plan.ts";
import { closedLoad } from "#harness/loadgen/load.ts";
import {
  bothSystems,
  emulatedStores,
  estimateSeconds,
  platformFor,
  realStores,
  sizeOf,
  standardWorkload,
  type StorageLevel,
} from "./axes.ts";

const clients = 10;

export const anomalies = defineExperiment({
  id: "anomalies",
  title: "Transactions with anomalies, plain storage and AFT",
  question: "How many transactions see half of another one, or lose sight of their own writes?",
  reproduces: {
    source: "AFT (EuroSys '20) §6.1.2, Table 2",
    deviations: [
      "anomalies are counted from recorded operations, and only those that the record proves",
      "zipf 1.5 and killed functions are added",
    ],
  },
  notShown: "Staleness, and stores whose reads are only eventually consistent.",
  cells: (profile) =>
    [...realStores, ...emulatedStores].flatMap((level) =>
      conditions(level, profile).flatMap((condition) =>
        bothSystems.map((system) => planCell({ level, system, profile, ...condition })),
      ),
    ),
});

interface Condition {
  readonly zipfTheta: number;
  readonly faults: FaultPlan;
}

/** Skew for every store; killed functions where instances can be killed for real. */
function conditions(level: StorageLevel, profile: ProfileName): Condition[] {
  const none: FaultPlan = { kind: "none" };
  const kills: FaultPlan = { kind: "kill-clients", perSecond: 2 };
  if (level.emulation !== "none") {
    // Emulated stores are here for Table 2's counts, so at the paper's skew only.
    // `overhead` counts anomalies in the same cells; the quick profile does not repeat them.
    return profile === "quick" || profile === "smoke" ? [] : [{ zipfTheta: 1, faults: none }];
  }
  const skews = [1, 1.5].map((zipfTheta) => ({ zipfTheta, faults: none }));
  const killable = level.service === "redis" || level.service === "lmdb";
  switch (profile) {
    case "smoke":
      return skews;
    case "quick": {
      // `overhead` counts anomalies at zipf 1 already.
      const skewed = { zipfTheta: 1.5, faults: none };
      return level.service === "lmdb" ? [skewed, { ...skewed, faults: kills }] : [skewed];
    }
    case "standard":
    case "paper":
      return killable ? [...skews, ...skews.map((skew) => ({ ...skew, faults: kills }))] : skews;
  }
}

function planCell(
  options: Condition & {
    readonly level: StorageLevel;
    readonly system: string;
    readonly profile: ProfileName;
  },
): CellPlan {
  const { level, system, profile, zipfTheta, faults } = options;
  const platform = platformFor(level);
  const slow = level.service === "dynamodb" || level.service === "s3";
  const quick = slow ? 25 : 60;
  // 1,100 a client: more than 10,000 committed also when some requests are given up.
  const requestsPerClient = sizeOf(profile, { smoke: 5, quick, standard: 1_100, paper: 1_100 });
  return {
    cell: {
      workload: "paper",
      platform: platform.name,
      system,
      storage: level.service,
      emulation: level.emulation,
      faults: describeFaultPlan(faults),
      zipfTheta,
      clients,
    },
    storage: { service: level.service, emulation: level.emulation },
    system,
    platform,
    workload: standardWorkload(zipfTheta),
    load: closedLoad({
      clients,
      requestsPerClient,
      warmUpRequestsPerClient: sizeOf(profile, { smoke: 1, quick: 5, standard: 20, paper: 20 }),
      blocks: sizeOf(profile, { smoke: 1, quick: 3, standard: 5, paper: 5 }),
    }),
    // Starting functions again and again takes both cores of a small machine from everybody.
    ...(faults.kind === "kill-clients" && { countsOnly: true }),
    faults,
    estimateSeconds: estimateSeconds({ level, clients, requestsPerClient }),
  };
}
