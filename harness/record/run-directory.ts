/** @module Writes and reads run directories: the only interface between measuring and presenting. */
import { createReadStream, existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import { ProjectError } from "#kit/errors.ts";
import type { AttemptRecord } from "./attempts.ts";
import type { RecordedTransaction } from "./history.ts";
import type { Measurements } from "./measurements.ts";
import { toPlume } from "./plume.ts";
import type { RunManifest, RunSummary } from "./run.ts";
import { parseManifest, parseSummary } from "./schema.ts";
import { stableJson } from "./stable-json.ts";
import {
  latencyLog,
  readLines,
  RunDirectoryError,
  writeAtomically,
  writeLines,
} from "./run-files.ts";
import { type RawRun, summarize } from "./summarize.ts";

export { RunDirectoryError } from "./run-files.ts";

/** Makes the directory and says that a run has begun; the rest follows with `finishRun`. */
export async function beginRun(directory: string, manifest: RunManifest): Promise<void> {
  parseManifest(manifest);
  await guarded("create", directory, async () => {
    await mkdir(directory, { recursive: true });
    await writeAtomically(join(directory, "manifest.json"), stableJson(manifest));
  });
}

/** Writes everything a run has produced; the summary last, so that it never stands alone. */
export async function finishRun(directory: string, run: RawRun): Promise<RunSummary> {
  const { manifest, attempts, transactions, measurements } = run;
  const { summary, checks } = summarize(run);
  parseManifest(manifest);
  parseSummary(summary);
  const { startedAtMs, durationMs = 0 } = manifest;
  const log = latencyLog(attempts, { startMs: startedAtMs, endMs: startedAtMs + durationMs });
  const { text, ids } = toPlume(transactions);
  const write = (name: string, content: string | Uint8Array): Promise<void> =>
    writeAtomically(join(directory, name), content);
  await guarded("write", directory, async () => {
    await writeLines(directory, "requests.ndjson.gz", attempts);
    await writeLines(directory, "transactions.ndjson.gz", transactions);
    await write("measurements.json", stableJson(measurements));
    await write("latency.hlog", log);
    await write("history.txt", text);
    await write("history-ids.json", stableJson(ids));
    await write("manifest.json", stableJson(manifest));
    await write("checks.json", stableJson(checks));
    await write("summary.json", stableJson(summary));
  });
  return summary;
}

/** The summary of a run, validated. */
export async function readSummary(directory: string): Promise<RunSummary> {
  return guarded("read", directory, async () =>
    parseSummary(JSON.parse(await readFile(join(directory, "summary.json"), "utf8"))),
  );
}

/** What a run was, validated. */
export async function readManifest(directory: string): Promise<RunManifest> {
  return guarded("read", directory, async () =>
    parseManifest(JSON.parse(await readFile(join(directory, "manifest.json"), "utf8"))),
  );
}

/**
 * The summary of a run; made again from what is raw, and written, where it is missing: the same bytes,
 * because it is a function of the rest.
 */
export async function restoreSummary(directory: string): Promise<RunSummary> {
  if (existsSync(join(directory, "summary.json"))) return readSummary(directory);
  const { summary, checks } = summarize(await readRun(directory));
  await guarded("write", directory, async () => {
    await writeAtomically(join(directory, "checks.json"), stableJson(checks));
    await writeAtomically(join(directory, "summary.json"), stableJson(summary));
  });
  return summary;
}

/** Attempts one by one, for runs that do not fit into memory. Throws `RunDirectoryError`. */
export async function* streamAttempts(directory: string): AsyncGenerator<AttemptRecord> {
  const path = join(directory, "requests.ndjson.gz");
  try {
    const file = createReadStream(path);
    const content = file.pipe(createGunzip());
    // `pipe` does not pass errors on; without this a missing file would hang the reader.
    file.on("error", (error) => content.destroy(error));
    for await (const line of createInterface({ input: content }))
      yield JSON.parse(line) as AttemptRecord;
  } catch (cause) {
    throw new RunDirectoryError("read", path, { cause });
  }
}

/** Everything raw of a run. */
export async function readRun(directory: string): Promise<RawRun> {
  const text = (name: string): Promise<string> => readFile(join(directory, name), "utf8");
  return guarded("read", directory, async () => ({
    manifest: parseManifest(JSON.parse(await text("manifest.json"))),
    attempts: (await readLines(directory, "requests.ndjson.gz")) as AttemptRecord[],
    transactions: (await readLines(directory, "transactions.ndjson.gz")) as RecordedTransaction[],
    measurements: JSON.parse(await text("measurements.json")) as Measurements,
  }));
}

async function guarded<T>(action: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ProjectError) throw cause;
    throw new RunDirectoryError(action, path, { cause });
  }
}
