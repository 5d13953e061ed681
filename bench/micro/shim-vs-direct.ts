/**
 * @module What the shim costs on one machine: the standard transaction over one Redis, through an AFT
 * replica and directly, in alternating blocks (MEASURING rule 7).
 *
 * Function bodies run in the load process, so that no platform hides the difference. Every block is
 * measured for both systems next to each other, in seeded order; what is reported is the ratio with
 * its interval. An A/A comparison (direct against direct) shows what the machine's noise alone does.
 */
import { NotAvailableError } from "#kit/errors.ts";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng, type Prng } from "#kit/prng.ts";
import { Scope } from "#harness/experiment/scope.ts";
import { watchCpu } from "#harness/metrics/cpu.ts";
import { startRedis } from "#harness/services/redis.ts";
import { startReplica } from "#harness/services/replica.ts";
import { ratioOfBlocks } from "#harness/stats/bootstrap.ts";
import { median, quantile } from "#harness/stats/quantile.ts";
import type { StateSystem } from "#shim/state/port.ts";
import { openStateSystem } from "#shim/state/registry.ts";
import { runOperations } from "#workloads/functions/body.ts";
import { createPaperWorkload } from "#workloads/mixes/paper.ts";
import type { PlannedRequest, Workload } from "#workloads/port.ts";
import type { Micro, MicroFigure, MicroOptions, MicroResult } from "./micro.ts";

const clientCounts = [1, 10, 40];
const clock = createSystemClock();

interface Contender {
  readonly name: "direct" | "aft" | "direct-again";
  readonly system: StateSystem;
}

