/**
 * @module A process of its own for one generated history, so that its peak memory is its own.
 *
 *   generate FILE OPTIONS   writes plume text
 *   check FILE REPEATS      reads it, checks it, prints one JSON line (`CheckerTimes`)
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { check } from "#harness/checker/check.ts";
import { mostOperations } from "#harness/checker/formats/format.ts";
import { formatOf } from "#harness/checker/formats/registry.ts";
import { generate, type GenerateOptions } from "#harness/checker/generate.ts";
import { type History, HistoryBuilder } from "#harness/checker/history.ts";
import type { Level } from "#harness/checker/witness.ts";

export interface CheckerTimes {
  readonly operations: number;
  /** From the first byte of the file to the history, sorted and linked. */
  readonly parseSeconds: number;
  readonly checkSeconds: Readonly<Record<"rc" | "ra" | "cc", readonly number[]>>;
  /** Largest resident set of the process, parsing included. */
  readonly peakBytes: number;
}

const chunkBytes = 2 ** 20;

const [mode, file = "", argument = ""] = process.argv.slice(2);
if (mode === "generate") writeHistory(file, JSON.parse(argument) as GenerateOptions);
else console.log(JSON.stringify(measure(file, Number(argument))));

function writeHistory(path: string, options: GenerateOptions): void {
  const output = openSync(path, "w");
  let handles = 0;
  let text = "";
  const sessionOf: number[] = [];
  const line = (kind: string, handle: number, key: number, value: number): void => {
    text += `${kind}(${key},${value},${sessionOf[handle]},${handle + 1})\n`;
    if (text.length < chunkBytes) return;
    writeSync(output, text);
    text = "";
  };
  generate(options, {
    transaction: (session) => {
      sessionOf[handles] = session;
      return handles++;
    },
    read: (handle, key, value) => line("r", handle, key, value ?? 0),
    write: (handle, key, value) => line("w", handle, key, value),
  });
  writeSync(output, text);
  closeSync(output);
}

function measure(path: string, repeats: number): CheckerTimes {
  const begin = performance.now();
  const history = parse(path);
  const parseSeconds = (performance.now() - begin) / 1_000;
  const times: Record<"rc" | "ra" | "cc", number[]> = { rc: [], ra: [], cc: [] };
  for (let repeat = 0; repeat < repeats; repeat += 1)
    for (const level of ["ra", "cc", "rc"] as const) times[level].push(timeCheck(history, level));
  return {
    operations: history.operationCount,
    parseSeconds,
    checkSeconds: times,
    peakBytes: process.resourceUsage().maxRSS * 1_024,
  };
}

function timeCheck(history: History, level: Level): number {
  const begin = performance.now();
  const verdict = check(history, { levels: [level] })[level];
  const seconds = (performance.now() - begin) / 1_000;
  if (verdict?.kind !== "pass") throw new Error(`a valid history got ${verdict?.kind} at ${level}`);
  return seconds;
}

function parse(path: string): History {
  const format = formatOf("plume");
  if (format === undefined) throw new Error("there is no plume format");
  const input = openSync(path, "r");
  const builder = new HistoryBuilder(mostOperations(fstatSync(input).size));
  const parser = format.parser({ file: path, sink: builder });
  const chunk = new Uint8Array(chunkBytes);
  for (let size = readSync(input, chunk); size > 0; size = readSync(input, chunk))
    parser.feed(chunk.subarray(0, size));
  closeSync(input);
  parser.end();
  return builder.build();
}
