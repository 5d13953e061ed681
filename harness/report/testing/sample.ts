/** @module For tests: a suite around the committed run directory, which is a real record. */
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseManifest, parseSuite, parseSummary } from "#harness/record/schema.ts";
import type { RunManifest, SuiteResult } from "#harness/record/run.ts";

export const sampleRun = fileURLToPath(new URL("../../record/testing/v1-record", import.meta.url));

const read = (name: string): unknown => JSON.parse(readFileSync(join(sampleRun, name), "utf8"));

export function sampleManifest(): RunManifest {
  return parseManifest(read("manifest.json"));
}

export function sampleSuite(directory: string = sampleRun): SuiteResult {
  const manifest = sampleManifest();
  return parseSuite({
    schemaVersion: 1,
    suite: "sample",
    profile: manifest.profile,
    startedAtMs: manifest.startedAtMs,
    durationMs: 1_000,
    state: "complete",
    runs: [{ ...parseSummary(read("summary.json")), directory }],
    comparisons: [],
    claims: [],
    notRun: [],
    machine: manifest.machine,
    calibration: null,
  });
}

/** A copy that a test may damage. */
export function copyRun(into: string): string {
  const directory = join(into, "runs", "anomalies", sampleManifest().runId);
  cpSync(sampleRun, directory, { recursive: true });
  return directory;
}