interface Block {
  readonly throughput: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

interface Sizes {
  readonly blocks: number;
  readonly blockMs: number;
  readonly warmUpMs: number;
}

export const shimVsDirect: Micro = {
  id: "shim-vs-direct",
  title: "the standard transaction over one Redis, through the shim and directly",
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
  const sizes: Sizes = options.smoke
    ? { blocks: 2, blockMs: 100, warmUpMs: 100 }
    : { blocks: 15, blockMs: 500, warmUpMs: 2_000 };
  const prng = createPrng(options.seed);
  const redis = scope.own(await startRedis());
  const storage = { target: redis.target };
  const replica = scope.own(await startReplica({ storage }));
  const direct = { system: "direct", options: { storage } };
  const contenders: Contender[] = [
    { name: "direct", system: scope.own(await openStateSystem(direct)) },
    {
      name: "aft",
      system: scope.own(
        await openStateSystem({ system: "aft", options: { endpoint: replica.endpoint } }),
      ),
    },
    { name: "direct-again", system: scope.own(await openStateSystem(direct)) },
  ];
  const workload = createPaperWorkload(
    {
      functions: 2,
      readsPerFunction: 2,
      writesPerFunction: 1,
      keyCount: 1_000,
      zipfTheta: 0,
      valueBytes: 4_096,
    },
    options.seed,
  );
  for (const { system } of contenders) await fillDirectly(system, workload);

  // Both processes' code is compiled by load, not by time: one client alone would need minutes.
  for (const [index, { system }] of contenders.entries())
    await runBlock({
      system,
      workload,
      clients: Math.max(...clientCounts),
      durationMs: sizes.warmUpMs,
      firstIndex: (index + 1) * 100_000_000,
    });

  const pids = { load: [process.pid], replica: replica.pids, redis: redis.pids };
  const figures: MicroFigure[] = [];
  for (const clients of clientCounts) {
    if (options.signal.aborted) break;
    options.note(`${clients} clients: ${sizes.blocks} blocks of ${sizes.blockMs} ms per system`);
    figures.push(...(await compare({ contenders, workload, clients, sizes, pids, prng, options })));
  }
  return {
    name: "shim-vs-direct",
    figures,
    conditions: {
      ...sizes,
      seed: options.seed,
      workload: workload.parameters,
      redis: redis.description,
    },
    notRun: [],
  };
}

async function compare(run: {
  readonly contenders: readonly Contender[];
  readonly workload: Workload;
  readonly clients: number;
  readonly sizes: Sizes;
  readonly pids: Readonly<Record<string, readonly number[]>>;
  readonly prng: Prng;
  readonly options: MicroOptions;
}): Promise<MicroFigure[]> {
  const { contenders, workload, clients, sizes, pids, prng, options } = run;
  const blocks = new Map<string, Block[]>(contenders.map(({ name }) => [name, []]));
  const cpu = new Map<string, Record<string, number>[]>(contenders.map(({ name }) => [name, []]));
  let firstIndex = 0;
  for (const { system } of contenders) {
    await runBlock({ system, workload, clients, durationMs: sizes.warmUpMs, firstIndex });
    firstIndex += 1_000_000;
  }
  for (let block = 0; block < sizes.blocks && !options.signal.aborted; block += 1) {
    for (const { name, system } of shuffled(contenders, prng)) {
      const watch = watchCpu(pids);
      const measured = await runBlock({
        system,
        workload,
        clients,
        durationMs: sizes.blockMs,
        firstIndex,
      });
      cpu.get(name)?.push({ ...watch.stop().used });
      blocks.get(name)?.push(measured);
      firstIndex += 1_000_000;
    }
  }
  const of = (name: string, figure: keyof Block): number[] =>
    (blocks.get(name) ?? []).map((block) => block[figure]);
  const ratio = (name: string, figure: keyof Block, id: string): MicroFigure => {
    const estimate = ratioOfBlocks(of(name, figure), of("direct", figure), prng.fork(id));
    return { id, value: estimate.median, unit: "ratio", low: estimate.low, high: estimate.high };
  };
  const plain = (id: string, values: readonly number[], unit: string): MicroFigure => ({
    id,
    value: median(values),
    unit,
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
  });
  const suffix = `clients=${clients}`;
  return [
    ratio("aft", "p50Us", `shim/direct p50 ${suffix}`),
    ratio("aft", "p99Us", `shim/direct p99 ${suffix}`),
    ratio("aft", "throughput", `shim/direct throughput ${suffix}`),
    ratio("direct-again", "p50Us", `A/A p50 ${suffix}`),
    ratio("direct-again", "throughput", `A/A throughput ${suffix}`),
    ...["direct", "aft"].flatMap((name) => [
      plain(`${name} p50 ${suffix}`, of(name, "p50Us"), "us"),
      plain(`${name} p99 ${suffix}`, of(name, "p99Us"), "us"),
      plain(`${name} throughput ${suffix}`, of(name, "throughput"), "transactions/s"),
      ...Object.keys(pids).map((process) =>
        plain(
          `${name} cpu ${process} ${suffix}`,
          (cpu.get(name) ?? []).map((cores) => cores[process] ?? 0),
          "cores",
        ),
      ),
    ]),
  ];
}

/** N clients for a time, each its next transaction when the last has ended. */
async function runBlock(block: {
  readonly system: StateSystem;
  readonly workload: Workload;
  readonly clients: number;
  readonly durationMs: number;
  readonly firstIndex: number;
}): Promise<Block> {
  const { system, workload, clients, durationMs, firstIndex } = block;
  const startUs = clock.monotonicUs();
  const endUs = startUs + durationMs * 1_000;
  const times: number[] = [];
  const client = async (number: number): Promise<void> => {
    for (let index = firstIndex; clock.monotonicUs() < endUs; index += 1) {
      const request = workload.request(number, index);
      const begunUs = clock.monotonicUs();
      await runTransaction(system, request, workload.valueBytes);
      times.push(clock.monotonicUs() - begunUs);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_unused, number) => client(number)));
  const seconds = (clock.monotonicUs() - startUs) / 1_000_000;
  return {
    throughput: times.length / seconds,
    p50Us: median(times),
    p99Us: quantile(times, 0.99),
  };
}

/** The request's functions one after another, as a platform would run them, context by value. */
async function runTransaction(
  system: StateSystem,
  request: PlannedRequest,
  valueBytes: number,
): Promise<void> {
  let session = system.begin({ requestId: request.requestId });
  let sequenceBase = 0;
  for (const [index, operations] of request.functions.entries()) {
    if (index > 0) session = system.resume(await session.suspend());
    const { requestId, writeSet, payloadSeed } = request;
    const plan = { requestId, operations, writeSet, payloadSeed, sequenceBase, valueBytes };
    await runOperations({ session, plan, clock, recorded: [] });
    sequenceBase += operations.length;
  }
  const outcome = await session.commit();
  if (outcome.kind !== "committed") throw new Error(`not committed: ${outcome.reason}`);
}

async function fillDirectly(system: StateSystem, workload: Workload): Promise<void> {
  const keys = [...workload.keys()];
  for (let start = 0; start < keys.length; start += 100) {
    const part = keys.slice(start, start + 100);
    const request: PlannedRequest = {
      requestId: `fill-${start}`,
      functions: [[{ kind: "writeMany", keys: part }]],
      writeSet: part.slice(0, 1),
      payloadSeed: start,
    };
    await runTransaction(system, request, workload.valueBytes);
  }
}

function shuffled<T>(items: readonly T[], prng: Prng): T[] {
  const order = items.map((item) => ({ item, at: prng.next() }));
  return order.toSorted((a, b) => a.at - b.at).map(({ item }) => item);
}
