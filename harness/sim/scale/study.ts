/**
 * @module The scaling study: points over the number of replicas, where the curve bends and which resource bends
 * it, and how far the simulation is from a real run that it was not calibrated with. Pure, but for the
 * simulations it asks for.
 */
import type { Cell, RunSummary } from "#harness/record/run.ts";
import { type EmulationProfileName, emulationProfiles } from "#shim/storage/emulated/profiles.ts";
import { CalibrationError, type ScaleCosts } from "./costs.ts";
import { type ScaleConfig, type ScaleResult, simulateScale } from "./scale.ts";

export interface StudyPlan {
  readonly replicas: readonly number[];
  readonly multicasts: readonly ScaleConfig["multicast"][];
  readonly base: Omit<ScaleConfig, "replicas" | "multicast" | "warmUpMs" | "measuredMs">;
}

export interface StudyPoint extends ScaleResult {
  /** Of as many times the smallest count's throughput per client. */
  readonly ofIdeal: number;
  readonly measuredMs: number;
}

/** Where a curve leaves nine tenths of ideal. */
export interface Bend {
  readonly multicast: ScaleConfig["multicast"];
  /** The first count below nine tenths; absent: none of those simulated. */
  readonly replicas?: number;
  readonly because: string;
}

export interface Prediction {
  readonly runId: string;
  readonly replicas: number;
  readonly measured: number;
  readonly predicted: number;
  /** Of the measured throughput; above 0: predicted too high. */
  readonly error: number;
}

const nearIdeal = 0.9;
/** From here on a process has no time left for what comes in bursts. */
const fullCore = 0.9;

/** What a point is simulated with. */
export interface Effort {
  readonly warmUpMs: number;
  readonly measuredMs: number;
  readonly clientsPerReplica: number;
}

/**
 * Longer where that is cheap: what a virtual second costs grows with the square of the replicas. Warming up takes
 * more than a round of multicast, so that exchanges carry what a whole second has committed; members' rounds are
 * spread over the second, so that any part of it sees as many of them. Queues that still grow at the end of such a
 * time are not seen in full, so where a core is full the largest counts are flattered.
 */
const efforts: Readonly<
  Record<
    ScaleConfig["multicast"],
    readonly (readonly [most: number, warmUpMs: number, measuredMs: number])[]
  >
> = {
  "all-to-all": [
    [16, 2_000, 2_000],
    [32, 1_200, 1_000],
    [64, 1_100, 500],
    [128, 1_100, 300],
    [Infinity, 1_100, 200],
  ],
  // Three rounds until everybody has heard; cheaper to simulate.
  relays: [
    [16, 2_000, 2_000],
    [32, 1_500, 1_000],
    [64, 1_300, 800],
    [128, 1_300, 600],
    [Infinity, 1_200, 400],
  ],
};
/** Beyond, each replica has a quarter of the clients. */
const allClientsUpTo = 256;
const clientsShareBeyond = 0.25;

export function effortOf(
  { replicas, multicast }: Pick<ScaleConfig, "replicas" | "multicast">,
  clientsPerReplica: number,
): Effort {
  const [, warmUpMs, measuredMs] = efforts[multicast].find(([most]) => replicas <= most) ?? [
    0, 1_100, 200,
  ];
  const share = replicas > allClientsUpTo ? clientsShareBeyond : 1;
  return {
    warmUpMs,
    measuredMs,
    clientsPerReplica: Math.max(1, Math.round(clientsPerReplica * share)),
  };
}

export interface StudyOptions {
  readonly signal: AbortSignal;
  /** Simulations at the same time. */
  readonly parallel: number;
  readonly simulate: (config: ScaleConfig) => Promise<ScaleResult>;
  /** As they end, in no order. */
  readonly onResult: (result: ScaleResult) => void;
}

/** Points in the plan's order; fewer when it is interrupted. */
export async function runStudy(
  plan: StudyPlan,
  options: StudyOptions,
): Promise<readonly StudyPoint[]> {
  const { signal, parallel, simulate, onResult } = options;
  const all = plan.multicasts.flatMap((multicast) =>
    plan.replicas.map((replicas) => ({ multicast, replicas })),
  );
  const results = new Map<string, ScaleResult>();
  // The largest take longest, and are not to be what is left at the end.
  const waiting = all.toSorted((a, b) => b.replicas - a.replicas);
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (signal.aborted) return;
      const effort = effortOf(next, plan.base.clientsPerReplica);
      const result = await simulate({ ...plan.base, ...effort, ...next });
      results.set(nameOf(next), result);
      onResult(result);
    }
  };
  const working = Array.from({ length: Math.max(1, parallel) }, work);
  const ended = await Promise.allSettled(working);
  const failed = ended.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected" && !signal.aborted) throw failed.reason;
  return all.flatMap((one) => {
    const result = results.get(nameOf(one));
    const first = results.get(nameOf({ ...one, replicas: plan.replicas[0] ?? 0 }));
    if (result === undefined) return [];
    const { measuredMs } = effortOf(one, plan.base.clientsPerReplica);
    return [{ ...result, ofIdeal: shareOfIdeal(result, first ?? result), measuredMs }];
  });
}

