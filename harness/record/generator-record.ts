/**
 * @module What each of several load generators wrote itself, inside the run's directory: `generators/<n>/`
 * with requests.ndjson.gz, transactions.ndjson.gz and latency.hlog. The run's own files are their union.
 */
import { mkdir } from "node:fs/promises";
import type { AttemptRecord } from "./attempts.ts";
import type { RecordedTransaction } from "./history.ts";
import {
  latencyLog,
  readLines,
  RunDirectoryError,
  writeAtomically,
  writeLines,
} from "./run-files.ts";

export interface GeneratorRecord {
  readonly attempts: readonly AttemptRecord[];
  readonly transactions: readonly RecordedTransaction[];
}

/** Below the run's directory; processes are counted from 1. */
export function generatorDirectory(index: number): string {
  return `generators/${index + 1}`;
}

/** Rejects with `RunDirectoryError`. */
export async function writeGeneratorRecord(
  directory: string,
  { attempts, transactions }: GeneratorRecord,
): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    await writeLines(directory, "requests.ndjson.gz", attempts);
    await writeLines(directory, "transactions.ndjson.gz", transactions);
    await writeAtomically(
      `${directory}/latency.hlog`,
      latencyLog(attempts, { startMs: 0, endMs: 0 }),
    );
  } catch (cause) {
    throw new RunDirectoryError("write", directory, { cause });
  }
}

/** Rejects with `RunDirectoryError`. */
export async function readGeneratorRecord(directory: string): Promise<GeneratorRecord> {
  try {
    return {
      attempts: (await readLines(directory, "requests.ndjson.gz")) as AttemptRecord[],
      transactions: (await readLines(directory, "transactions.ndjson.gz")) as RecordedTransaction[],
    };
  } catch (cause) {
    throw new RunDirectoryError("read", directory, { cause });
  }
}
