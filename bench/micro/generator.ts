/**
 * @module How much load the suite's own generator can make, and how punctually: against a server that
 * does next to nothing, beside autocannon (closed loop, no rate, no workers: MEASURING rule 2) and wrk
 * with one thread, in alternating blocks on the same server.
 *
 * Ours runs with everything a run records: due, start, end and outcome of each request, and both
 * histograms. The others record less.
 */
import { spawn, spawnSync } from "node:child_process";
import autocannon from "autocannon";
import { createSystemClock } from "#kit/node/system-clock.ts";
import { createPrng, type Prng } from "#kit/prng.ts";
import { HttpRecorder, offerClosed, offerOpen } from "#harness/calibrate/http-load.ts";
import { startTarget, type Target } from "#harness/calibrate/target.ts";
import { LatencyHistogram } from "#harness/metrics/histogram.ts";
import type { NotRun } from "#harness/record/run.ts";
import { ratioOfBlocks } from "#harness/stats/bootstrap.ts";
import { median, quantile } from "#harness/stats/quantile.ts";
import { scheduleArrivals } from "#workloads/arrivals/schedule.ts";
import type { Micro, MicroFigure, MicroOptions, MicroResult } from "./micro.ts";

const connections = 50;
/** Open-loop rates at which punctuality is measured. */
const openRates = [1_000, 10_000, 20_000];
/** Below these the generator, not the system, would be what a closed loop measures. */
const bars = { autocannon: 1, wrk: 0.5 } as const;
const clock = createSystemClock({ precise: true });

interface Contender {
  readonly name: "ours" | "autocannon" | "wrk";
  /** Requests per second over `seconds`. */
  readonly measure: (port: number, seconds: number) => Promise<number>;
}

interface Sizes {
  readonly blocks: number;
  readonly blockSeconds: number;
  readonly openSeconds: number;
}

export const generator: Micro = {
  id: "generator",
  title: "the load generator's own ceiling and punctuality, beside autocannon and wrk",
  run: async (options) => {
    const target = await startTarget({ kind: "null" });
    try {
      return await measure(options, target);
    } finally {
      await target.stop();
    }
  },
};

async function measure(options: MicroOptions, target: Target): Promise<MicroResult> {
  const sizes: Sizes = options.smoke
    ? { blocks: 1, blockSeconds: 1, openSeconds: 1 }
    : { blocks: 7, blockSeconds: 2, openSeconds: 3 };
  const prng = createPrng(options.seed);
  const { contenders, notRun } = availableContenders(options.signal);
  const perSecond = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  // The first second of each is compilation.
  for (const { measure: warm } of contenders) await warm(target.port, 1);
  for (let block = 0; block < sizes.blocks && !options.signal.aborted; block += 1) {
    options.note(`closed loop, ${connections} connections: block ${block + 1} of ${sizes.blocks}`);
    for (const { name, measure: run } of shuffled(contenders, prng))
      perSecond.get(name)?.push(await run(target.port, sizes.blockSeconds));
  }
  const figures: MicroFigure[] = [];
  const ours = perSecond.get("ours") ?? [];
  for (const [name, values] of perSecond) {
    figures.push(spread(`${name} closed loop`, values, "requests/s"));
    if (name === "ours") continue;
    const { median: value, low, high } = ratioOfBlocks(ours, values, prng.fork(name));
    const least = options.smoke ? {} : { least: bars[name as keyof typeof bars] };
    figures.push({ id: `ours/${name} closed loop`, value, unit: "ratio", low, high, ...least });
  }
  for (const rate of openRates) {
    if (options.signal.aborted) break;
    options.note(`open loop, ${rate} requests/s for ${sizes.openSeconds} s`);
    figures.push(...(await punctuality({ rate, sizes, target, prng, options })));
  }
  return {
    name: "generator",
    figures,
    conditions: {
      ...sizes,
      connections,
      seed: options.seed,
      target: "raw TCP server that answers 200 with two bytes, in a process of its own",
      recording: "due, start, end, outcome of every request; response- and service-time histograms",
    },
    notRun,
  };
}

