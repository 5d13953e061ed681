/**
 * @module What a user would pick instead: the same requests over every state system there is, left alone
 * and with everything happening to them that callers of functions and storage have to expect.
 *
 * Functions write keys they have read, so that lost updates mean something. Attempts of a request share
 * its id, and systems that know what to do with it do it.
 *
 * Reads as   per 10,000: requests seen in part or twice, own writes missed, updates lost, stale reads; and
 *            what a request costs.
 * Not shown  effects that nobody happened to read; limits of services that are emulated here.
 */
import { defineExperiment, type CellPlan, type ProfileName } from "#harness/experiment/define.ts";
import { allMishaps, describeFaultPlan, type FaultPlan } from "#harness/faults/plan.ts";
import { closedLoad } from "#harness/loadgen/load.ts";
import { estimateSeconds, sizeOf, standardWorkload, type StorageLevel } from "./axes.ts";

interface Alternative {
  readonly system: string;
  readonly service: StorageLevel["service"];
  /** Of one request, for the plan. */
  readonly estimatedMs: number;
}

/** One line each; what it promises is said by its own module. */
const alternatives: readonly Alternative[] = [
  { system: "direct", service: "redis", estimatedMs: 12 },
  { system: "aft", service: "redis", estimatedMs: 12 },
  { system: "redis-multi", service: "redis", estimatedMs: 12 },
  { system: "redis-occ", service: "redis", estimatedMs: 15 },
  { system: "step-log", service: "redis", estimatedMs: 20 },
  { system: "postgres-rc", service: "postgres", estimatedMs: 25 },
  { system: "postgres-rr", service: "postgres", estimatedMs: 30 },
  { system: "postgres-ser", service: "postgres", estimatedMs: 40 },
  { system: "postgres-held", service: "postgres", estimatedMs: 60 },
  { system: "dbos", service: "postgres", estimatedMs: 80 },
  { system: "etcd", service: "etcd", estimatedMs: 25 },
  { system: "etcd-ser", service: "etcd", estimatedMs: 30 },
  { system: "dynamodb-txn", service: "dynamodb", estimatedMs: 60 },
  { system: "powertools-idempotency", service: "dynamodb", estimatedMs: 70 },
  { system: "restate", service: "restate", estimatedMs: 60 },
  { system: "durable-objects", service: "workerd", estimatedMs: 30 },
];

const clients = 10;
/** At which a system's limits are looked for. */
const probedTheta = 1.5;
/** Instances that die are started again, which takes longer than all the rest. */
const mishapsCost = 4;

export const alternativesExperiment = defineExperiment({
  id: "alternatives",
  title: "What to use instead: guarantees, cost and limits of state systems, side by side",
  question: "Which of them keeps what it promises when functions die, and at what price?",
  reproduces: {
    source: "AFT (EuroSys '20) §2 and §7, where alternatives are discussed; no figure of its own",
    deviations: [
      "functions write keys they have read",
      "each system over the store it is made for, on this machine",
    ],
  },
  notShown: "Effects outside the store, effects that nobody read, and limits of emulated services.",
  cells: (profile) =>
    alternatives.flatMap((alternative) =>
      faultPlans(profile).flatMap((faults) =>
        skews(profile).map((zipfTheta) => planCell({ ...alternative, faults, zipfTheta, profile })),
      ),
    ),
});

function faultPlans(profile: ProfileName): FaultPlan[] {
  const rate = sizeOf(profile, { smoke: 0.05, quick: 0.01, standard: 0.01, paper: 0.01 });
  return [{ kind: "none" }, { kind: "mishaps", rates: allMishaps(rate) }];
}

function skews(profile: ProfileName): number[] {
  return profile === "smoke" ? [probedTheta] : [0.5, 1, probedTheta];
}

function planCell(
  options: Alternative & {
    readonly faults: FaultPlan;
    readonly zipfTheta: number;
    readonly profile: ProfileName;
  },
): CellPlan {
  const { system, service, estimatedMs, faults, zipfTheta, profile } = options;
  const level: StorageLevel = { service, emulation: "none", estimatedMs };
  const requestsPerClient = sizeOf(profile, { smoke: 5, quick: 46, standard: 1_050, paper: 3_000 });
  const isQuiet = faults.kind === "none";
  const { parameters } = standardWorkload(zipfTheta);
  const seconds = estimateSeconds({ level, clients, requestsPerClient });
  return {
    cell: {
      workload: "read-modify-write",
      platform: "local",
      system,
      storage: service,
      emulation: "none",
      faults: describeFaultPlan(faults),
      zipfTheta,
      clients,
    },
    storage: { service, emulation: "none" },
    system,
    platform: { name: "local", invocation: "none" },
    workload: { name: "read-modify-write", parameters },
    load: closedLoad({
      clients,
      requestsPerClient,
      // Where all want the same keys, some systems let one request in at a time.
      ...(profile === "quick" && { seconds: isQuiet ? 3 : 5 }),
      warmUpRequestsPerClient: sizeOf(profile, { smoke: 1, quick: 3, standard: 20, paper: 20 }),
      blocks: sizeOf(profile, { smoke: 1, quick: 3, standard: 5, paper: 5 }),
    }),
    // Starting instances again and again takes both cores of a small machine from everybody.
    ...(!isQuiet && { countsOnly: true }),
    faults,
    exactlyOnce: true,
    countEffects: true,
    countCalls: true,
    ...(isQuiet && zipfTheta === probedTheta && { probeLimits: true }),
    estimateSeconds: isQuiet ? seconds : seconds * mishapsCost,
  };
}
