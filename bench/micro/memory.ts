/**
 * @module What a replica remembers costs: bytes of metadata per retained transaction and per version of a
 * key, and a replica that starts before a million commits of a million keys: how long, how large.
 *
 * Every measurement is a process of its own; memory is read after a full collection.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { NotAvailableError } from "#kit/errors.ts";
import type { NotRun } from "#harness/record/run.ts";
import { startStorageService } from "#harness/services/registry.ts";
import { median } from "#harness/stats/quantile.ts";
import type { Held, Recovered } from "./memory-worker.ts";
import type { Micro, MicroFigure, MicroOptions, MicroResult } from "./micro.ts";

const workerPath = fileURLToPath(import.meta.resolve("#bench/micro/memory-worker.ts"));
const stores = ["redis", "lmdb"] as const;
/** What a million may take. */
const bars = { residentMiB: 1_536, seconds: 20 } as const;
const mebibyte = 1_048_576;

interface Sizes {
  readonly commits: number;
  readonly starts: number;
  readonly indexed: number;
}

export const memory: Micro = {
  id: "memory",
  title: "metadata per transaction and version; a start before a million commits",
  run: async (options) => {
    const sizes: Sizes = options.smoke
      ? { commits: 2_000, starts: 1, indexed: 2_000 }
      : { commits: 1_000_000, starts: 3, indexed: 200_000 };
    const figures = await metadata(sizes, options.signal);
    const notRun: NotRun[] = [];
    for (const name of stores) {
      if (options.signal.aborted) break;
      options.note(`memory: ${sizes.commits.toLocaleString("en-US")} commits over ${name}`);
      try {
        figures.push(...(await recovery(name, sizes, options)));
      } catch (error) {
        if (!(error instanceof NotAvailableError)) throw error;
        notRun.push({ what: error.what, why: "not installed", get: error.get });
      }
    }
    return {
      name: "memory",
      figures,
      conditions: { ...sizes, ...bars },
      notRun,
    } satisfies MicroResult;
  },
};

/** From three shapes: what a transaction costs without its versions, and what one more version does. */
async function metadata({ indexed }: Sizes, signal: AbortSignal): Promise<MicroFigure[]> {
  const held = async (keysEach: number, versionsOfAKey: number): Promise<Held> =>
    JSON.parse(
      await run(["index", String(indexed), String(keysEach), String(versionsOfAKey)], signal),
    ) as Held;
  // The same keys throughout, so that their own texts and maps are in neither difference.
  const one = await held(1, 100);
  const many = await held(16, 1_600);
  const perVersion = (many.heapBytes - one.heapBytes) / (many.versions - one.versions);
  const perTransaction = one.heapBytes / one.transactions;
  const newKeys = await held(1, 1);
  const perKey = (newKeys.heapBytes - one.heapBytes) / (indexed - indexed / 100);
  return [
    plain("per-transaction-of-one-key", perTransaction, "bytes"),
    plain("per-further-version", perVersion, "bytes"),
    plain("per-further-key", perKey, "bytes"),
  ];
}

async function recovery(
  name: (typeof stores)[number],
  { commits, starts }: Sizes,
  { signal, smoke }: MicroOptions,
): Promise<MicroFigure[]> {
  const service = await startStorageService(name);
  try {
    const target = JSON.stringify(service.target);
    await run(["fill", target, String(commits)], signal);
    const seen: Recovered[] = [];
    for (let start = 0; start < starts; start += 1) {
      const recovered = JSON.parse(await run(["recover", target], signal)) as Recovered;
      if (recovered.transactions !== commits)
        throw new Error(`${name}: ${recovered.transactions} of ${commits} commits were recovered`);
      seen.push(recovered);
    }
    const figure = (
      id: string,
      unit: string,
      of: (recovered: Recovered) => number,
      most?: number,
    ): MicroFigure => {
      const values = seen.map(of);
      return {
        id: `${name}-${id}`,
        value: median(values),
        unit,
        low: Math.min(...values),
        high: Math.max(...values),
        // A bar for a million says nothing about fewer.
        ...(most !== undefined && !smoke && { most }),
      };
    };
    return [
      figure("recovery", "s", ({ seconds }) => seconds, bars.seconds),
      figure("heap", "MiB", ({ heapBytes }) => heapBytes / mebibyte),
      figure("resident", "MiB", ({ residentBytes }) => residentBytes / mebibyte),
      figure("peak", "MiB", ({ peakBytes }) => peakBytes / mebibyte, bars.residentMiB),
    ];
  } finally {
    await service.stop();
  }
}

async function run(args: readonly string[], signal: AbortSignal): Promise<string> {
  const { NODE_OPTIONS: _unused, ...environment } = process.env;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--expose-gc", workerPath, ...args],
    { env: environment, signal },
  );
  return stdout;
}

function plain(id: string, value: number, unit: string): MicroFigure {
  return { id, value, unit, low: value, high: value };
}
