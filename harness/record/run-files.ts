/** @module The forms in which a run directory's files are written and read. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { ProjectError } from "#kit/errors.ts";
import { writeHistogramLog } from "#harness/metrics/histogram.ts";
import type { AttemptRecord } from "./attempts.ts";
import { histogramsOf } from "./summarize.ts";

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** A run directory cannot be written or read. */
export class RunDirectoryError extends ProjectError {
  readonly code = "run_directory";
  readonly disposition = "abort";

  constructor(action: string, path: string, options: { cause: unknown }) {
    super(`cannot ${action} ${path}; is there space, and may it be written?`, options);
  }
}

/** Response and service times as an interval log. */
export function latencyLog(
  attempts: readonly AttemptRecord[],
  span: { readonly startMs: number; readonly endMs: number },
): string {
  const { responseTime, serviceTime } = histogramsOf(attempts);
  return writeHistogramLog(
    [
      { tag: "response-time-us", histogram: responseTime, ...span },
      { tag: "service-time-us", histogram: serviceTime, ...span },
    ],
    span.startMs,
  );
}

/** One JSON document a line, compressed. */
export async function writeLines(
  directory: string,
  name: string,
  records: readonly unknown[],
): Promise<void> {
  const text = records.map((record) => `${JSON.stringify(record)}\n`).join("");
  await writeAtomically(join(directory, name), await compress(text));
}

export async function readLines(directory: string, name: string): Promise<unknown[]> {
  const content = await decompress(await readFile(join(directory, name)));
  return content
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown);
}

/** Readers see the old file or the new one, never half of it. */
export async function writeAtomically(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}`;
  await writeFile(temporary, content);
  await rename(temporary, path);
}
