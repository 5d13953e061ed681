/**
 * @module How fast the isolation checker is: generated histories of 1 and 10 million operations, half of
 * them reads, keys uniform and zipf.
 *
 * Each history is written as plume text by one process and read and checked by another, several times
 * per level; the first time, before anything is compiled, counts like the others. Seconds are of
 * `check` at that level alone, read consistency included; intervals are quartiles.
 */
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { makeOwnDirectory } from "#kit/node/own-directory.ts";
import type { GenerateOptions } from "#harness/checker/generate.ts";
import { median, quantile } from "#harness/stats/quantile.ts";
import type { CheckerTimes } from "./checker-worker.ts";
import type { Micro, MicroFigure, MicroOptions, MicroResult } from "./micro.ts";

interface Size {
  readonly id: string;
  readonly repeats: number;
  readonly options: Pick<
    GenerateOptions,
    "sessions" | "transactionsPerSession" | "operations" | "keys"
  >;
}

const sizes: readonly Size[] = [
  {
    id: "1M",
    repeats: 5,
    options: { sessions: 50, transactionsPerSession: 1_000, operations: 20, keys: 10_000 },
  },
  {
    id: "10M",
    repeats: 3,
    options: { sessions: 100, transactionsPerSession: 10_000, operations: 10, keys: 100_000 },
  },
];

const smokeSizes: readonly Size[] = [
  {
    id: "20k",
    repeats: 2,
    options: { sessions: 10, transactionsPerSession: 100, operations: 20, keys: 1_000 },
  },
];

const distributions = [
  { id: "uniform", theta: 0 },
  { id: "zipf 0.99", theta: 0.99 },
] as const;

const workerPath = fileURLToPath(import.meta.resolve("#bench/micro/checker-worker.ts"));

export const checker: Micro = {
  id: "checker",
  title: "the isolation checker on generated histories of 1 and 10 million operations",
  run: async (options) => {
    const folder = makeOwnDirectory("checker");
    try {
      return await measure(options, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function measure(options: MicroOptions, folder: string): Promise<MicroResult> {
  const figures: MicroFigure[] = [];
  const chosen = options.smoke ? smokeSizes : sizes;
  for (const size of chosen)
    for (const { id, theta } of distributions) {
      if (options.signal.aborted) break;
      const file = join(folder, "history.txt");
      options.note(`${size.id} operations, ${id}`);
      const wanted: GenerateOptions = { seed: options.seed, ...size.options, theta };
      await run(["generate", file, JSON.stringify(wanted)], options.signal);
      const output = await run(["check", file, String(size.repeats)], options.signal);
      figures.push(...figuresOf(`${size.id} ${id}`, JSON.parse(output) as CheckerTimes));
    }
  return {
    name: "checker",
    figures,
    conditions: { seed: options.seed, sizes: chosen, distributions, store: "serializable" },
    notRun: [],
  };
}

async function run(args: readonly string[], signal: AbortSignal): Promise<string> {
  const { NODE_OPTIONS: _unused, ...environment } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [workerPath, ...args], {
    env: environment,
    signal,
  });
  return stdout;
}

function figuresOf(id: string, times: CheckerTimes): MicroFigure[] {
  const levels = (["ra", "cc", "rc"] as const).map((level): MicroFigure => {
    const seconds = times.checkSeconds[level];
    return {
      id: `${level} ${id}`,
      value: median(seconds),
      unit: "s",
      low: quantile(seconds, 0.25),
      high: quantile(seconds, 0.75),
    };
  });
  const plain = (name: string, value: number, unit: string): MicroFigure => ({
    id: `${name} ${id}`,
    value,
    unit,
    low: value,
    high: value,
  });
  return [
    ...levels,
    plain("parse", (times.parseSeconds / times.operations) * 1e6, "s/million lines"),
    plain("peak memory", times.peakBytes / 2 ** 20, "MiB"),
  ];
}