/** How late a Poisson schedule is dispatched, and whether all of it was sent. */
async function punctuality(run: {
  readonly rate: number;
  readonly sizes: Sizes;
  readonly target: Target;
  readonly prng: Prng;
  readonly options: MicroOptions;
}): Promise<MicroFigure[]> {
  const { rate, sizes, target, prng, options } = run;
  const plan = { kind: "poisson", perSecond: rate, seconds: sizes.openSeconds } as const;
  const lateness = new LatencyHistogram();
  const recorder = new HttpRecorder();
  const result = await offerOpen({
    port: target.port,
    clock,
    recorder,
    signal: options.signal,
    offsetsUs: scheduleArrivals(plan, prng.fork(`open ${rate}`)),
    connections: 1_000,
    timeoutUs: 5_000_000,
    onLateness: (us) => {
      lateness.record(us);
    },
  });
  const at = `open loop ${rate}/s`;
  const figure = (what: string, value: number, unit: string): MicroFigure => ({
    id: `${at} ${what}`,
    value,
    unit,
    low: value,
    high: value,
  });
  const { p50, p99, max } = lateness.summary();
  const percentile = (name: string, value: typeof p50): MicroFigure[] =>
    typeof value === "number" ? [figure(`dispatch lateness ${name}`, value, "us")] : [];
  return [
    ...percentile("p50", p50),
    ...percentile("p99", p99),
    figure("dispatch lateness max", max, "us"),
    figure("offered", result.offered, "requests"),
    figure("not sent", result.offered - result.sent, "requests"),
  ];
}

function availableContenders(signal: AbortSignal): {
  contenders: Contender[];
  notRun: NotRun[];
} {
  const contenders: Contender[] = [
    { name: "ours", measure: (port, seconds) => measureOurs(port, seconds, signal) },
    { name: "autocannon", measure: measureAutocannon },
  ];
  if (spawnSync("wrk", ["-v"]).error === undefined)
    return { contenders: [...contenders, { name: "wrk", measure: measureWrk }], notRun: [] };
  const missing = { what: "wrk", why: "not installed", get: "apt-get install wrk" };
  return { contenders, notRun: [missing] };
}

async function measureOurs(port: number, seconds: number, signal: AbortSignal): Promise<number> {
  const recorder = new HttpRecorder();
  const { startUs, endUs } = await offerClosed({
    port,
    clock,
    recorder,
    signal,
    connections,
    seconds,
  });
  const answered = recorder.attempts.filter(({ outcome }) => outcome === "committed").length;
  return answered / ((endUs - startUs) / 1_000_000);
}

async function measureAutocannon(port: number, seconds: number): Promise<number> {
  // `ignoreCoordinatedOmission` is refused without a rate, and there is none.
  const result = await autocannon({
    url: `http://127.0.0.1:${port}/`,
    connections,
    duration: seconds,
    excludeErrorStats: true,
  });
  // Its own mean is over whole-second samples; count over time is the same for all three.
  return (result["2xx"] * 1_000) / (result.finish.getTime() - result.start.getTime());
}

function measureWrk(port: number, seconds: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn("wrk", [
      "-t1",
      `-c${connections}`,
      `-d${seconds}s`,
      `http://127.0.0.1:${port}/`,
    ]);
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    child.on("error", reject);
    child.on("close", () => {
      const found = /Requests\/sec:\s*([\d.]+)/.exec(text);
      if (found === null) reject(new Error(`wrk printed no rate: ${text}`));
      else resolve(Number(found[1]));
    });
  });
}

function spread(id: string, values: readonly number[], unit: string): MicroFigure {
  const [low, high] = [quantile(values, 0.25), quantile(values, 0.75)];
  return { id, value: median(values), unit, low, high };
}

function shuffled<T>(items: readonly T[], prng: Prng): T[] {
  const order = items.map((item) => ({ item, at: prng.next() }));
  return order.toSorted((a, b) => a.at - b.at).map(({ item }) => item);
}
