/**
 * Goal    Records stay readable, are what their published schemas say, and summaries are a function
 *         of the rest.
 * Method  A record of the first published version is committed and read; every round trip is by bytes.
 */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  beginRun,
  finishRun,
  readRun,
  readSummary,
  restoreSummary,
  RunDirectoryError,
  streamAttempts,
} from "./run-directory.ts";
import type { RunManifest } from "./run.ts";
import { publishedSchemas, SchemaError } from "./schema.ts";
import { stableJson } from "./stable-json.ts";

const oldRecord = fileURLToPath(new URL("testing/v1-record", import.meta.url));
let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "aft-bench-record-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe("a record of schema version 1", () => {
  it("is still read, with what newer ones have besides left out", async () => {
    const summary = await readSummary(oldRecord);
    const { attempts, manifest } = await readRun(oldRecord);
    expect(manifest.runId).toBe(summary.runId);
    expect(attempts.filter(({ final }) => final)).toHaveLength(summary.transactions.committed);
    expect(summary.generator).toBeUndefined();
  });

  it("is summarized to the same counts and times today", async () => {
    const old = await readSummary(oldRecord);
    const copy = join(directory, "old");
    await cp(oldRecord, copy, { recursive: true });
    await rm(join(copy, "summary.json"));
    const { transactions, responseTimeUs, throughputPerSecond } = await restoreSummary(copy);
    expect({ transactions, responseTimeUs, throughputPerSecond }).toEqual({
      transactions: old.transactions,
      responseTimeUs: old.responseTimeUs,
      throughputPerSecond: old.throughputPerSecond,
    });
  });
});

describe("a run directory", () => {
  it("gets a deleted summary.json and checks.json back byte for byte", async () => {
    const written = join(directory, "written");
    const raw = await readRun(oldRecord);
    await beginRun(written, raw.manifest);
    await finishRun(written, raw);
    const bytes = async (): Promise<Buffer[]> => [
      await readFile(join(written, "summary.json")),
      await readFile(join(written, "checks.json")),
    ];
    const before = await bytes();
    await rm(join(written, "summary.json"));
    await rm(join(written, "checks.json"));
    await restoreSummary(written);
    expect(await bytes()).toEqual(before);
  });

  it("has all files of the documented layout, and no others", async () => {
    const header = await readFile(new URL("run.ts", import.meta.url), "utf8");
    const documented = [...header.matchAll(/^ \* {5}(\S+\.\S+) /gm)].map(([, name]) => name);
    expect(new Set(await readdir(join(directory, "written")))).toEqual(new Set(documented));
  });

  it("can be read attempt by attempt", async () => {
    const { attempts } = await readRun(oldRecord);
    const streamed = [];
    for await (const attempt of streamAttempts(oldRecord)) streamed.push(attempt);
    expect(streamed).toEqual(attempts);
  });

  it("says so when a stream has no file or no end", async () => {
    const drain = async (from: string): Promise<void> => {
      for await (const _attempt of streamAttempts(from));
    };
    await expect(drain(join(directory, "nowhere"))).rejects.toThrow(RunDirectoryError);
    const cut = join(directory, "cut");
    await cp(oldRecord, cut, { recursive: true });
    const whole = await readFile(join(cut, "requests.ndjson.gz"));
    await writeFile(join(cut, "requests.ndjson.gz"), whole.subarray(0, whole.length / 2));
    await expect(drain(cut)).rejects.toThrow(RunDirectoryError);
  });

  it("refuses to write what could not be read back", async () => {
    const { manifest } = await readRun(oldRecord);
    const wrong = { ...manifest, seeds: { seed: "one" } } as unknown as RunManifest;
    await expect(beginRun(join(directory, "wrong"), wrong)).rejects.toThrow(SchemaError);
  });
});

it("publishes the schemas it checks with (npm run schemas:update)", async () => {
  for (const [name, schema] of Object.entries(publishedSchemas())) {
    const published = await readFile(new URL(`schemas/${name}`, import.meta.url), "utf8");
    expect(published, name).toBe(stableJson(schema));
  }
});
