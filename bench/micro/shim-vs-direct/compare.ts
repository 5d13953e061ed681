/**
 * @module Measures systems in alternating blocks and compares each with `direct`: ratios with intervals,
 * and the bars they are held to.
 */
import type { Prng } from "#kit/prng.ts";
import { watchCpu } from "#harness/metrics/cpu.ts";
import {
  type RatioEstimate,
  ratioOfBlocks,
  ratioOfPooledQuantiles,
} from "#harness/stats/bootstrap.ts";
import { median, quantile } from "#harness/stats/quantile.ts";
import type { Workload } from "#workloads/port.ts";
import type { MicroFigure, MicroOptions } from "../micro.ts";
import { type Block, type Contender, Numbers, runBlock, shuffled, type Sizes } from "./blocks.ts";

/** Most that shim/direct may be, of a time, or least, of the throughput. */
export interface Bars {
  readonly p50?: number;
  readonly p99?: number;
  readonly throughput?: number;
}

export interface Scenario {
  /** Stands behind each figure's name: `clients=10`. */
  readonly suffix: string;
  /** One is named `direct`, and one `aft`. */
  readonly contenders: readonly Contender[];
  readonly workload: Workload;
  readonly clients: number;
  readonly sizes: Sizes;
  /** Processes whose CPU is reported. */
  readonly pids: Readonly<Record<string, readonly number[]>>;
  readonly bars: Bars;
}

export interface Compared {
  readonly figures: readonly MicroFigure[];
  /** Median of all transactions of a contender. */
  readonly medianUs: (contender: string) => number;
}

/** Fewer blocks than planned when it is interrupted. */
export async function compare(
  scenario: Scenario,
  context: { readonly prng: Prng; readonly options: MicroOptions; readonly numbers?: Numbers },
): Promise<Compared> {
  const { suffix, contenders, bars, pids } = scenario;
  const { prng, options } = context;
  const { blocks, cpu } = await measure(scenario, context);
  const of = (name: string): readonly Block[] => blocks.get(name) ?? [];
  const medians = (name: string): number[] => of(name).map(({ timesUs }) => median(timesUs));
  const rates = (name: string): number[] =>
    of(name).map(({ timesUs, seconds }) => timesUs.length / seconds);
  const p99 = (name: string): RatioEstimate =>
    ratioOfPooledQuantiles(
      of(name).map(({ timesUs }, index) => ({
        candidate: timesUs,
        baseline: of("direct")[index]?.timesUs ?? [],
      })),
      0.99,
      prng.fork(`${name} p99 ${suffix}`),
    );
  const pooled = (name: string): number[] => of(name).flatMap(({ timesUs }) => timesUs);
  const blockwise = (name: string, of_: typeof medians, id: string): RatioEstimate =>
    ratioOfBlocks(of_(name), of_("direct"), prng.fork(`${id} ${suffix}`));
  // A smoke run shows that it works; its handful of transactions is not held to anything.
  const held = (bar: "least" | "most", value: number | undefined): Partial<MicroFigure> =>
    value === undefined || options.smoke ? {} : { [bar]: value };
  const again = contenders.some(({ name }) => name === "direct-again");
  const figures: MicroFigure[] = [
    {
      ...ratio("shim/direct p50", suffix, blockwise("aft", medians, "p50")),
      ...held("most", bars.p50),
    },
    { ...ratio("shim/direct p99", suffix, p99("aft")), ...held("most", bars.p99) },
    {
      ...ratio("shim/direct throughput", suffix, blockwise("aft", rates, "throughput")),
      ...held("least", bars.throughput),
    },
    ...(again
      ? [
          ratio("A/A p50", suffix, blockwise("direct-again", medians, "A/A p50")),
          ratio("A/A p99", suffix, p99("direct-again")),
          ratio("A/A throughput", suffix, blockwise("direct-again", rates, "A/A throughput")),
        ]
      : []),
    ...["direct", "aft"].flatMap((name) => [
      plain(`${name} p50 ${suffix}`, medians(name), "us"),
      atOnce(`${name} p99 ${suffix}`, quantile(pooled(name), 0.99), "us"),
      plain(`${name} throughput ${suffix}`, rates(name), "transactions/s"),
      ...Object.keys(pids).map((process) =>
        plain(
          `${name} cpu ${process} ${suffix}`,
          (cpu.get(name) ?? []).map((cores) => cores[process] ?? 0),
          "cores",
        ),
      ),
    ]),
  ];
  return { figures, medianUs: (name) => median(pooled(name)) };
}

async function measure(
  scenario: Scenario,
  context: Parameters<typeof compare>[1],
): Promise<{
  readonly blocks: ReadonlyMap<string, readonly Block[]>;
  readonly cpu: ReadonlyMap<string, readonly Readonly<Record<string, number>>[]>;
}> {
  const { contenders, workload, clients, sizes, pids } = scenario;
  const { prng, options, numbers = new Numbers() } = context;
  const blocks = new Map<string, Block[]>(contenders.map(({ name }) => [name, []]));
  const cpu = new Map<string, Record<string, number>[]>(contenders.map(({ name }) => [name, []]));
  const load = { workload, clients };
  for (const { system } of contenders)
    await runBlock({ ...load, system, durationMs: sizes.warmUpMs, firstIndex: numbers.next() });
  for (let block = 0; block < sizes.blocks && !options.signal.aborted; block += 1) {
    for (const { name, system } of shuffled(contenders, prng)) {
      const watch = watchCpu(pids);
      const firstIndex = numbers.next();
      const measured = await runBlock({ ...load, system, durationMs: sizes.blockMs, firstIndex });
      cpu.get(name)?.push({ ...watch.stop().used });
      blocks.get(name)?.push(measured);
    }
  }
  return { blocks, cpu };
}

function ratio(id: string, suffix: string, estimate: RatioEstimate): MicroFigure {
  const { median: value, low, high } = estimate;
  return { id: `${id} ${suffix}`, value, unit: "ratio", low, high };
}

/** Over the blocks, with the middle half of them. */
function plain(id: string, values: readonly number[], unit: string): MicroFigure {
  const [low, high] = [quantile(values, 0.25), quantile(values, 0.75)];
  return { id, value: median(values), unit, low, high };
}

function atOnce(id: string, value: number, unit: string): MicroFigure {
  return { id, value, unit, low: value, high: value };
}
