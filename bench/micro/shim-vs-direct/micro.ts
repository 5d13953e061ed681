/**
 * @module What the shim costs on one machine: through an AFT replica and directly, in alternating blocks
 * (MEASURING rule 7), with function bodies in the load process, so that no platform hides the difference.
 *
 *   the standard transaction over one Redis, 1, 10 and 40 clients; A/A shows what noise alone does
 *   ten writes in one function, one client: direct writes one after another
 *   the standard transaction with the storage a network away, and what its trips predict
 */
import { NotAvailableError } from "#kit/errors.ts";
import { createPrng, type Prng } from "#kit/prng.ts";
import { Scope } from "#harness/experiment/scope.ts";
import { collectWhenFull } from "#harness/loadgen/heap.ts";
import { type RedisService, startRedis } from "#harness/services/redis.ts";
import { startReplica } from "#harness/services/replica.ts";
import { openStateSystem } from "#shim/state/registry.ts";
import type { EmulationProfileName } from "#shim/storage/emulated/profiles.ts";
import { createPaperWorkload } from "#workloads/mixes/paper.ts";
import type { Workload } from "#workloads/port.ts";
import type { Micro, MicroFigure, MicroOptions, MicroResult } from "../micro.ts";
import { type Contender, fillDirectly, Numbers, runBlock, type Sizes } from "./blocks.ts";
import { type Bars, compare } from "./compare.ts";
import { compareEmulated, type Standard } from "./emulated.ts";

/** By clients, what the shim is held to on loopback. */
const standardBars: ReadonlyMap<number, Bars> = new Map([
  [1, { p50: 1.2, p99: 1.3 }],
  [10, { p50: 1.3 }],
  [40, { throughput: 0.7 }],
]);
const profiles: readonly EmulationProfileName[] = ["elasticache", "dynamodb", "s3"];
/** Whose plain median is the base of what is predicted for the emulated ones. */
const baseClients = 10;
const shape = { keyCount: 1_000, zipfTheta: 0, valueBytes: 4_096 };

export const shimVsDirect: Micro = {
  id: "shim-vs-direct",
  title: "transactions over one Redis, through the shim and directly",
  run: async (options) => {
    const scope = new Scope();
    try {
      return await measure(options, scope);
    } catch (error) {
      if (!(error instanceof NotAvailableError)) throw error;
      const { what, get } = error;
      return {
        name: "shim-vs-direct",
        figures: [],
        conditions: {},
        notRun: [{ what, why: "not installed", get }],
      };
    } finally {
      await scope.close();
    }
  },
};

async function measure(options: MicroOptions, scope: Scope): Promise<MicroResult> {
  collectWhenFull();
  const sizes: Sizes = options.smoke
    ? { blocks: 2, blockMs: 100, warmUpMs: 100 }
    : { blocks: 15, blockMs: 500, warmUpMs: 2_000 };
  const prng = createPrng(options.seed);
  const numbers = new Numbers();
  const redis = scope.own(await startRedis());
  const standard = standardTransaction(options.seed);
  const loopback = await openLoopback(redis, scope);
  await prepare(loopback.contenders, standard.workload, { sizes, numbers });

  const figures: MicroFigure[] = [];
  const baseUs = { direct: Number.NaN, aft: Number.NaN };
  for (const [clients, bars] of standardBars) {
    if (options.signal.aborted) break;
    options.note(`${clients} clients: ${sizes.blocks} blocks of ${sizes.blockMs} ms per system`);
    const { workload } = standard;
    const compared = await compare(
      { ...loopback, suffix: `clients=${clients}`, workload, clients, sizes, bars },
      { prng, options, numbers },
    );
    figures.push(...compared.figures);
    if (clients !== baseClients) continue;
    for (const name of ["direct", "aft"] as const) baseUs[name] = compared.medianUs(name);
  }
  figures.push(...(await compareTenWrites(loopback, { prng, options, sizes, numbers })));
  for (const profile of profiles) {
    if (options.signal.aborted) break;
    options.note(`${profile}, emulated`);
    const context = { redis, standard, baseUs, sizes, prng, options, numbers, scope };
    figures.push(...(await compareEmulated(profile, context)));
  }
  return {
    name: "shim-vs-direct",
    figures,
    conditions: {
      ...sizes,
      seed: options.seed,
      workload: standard.workload.parameters,
      redis: redis.description,
    },
    notRun: [],
  };
}

function standardTransaction(seed: number): Standard {
  const [functions, reads, writes] = [2, 2, 1];
  return {
    workload: createPaperWorkload(
      { ...shape, functions, readsPerFunction: reads, writesPerFunction: writes },
      seed,
    ),
    reads: functions * reads,
    writes: functions * writes,
  };
}

interface Loopback {
  readonly contenders: readonly Contender[];
  readonly pids: Readonly<Record<string, readonly number[]>>;
}

async function openLoopback(redis: RedisService, scope: Scope): Promise<Loopback> {
  const storage = { target: redis.target };
  const replica = scope.own(await startReplica({ storage }));
  const open = async (
    name: string,
    system: string,
    options: Record<string, unknown>,
  ): Promise<Contender> => ({
    name,
    system: scope.own(await openStateSystem({ system, options })),
  });
  return {
    contenders: [
      await open("direct", "direct", { storage }),
      await open("aft", "aft", { endpoint: replica.endpoint }),
      await open("direct-again", "direct", { storage }),
    ],
    pids: { load: [process.pid], replica: replica.pids, redis: redis.pids },
  };
}

/** Both processes' code is compiled by load, not by time: one client alone would need minutes. */
async function prepare(
  contenders: readonly Contender[],
  workload: Workload,
  context: { readonly sizes: Sizes; readonly numbers: Numbers },
): Promise<void> {
  const { sizes, numbers } = context;
  const clients = Math.max(...standardBars.keys());
  for (const { system } of contenders) {
    await fillDirectly(system, workload);
    const firstIndex = numbers.next();
    await runBlock({ system, workload, clients, durationMs: sizes.warmUpMs, firstIndex });
  }
}

async function compareTenWrites(
  { contenders, pids }: Loopback,
  context: {
    readonly prng: Prng;
    readonly options: MicroOptions;
    readonly sizes: Sizes;
    readonly numbers: Numbers;
  },
): Promise<readonly MicroFigure[]> {
  const { options, sizes } = context;
  if (options.signal.aborted) return [];
  options.note("ten writes in one function");
  const workload = createPaperWorkload(
    { ...shape, functions: 1, readsPerFunction: 0, writesPerFunction: 10 },
    options.seed,
  );
  const pair = contenders.filter(({ name }) => name !== "direct-again");
  const scenario = { contenders: pair, pids, workload, clients: 1, sizes, bars: { p50: 0.35 } };
  return (await compare({ ...scenario, suffix: "ten writes, clients=1" }, context)).figures;
}
