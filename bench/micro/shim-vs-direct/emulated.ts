/**
 * @module The same comparison with the storage a network away, and what it should be: the trips each side
 * makes, counted, times the emulated latencies.
 */
import type { Prng } from "#kit/prng.ts";
import type { Scope } from "#harness/experiment/scope.ts";
import { startReplica } from "#harness/services/replica.ts";
import type { RedisService } from "#harness/services/redis.ts";
import type { ReplicaStats } from "#shim/aft/replica/port.ts";
import { openStateSystem } from "#shim/state/registry.ts";
import { type EmulationProfileName, emulationProfiles } from "#shim/storage/emulated/profiles.ts";
import type { StorageSpec } from "#shim/storage/target.ts";
import type { Workload } from "#workloads/port.ts";
import type { MicroFigure, MicroOptions } from "../micro.ts";
import { fillDirectly, type Numbers, type Sizes } from "./blocks.ts";
import { compare } from "./compare.ts";
import { predictMedianUs, type Trips } from "./predict.ts";

const clients = 10;
/** Long enough for some hundred transactions in a block, however slow the service. */
const blockMs: Readonly<Record<EmulationProfileName, number>> = {
  elasticache: 600,
  dynamodb: 1_200,
  s3: 3_000,
};

export interface Standard {
  readonly workload: Workload;
  readonly reads: number;
  readonly writes: number;
}

/** @param baseUs  Medians of both sides over the same server without emulated latency. */
export async function compareEmulated(
  profileName: EmulationProfileName,
  context: {
    readonly redis: RedisService;
    readonly standard: Standard;
    readonly baseUs: Readonly<Record<"direct" | "aft", number>>;
    readonly sizes: Sizes;
    readonly prng: Prng;
    readonly options: MicroOptions;
    readonly numbers: Numbers;
    readonly scope: Scope;
  },
): Promise<readonly MicroFigure[]> {
  const { redis, standard, baseUs, sizes, prng, options, numbers, scope } = context;
  const profile = emulationProfiles[profileName];
  const emulation = { profile: profileName, seed: options.seed };
  const storage: StorageSpec = { target: redis.target, emulation };
  const replica = scope.own(
    await startReplica({ storage, settings: { namespace: `emulated-${profileName}` } }),
  );
  const direct = scope.own(await openStateSystem({ system: "direct", options: { storage } }));
  const aft = scope.own(
    await openStateSystem({ system: "aft", options: { endpoint: replica.endpoint } }),
  );
  await fillDirectly(aft, standard.workload);
  const before = await replica.stats();
  const { figures, medianUs } = await compare(
    {
      suffix: `${profileName}, clients=${clients}`,
      contenders: [
        { name: "direct", system: direct },
        { name: "aft", system: aft },
      ],
      workload: standard.workload,
      clients,
      sizes: { ...sizes, blockMs: options.smoke ? sizes.blockMs : blockMs[profileName] },
      pids: {},
      bars: { p50: 1, p99: 1 },
    },
    { prng, options, numbers },
  );
  const after = await replica.stats();
  await replica.stop();
  const counted = perTransaction(before, after);
  const trips: Readonly<Record<"direct" | "aft", Trips>> = {
    direct: { reads: standard.reads, writes: Array.from({ length: standard.writes }, () => 1) },
    // The values in one trip, then the record.
    aft: { reads: counted.reads, writes: [standard.writes, 1] },
  };
  const suffix = `${profileName}, clients=${clients}`;
  const asTold = (id: string, value: number, unit: string): MicroFigure => ({
    id: `${id} ${suffix}`,
    value,
    unit,
    low: value,
    high: value,
  });
  return [
    ...figures,
    ...(["direct", "aft"] as const).flatMap((name) => {
      const predicted = predictMedianUs({
        profile,
        trips: trips[name],
        baseUs: baseUs[name],
        prng: prng.fork(`predict ${name} ${suffix}`),
      });
      return [
        asTold(`${name} p50 predicted`, predicted, "us"),
        asTold(`${name} p50 measured/predicted`, medianUs(name) / predicted, "ratio"),
        asTold(
          `${name} trips in a row`,
          trips[name].reads + trips[name].writes.length,
          "per transaction",
        ),
      ];
    }),
    asTold("direct storage calls", standard.reads + standard.writes, "per transaction"),
    asTold("aft storage calls", counted.calls, "per transaction"),
    asTold("aft bytes to storage", counted.bytes, "bytes per transaction"),
  ];
}

/** With collection of garbage, which is nobody's trip. */
function perTransaction(
  before: ReplicaStats,
  after: ReplicaStats,
): { readonly reads: number; readonly calls: number; readonly bytes: number } {
  const transactions = Math.max(1, after.committedTotal - before.committedTotal);
  const grown = (of: (stats: ReplicaStats["storage"]) => number): number =>
    (of(after.storage) - of(before.storage)) / transactions;
  return {
    reads: grown(({ itemsRead }) => itemsRead),
    calls: grown(({ calls }) => calls),
    bytes: grown(({ bytesRead, bytesWritten }) => bytesRead + bytesWritten),
  };
}
