/**
 * @module Whether a replica gets slower or larger with time: ten minutes of skewed load (zipf 1.5).
 *
 * Time is told relative to direct blocks next to each one of the shim's, so that what the machine does
 * in ten minutes is in both. Before them it warms up for as long as outcomes are kept (five minutes), during which
 * replica and store must grow. Of the ten minutes the last third is compared with the first.
 */
import { readFile } from "node:fs/promises";
import { NotAvailableError } from "#kit/errors.ts";
import { createPrng } from "#kit/prng.ts";
import { Scope } from "#harness/experiment/scope.ts";
import { collectWhenFull } from "#harness/loadgen/heap.ts";
import { startRedis } from "#harness/services/redis.ts";
import { startReplica } from "#harness/services/replica.ts";
import { ratioOfMedians } from "#harness/stats/bootstrap.ts";
import { median } from "#harness/stats/quantile.ts";
import { openStateSystem } from "#shim/state/registry.ts";
import { createPaperWorkload } from "#workloads/mixes/paper.ts";
import type { Micro, MicroFigure, MicroOptions, MicroResult } from "./micro.ts";
import { fillDirectly, Numbers, runBlock, shuffled } from "./shim-vs-direct/blocks.ts";

const clients = 10;
const blockMs = 1_000;
/** Blocks of both sides: ten minutes, behind five of warming up. */
const fullBlocks = 450;
const warmUpShare = 1 / 3;
const mostDrift = 1.05;

interface Look {
  readonly p50Ratio: number;
  readonly throughput: number;
  readonly replicaMiB: number;
  readonly storeMiB: number;
}

export const drift: Micro = {
  id: "drift",
  title: "ten minutes of skewed load: time and memory at the end against the beginning",
  run: async (options) => {
    const scope = new Scope();
    try {
      return await measure(options, scope);
    } catch (error) {
      if (!(error instanceof NotAvailableError)) throw error;
      const { what, get } = error;
      const notRun = [{ what, why: "not installed", get }];
      return { name: "drift", figures: [], conditions: {}, notRun };
    } finally {
      await scope.close();
    }
  },
};

async function measure(options: MicroOptions, scope: Scope): Promise<MicroResult> {
  const { seed, smoke, signal, note } = options;
  collectWhenFull();
  const blocks = smoke ? 6 : fullBlocks;
  const prng = createPrng(seed);
  const numbers = new Numbers();
  const parameters = {
    functions: 2,
    readsPerFunction: 2,
    writesPerFunction: 1,
    keyCount: 1_000,
    zipfTheta: 1.5,
    valueBytes: 4_096,
  };
  const workload = createPaperWorkload(parameters, seed);
  const redis = scope.own(await startRedis());
  const storage = { target: redis.target };
  const replica = scope.own(await startReplica({ storage }));
  const open = async (system: string, systemOptions: Record<string, unknown>) =>
    scope.own(await openStateSystem({ system, options: systemOptions }));
  const sides = [
    { name: "direct", system: await open("direct", { storage }) },
    { name: "aft", system: await open("aft", { endpoint: replica.endpoint }) },
  ];
  for (const { system } of sides) await fillDirectly(system, workload);
  const looks: Look[] = [];
  for (let block = 0; block < blocks && !signal.aborted; block += 1) {
    const medians = new Map<string, number>();
    let throughput = 0;
    for (const { name, system } of shuffled(sides, prng)) {
      const { timesUs, seconds } = await runBlock({
        system,
        workload,
        clients,
        durationMs: smoke ? 50 : blockMs,
        firstIndex: numbers.next(),
      });
      medians.set(name, median(timesUs));
      if (name === "aft") throughput = timesUs.length / seconds;
    }
    looks.push({
      p50Ratio: (medians.get("aft") ?? Number.NaN) / (medians.get("direct") ?? Number.NaN),
      throughput,
      replicaMiB: await residentMiB(replica.pids[0]),
      storeMiB: await residentMiB(redis.pids[0]),
    });
    if ((block + 1) % 30 === 0) note(`drift: ${block + 1} of ${blocks} blocks`);
  }
  const warm = looks.slice(Math.ceil(looks.length * warmUpShare));
  const third = Math.floor(warm.length / 3);
  const early = warm.slice(0, third);
  const late = warm.slice(warm.length - third);
  const grown = (id: string, of: (look: Look) => number): MicroFigure => {
    const estimate = ratioOfMedians(late.map(of), early.map(of), prng.fork(id));
    const { median: value, low, high } = estimate;
    return { id, value, unit: "ratio", low, high, ...(!smoke && { most: mostDrift }) };
  };
  const plain = (id: string, unit: string, of: (look: Look) => number): MicroFigure => {
    const values = warm.map(of);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return { id, value: median(values), unit, low, high };
  };
  return {
    name: "drift",
    figures: [
      grown("shim/direct p50, late/early", ({ p50Ratio }) => p50Ratio),
      grown("replica resident, late/early", ({ replicaMiB }) => replicaMiB),
      grown("redis resident, late/early", ({ storeMiB }) => storeMiB),
      plain("shim/direct p50", "ratio", ({ p50Ratio }) => p50Ratio),
      plain("aft throughput", "transactions/s", ({ throughput }) => throughput),
      plain("replica resident", "MiB", ({ replicaMiB }) => replicaMiB),
      plain("redis resident", "MiB", ({ storeMiB }) => storeMiB),
    ],
    conditions: { seed, blocks, blockMs, clients, workload: parameters, redis: redis.description },
    notRun: [],
  };
}

async function residentMiB(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1_024;
}
