/**
 * @module Simulations that failed once, each as small as it could be made: replayed for ever.
 *
 * One JSON document a line. What is not in an entry's configuration because it came later must have a
 * default that means what was meant then: `fieldsAddedLater`.
 */
import { readFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import type { SimConfig } from "./config.ts";

export interface KnownBug {
  /** What was wrong, and where it was mended. */
  readonly what: string;
  readonly config: SimConfig;
}

const file = join(import.meta.dirname, "bug-base.jsonl");
const fieldsAddedLater: Partial<SimConfig> = { maxRidingWrites: 64, lateAnswers: false };

export function readBugBase(): KnownBug[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const bug = JSON.parse(line) as KnownBug;
      return { ...bug, config: { ...fieldsAddedLater, ...bug.config } };
    });
}

export async function addToBugBase(bug: KnownBug): Promise<void> {
  await appendFile(file, `${JSON.stringify(bug)}\n`);
}