const nameOf = ({ multicast, replicas }: Pick<ScaleConfig, "multicast" | "replicas">): string =>
  `${multicast} ${replicas}`;

/** Each client as fast as at the smallest count would be 1. */
function shareOfIdeal(result: ScaleResult, first: ScaleResult): number {
  const ideal = (first.throughputPerSecond / first.clients) * result.clients;
  return Math.round((result.throughputPerSecond / ideal) * 1_000) / 1_000;
}

export function bendOf(points: readonly StudyPoint[], multicast: ScaleConfig["multicast"]): Bend {
  const own = points.filter((point) => point.multicast === multicast);
  const bent = own.find(({ ofIdeal }) => ofIdeal < nearIdeal);
  const last = own.at(-1);
  if (last === undefined) return { multicast, because: "nothing was simulated" };
  if (bent !== undefined) return { multicast, replicas: bent.replicas, because: why(bent) };
  const spent = `replicas ${percent(last.cpu.replicaMean)} of a core each, of which ${percent(last.cpu.replicaPeers)} for peers`;
  return {
    multicast,
    because: `no bend up to ${last.replicas} replicas: ${spent}${managerNote(own)}`,
  };
}

/** Which resource, by its share. */
function why({ cpu, readsFromCache }: StudyPoint): string {
  const peers = `${percent(cpu.replicaPeers)} of a core for peers`;
  if (cpu.replicaMax >= fullCore)
    return `replicas use ${percent(cpu.replicaMax)} of the one core each can use, ${peers}`;
  if (cpu.relayMax >= fullCore) return `a relay uses ${percent(cpu.relayMax)} of its core`;
  return (
    `no core is full (replicas ${percent(cpu.replicaMax)}, ${peers}): transactions wait for storage, ` +
    `${percent(1 - readsFromCache)} of reads miss the cache, and for exchanges in front of them`
  );
}

/** The manager is in nobody's way, but falls behind. */
function managerNote(points: readonly StudyPoint[]): string {
  const full = points.find(({ cpu }) => cpu.manager >= fullCore);
  return full === undefined ? "" : `; the fault manager's core is full at ${full.replicas}`;
}

/** The real run again, simulated with all its processes on the cores of its machine. */
export async function predict(
  summary: RunSummary,
  costs: ScaleCosts,
  cores: number,
  simulate: StudyOptions["simulate"] = simulateScale,
): Promise<Prediction> {
  const config = { ...scaleConfigOf(summary.cell, costs), sharedCores: cores };
  const simulated = await simulate(config);
  const { throughputPerSecond: measured, runId } = summary;
  const { throughputPerSecond: predicted, replicas } = simulated;
  return {
    runId,
    replicas,
    measured,
    predicted,
    error: Math.round((predicted / measured - 1) * 1_000) / 1_000,
  };
}

/**
 * What a real cell was, as a simulation on a network that is no more than loopback.
 *
 * @throws CalibrationError for a cell that has no counterpart here.
 */
export function scaleConfigOf(cell: Cell, costs: ScaleCosts): ScaleConfig {
  // Experiments with one replica do not name their number.
  const replicas = Number(cell["replicas"] ?? 1);
  const emulation = emulationOf(cell.emulation);
  if (cell.system !== "aft" || !(replicas >= 1) || emulation === undefined)
    throw new CalibrationError("only runs of AFT replicas with emulated latencies are simulated");
  return {
    seed: 1,
    replicas,
    clientsPerReplica: cell.clients / replicas,
    emulation,
    zipfTheta: cell.zipfTheta,
    keys: 1_000,
    multicast: "all-to-all",
    warmUpMs: 6_000,
    measuredMs: 12_000,
    networkUs: 20,
    costs,
  };
}

function emulationOf(name: string): EmulationProfileName | undefined {
  return Object.values(emulationProfiles).find((profile) => profile.name === name)?.name;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
