/** @module `aft-bench micro NAME`: runs one micro-benchmark and prints its figures. */
import { ConfigError } from "#kit/errors.ts";
import { exitCodes } from "#bench/exit-codes.ts";
import { judgeBars, type MicroFigure, type MicroResult } from "#bench/micro/micro.ts";
import { micros } from "#bench/micro/registry.ts";
import { listenForStop } from "#bench/stop-signals.ts";
import { formatColumns } from "#bench/text.ts";

const codeOf = {
  pass: exitCodes.ok,
  fail: exitCodes.thresholdMissed,
  inconclusive: exitCodes.inconclusive,
} as const;

/** The exit code, 99 where a figure misses its bar; results are on stdout. */
export async function micro(options: {
  readonly name: string;
  readonly json: boolean;
  readonly smoke: boolean;
  readonly seed: number;
}): Promise<number> {
  const chosen = micros.find(({ id }) => id === options.name);
  if (chosen === undefined) {
    throw new ConfigError([
      {
        where: "micro",
        what: `no micro-benchmark is called "${options.name}"`,
        hint: `known: ${micros.map(({ id }) => id).join(", ")}`,
      },
    ]);
  }
  const stop = listenForStop(() => process.exit(exitCodes.interrupted));
  try {
    const result = await chosen.run({
      seed: options.seed,
      smoke: options.smoke,
      signal: stop.signal,
      note: (text) => process.stderr.write(`${text}\n`),
    });
    console.log(options.json ? JSON.stringify(result, undefined, 2) : formatMicro(result));
    return stop.signal.aborted ? exitCodes.interrupted : codeOf[judgeBars(result.figures)];
  } finally {
    stop.dispose();
  }
}

function formatMicro(result: MicroResult): string {
  const rows = result.figures.map((figure) => [
    figure.id,
    `${formatValue(figure.value)} ${figure.unit}`,
    figure.low === figure.high ? "" : `[${formatValue(figure.low)}, ${formatValue(figure.high)}]`,
    [
      figure.least === undefined ? "" : `at least ${figure.least}`,
      figure.most === undefined ? "" : `at most ${figure.most}`,
    ].join(""),
  ]);
  const missing = result.notRun.map(({ what, why, get }) => `not run: ${what}: ${why}; ${get}`);
  return [result.name, formatColumns(rows), ...missing].join("\n");
}

function formatValue(value: MicroFigure["value"]): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString("en-US");
  return value.toPrecision(3);
}
